import { failures, longestGapMs } from '../../../test/rig/history.ts';
import { Rig } from '../../../test/rig/rig.ts';
import type { Bench } from '../bench-types.ts';
import { percentile } from '../percentile.ts';
import { HsctlPair } from './hsctl.ts';
import { KeepalivedPair } from './keepalived.ts';
import { lostOf, type Measured, outageOf, type Pair, underLoad } from './pair.ts';

const USUAL_RUNS = 20;

/** Advertisement intervals of keepalived: its default, and about the smallest that people dare. */
const ADVERTS_S = [1, 0.05] as const;

interface Outages {
  readonly crashMs: number[];
  readonly silentMs: number[];
}

/** Outages of hsctl and of keepalived, fault for fault in turn, each pair in a rig of its own all the while. */
export const failover: Bench = ({ runs, note }) =>
  Rig.use((ours) =>
    Rig.use((theirs) =>
      Rig.use(async (theirsFast) => {
        const hsctl = await HsctlPair.start(ours);
        const keepalived = [
          await KeepalivedPair.start(theirs, ADVERTS_S[0]),
          await KeepalivedPair.start(theirsFast, ADVERTS_S[1]),
        ];
        return measure(hsctl, keepalived, runs ?? USUAL_RUNS, note);
      }),
    ),
  );

async function measure(
  hsctl: HsctlPair,
  keepalived: readonly KeepalivedPair[],
  rounds: number,
  note: (line: string) => void,
): Promise<object> {
  const pairs: readonly Pair[] = [hsctl, ...keepalived];
  const outages = pairs.map((): Outages => ({ crashMs: [], silentMs: [] }));
  const frozenMs: number[] = [];
  let failed = 0;
  let lost = 0;
  for (let round = 0; round < rounds; round++) {
    const leadMs = 100 + (1000 * (round + 0.5)) / rounds;
    for (const kind of ['crash', 'silent'] as const) {
      for (const [index, pair] of pairs.entries()) {
        const fault = kind === 'crash' ? () => pair.crash() : () => pair.silence();
        const measured = await underLoad(pair, `${kind}${round}-`, leadMs, fault);
        outages[index]?.[`${kind}Ms`].push(outageOf(measured));
        note(`round ${round + 1}, ${kind}, ${pair.name}: ${outageOf(measured).toFixed(1)} ms`);
        await pair.mend();
        if (pair === hsctl) lost += await lostOf(measured);
      }
    }
    const measured = await underLoad(hsctl, `switch${round}-`, leadMs, () => hsctl.switchover());
    frozenMs.push(gapOf(measured));
    failed += failures(measured.attempts, 0, Infinity).length;
    note(`round ${round + 1}, switchover: ${gapOf(measured).toFixed(1)} ms, ${failed} failed so far`);
    await hsctl.mend();
    lost += await lostOf(measured);
  }
  return report(outages, frozenMs, failed, lost);
}

/** The longest that clients waited for an acknowledgement from the moment of the order on. */
function gapOf({ attempts, fault }: Measured): number {
  const last = Math.max(...attempts.flatMap((one) => (one.outcome === 'ok' ? one.doneMs : [])));
  return longestGapMs(attempts, fault.beginMs, last + 0.001);
}

function report(outages: readonly Outages[], frozenMs: readonly number[], failed: number, lost: number): object {
  const [ours, theirs, theirsFast] = outages;
  const spread = (values: readonly number[] = []): object => ({
    p50_ms: percentile(values, 0.5),
    p99_ms: percentile(values, 0.99),
  });
  const medians = (of: Outages | undefined): object => ({
    crash_p50_ms: percentile(of?.crashMs ?? [], 0.5),
    silent_p50_ms: percentile(of?.silentMs ?? [], 0.5),
  });
  return {
    crash: spread(ours?.crashMs),
    silent: spread(ours?.silentMs),
    switchover: { ...spread(frozenMs), failed },
    lost_acked: lost,
    keepalived: medians(theirs),
    keepalived_50ms: medians(theirsFast),
  };
}
