import type { LocalMachine } from '../../../test/rig/machine.ts';
import type { Bench } from '../bench-types.ts';
import { builtPackage } from './built-package.ts';
import { confirmedWrites } from './confirmed-writes.ts';
import { HsctlDuo } from './hsctl-duo.ts';
import { type Load, redisBenchmark } from './load.ts';
import { median } from './median.ts';
import { RedisDuo } from './redis-duo.ts';
import { inYard } from './yard.ts';

const USUAL_ROUNDS = 5;

/** Cases of plain writes: about three seconds each. */
const PLAIN: Readonly<Record<string, Load>> = {
  p1: { pipeline: 1, writes: 150_000 },
  p16: { pipeline: 16, writes: 900_000 },
  p64: { pipeline: 64, writes: 1_800_000 },
};

/** Cases in which Redis is asked after each write whether its replica has it; hsctl's reply says so by itself. */
const CONFIRMED: Readonly<Record<string, Load>> = {
  wait_p1: { pipeline: 1, writes: 60_000 },
  wait: { pipeline: 16, writes: 120_000 },
  wait_p64: { pipeline: 64, writes: 120_000 },
};

interface Pair {
  readonly clientPort: number;
}

/** Writes per second by hsctl, each held by the slave before its reply, and by Redis with an asynchronous replica, in turn. */
export const replication: Bench = ({ runs, note }) =>
  inYard(async (machine) => {
    const hsctl = await HsctlDuo.start(machine, { hsctl: await builtPackage(machine) });
    const redis = await RedisDuo.start(machine);
    const cases = [
      ...Object.entries(PLAIN).map(([name, load]) => ({
        name,
        ours: () => redisBenchmark(machine, hsctl.clientPort, load),
        redis: () => redisBenchmark(machine, redis.clientPort, load),
      })),
      ...Object.entries(CONFIRMED).map(([name, load]) => ({
        name,
        ours: () => confirmedWrites(hsctl.clientPort, load),
        redis: () => confirmedWrites(redis.clientPort, load, ['WAIT', '1', '0']),
      })),
    ];
    await warmUp(machine, [hsctl, redis]);
    const rates = cases.map(() => ({ ours: [] as number[], redis: [] as number[] }));
    const rounds = runs ?? USUAL_ROUNDS;
    for (let round = 0; round < rounds; round++) {
      for (const [index, one] of cases.entries()) {
        // Whoever comes second finds the machine as the first left it: they take turns.
        const order = round % 2 === 0 ? (['ours', 'redis'] as const) : (['redis', 'ours'] as const);
        for (const side of order) rates[index]?.[side].push(await one[side]());
        const [ours = 0, theirs = 0] = [rates[index]?.ours.at(-1), rates[index]?.redis.at(-1)];
        note(`round ${round + 1}, ${one.name}: hsctl ${ours.toFixed(0)}/s, Redis ${theirs.toFixed(0)}/s`);
      }
    }
    await Promise.all([hsctl.close(), redis.close()]);
    return Object.fromEntries(cases.map(({ name }, index) => [name, compared(rates[index])]));
  });

/** Fills both with the keys, so that every write that is measured replaces one, and lets compilers finish. */
async function warmUp(machine: LocalMachine, pairs: readonly Pair[]): Promise<void> {
  for (const { clientPort } of pairs) {
    await redisBenchmark(machine, clientPort, { pipeline: 64, writes: 1_500_000 });
    await redisBenchmark(machine, clientPort, { pipeline: 1, writes: 50_000 });
  }
}

function compared(rates: { readonly ours: readonly number[]; readonly redis: readonly number[] } | undefined): object {
  const ours = median(rates?.ours ?? []);
  const redis = median(rates?.redis ?? []);
  return { ours: Math.round(ours), redis: Math.round(redis), ratio: Math.round((100 * ours) / redis) / 100 };
}
