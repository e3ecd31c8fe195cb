import { Rig } from '../../../test/rig/rig.ts';
import type { Bench } from '../bench-types.ts';
import { percentile } from '../percentile.ts';
import { KeepalivedPair } from './keepalived.ts';
import { outageOf, underLoad } from './pair.ts';

const USUAL_RUNS = 20;

export const failover: Bench = async ({ runs, note }) => {
  const rounds = runs ?? USUAL_RUNS;
  return Rig.use(async (rig) => {
    const pair = await KeepalivedPair.start(rig, 1);
    const crash: number[] = [];
    const silent: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const leadMs = 100 + (1000 * (round + 0.5)) / rounds;
      crash.push(outageOf(await underLoad(pair, leadMs, () => pair.crash())));
      await pair.mend();
      silent.push(outageOf(await underLoad(pair, leadMs, () => pair.silence())));
      await pair.mend();
      note(`${pair.name}: ${crash.at(-1)} ${silent.at(-1)}`);
    }
    return { crash: percentile(crash, 0.5), silent: percentile(silent, 0.5) };
  });
};
