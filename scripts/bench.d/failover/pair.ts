import { setTimeout as pause } from 'node:timers/promises';
import { type Attempt, type Moment, outageMs, type Verdict } from '../../../test/rig/history.ts';
import { HistoryRun } from '../../../test/rig/history-run.ts';
import { machineMs } from '../../../test/rig/machine-clock.ts';
import type { Rig } from '../../../test/rig/rig.ts';

/** Where clients find the service in every pair. */
export const VIP = '10.0.0.100';
export const PORT = 9000;

/** Two machines and what makes them a pair, up and serving. */
export interface Pair {
  readonly name: string;
  readonly rig: Rig;
  /** Kills the app on the node that serves. */
  crash(): Promise<void>;
  /** Cuts the node that serves off from everything. */
  silence(): Promise<void>;
  /** Ends the fault; resolves when both nodes are whole and the next fault can come. */
  mend(): Promise<void>;
}

export interface Measured {
  readonly attempts: readonly Attempt[];
  readonly fault: Moment;
  readonly history: HistoryRun;
}

/**
 * Sets a fault under a writing client and waits until it is served again. The client works for `leadMs` before: to be
 * varied, so that faults fall on all phases of the pair's timers. Its writes are called `name`, which is used once.
 */
export async function underLoad(
  pair: Pair,
  name: string,
  leadMs: number,
  fault: () => Promise<void>,
): Promise<Measured> {
  const history = await HistoryRun.start(pair.rig.host('client'), { to: `${VIP}:${PORT}`, name });
  await pause(leadMs);
  const beginMs = machineMs();
  await fault();
  const endMs = machineMs();
  await history.nextOk();
  return { attempts: await history.stop(), fault: { beginMs, endMs }, history };
}

/** Milliseconds from the fault to the first answer of what serves afterwards. */
export function outageOf({ attempts, fault }: Measured): number {
  const outage = outageMs(attempts, fault);
  if (outage === null) throw new Error('nothing served after the fault');
  return outage;
}

/** Number of acknowledged writes that are not there, or deleted ones that are, by the lists of what serves now. */
export async function lostOf({ history }: Measured): Promise<number> {
  const verdict: Verdict = await history.check(`${VIP}:${PORT}`);
  return verdict.lost.length + verdict.ghosts.length + verdict.duplicates.length;
}
