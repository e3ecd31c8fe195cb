import type { Scheduler } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';

/** What every probe is: a way to look at one node's app, time after time. */

export interface ProbeTarget {
  /** The node's address. */
  readonly host: string;
  /** The node's app port; null where it has none. */
  readonly port: number | null;
}

export interface ProbeResult {
  readonly good: boolean;
  /** What was seen, in a few words for people: `status 503`. */
  readonly detail: string;
  /** What will be wrong soon, or is wrong but does not keep the app from working. Left out: nothing. */
  readonly warning?: string;
}

export interface Probe {
  /**
   * Looks once. Never rejects: whatever goes wrong is a bad result. When `signal` aborts, it closes what it opened and
   * resolves to a bad result with the reason of the signal.
   */
  look(target: ProbeTarget, signal: AbortSignal): Promise<ProbeResult>;
  /** Gives back what it keeps between two looks; most keep nothing. */
  close?(): Promise<void>;
}

/** What probes need beside their configuration. */
export interface ProbeDeps {
  readonly scheduler: Scheduler;
  readonly random: Random;
}
