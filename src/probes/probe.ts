/** What every probe is: one look at one node's app. */

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
}

/**
 * Looks once. Never rejects: whatever goes wrong is a bad result. When `signal` aborts, it closes what it opened and
 * resolves to a bad result with the reason of the signal.
 */
export type Probe = (target: ProbeTarget, signal: AbortSignal) => Promise<ProbeResult>;
