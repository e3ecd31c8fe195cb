import { UNNOTICED_MS } from './lease-clock.ts';

/**
 * The two ends of a lease (Gray and Cheriton, "Leases", 1989). The holder counts from the moment it sent the
 * request, the grantor from the moment it sent the answer, each on its own clock, so the holder's lease always
 * ends first, whatever the network does in between.
 */

/** How much faster or slower than true time a clock may run before safety is at stake. */
const CLOCK_DRIFT = 0.002;

/** The node that serves under a lease. All its times are those of a `LeaseClock`. */
export class LeaseHolder {
  #untilMs = -Infinity;
  #lingersUntilMs = -Infinity;

  /**
   * Takes an answer to the request that was sent at `sentAtMs`; `lingerMs` is what the grantor waits for behind the
   * lease. Nothing gets shorter by an answer.
   */
  granted(sentAtMs: number, leaseMs: number, lingerMs: number): void {
    if (leaseMs <= 0) return;
    const untilMs = sentAtMs + leaseMs * (1 - CLOCK_DRIFT);
    this.#untilMs = Math.max(this.#untilMs, untilMs);
    this.#lingersUntilMs = Math.max(this.#lingersUntilMs, untilMs + lingerMs);
  }

  /** The moment until which traffic may stay on the node by itself; -Infinity without a lease. */
  get lingersUntilMs(): number {
    return this.#lingersUntilMs;
  }

  /** The moment at which the lease ends; -Infinity without one. */
  get untilMs(): number {
    return this.#untilMs;
  }
}

/** The side that promises not to let anyone else serve. */
export class LeaseGrantor {
  #runsUntilMs: number;
  #epoch: number;

  /**
   * A grantor that has just started has to assume that it gave a grant the moment before, under the highest epoch
   * that it has seen.
   */
  constructor(startedAtMs: number, longestGrantMs: number, highestEpoch: number) {
    this.#runsUntilMs = startedAtMs + longestGrantMs;
    this.#epoch = highestEpoch;
  }

  /** Notes a grant to the master of `epoch` whose answer is sent now. */
  grant(nowMs: number, grantMs: number, epoch: number): void {
    this.#runsUntilMs = Math.max(this.#runsUntilMs, nowMs + grantMs);
    this.#epoch = Math.max(this.#epoch, epoch);
  }

  /**
   * The holder will never serve again under any epoch up to this one. True whenever it was said, however late it
   * arrives; it ends the grant only if no grant was given under a later epoch.
   */
  renounced(epoch: number): void {
    if (epoch >= this.#epoch) this.#runsUntilMs = -Infinity;
  }

  /** Milliseconds until nobody can serve under a grant of ours; 0 if that is so now. */
  runsMs(nowMs: number): number {
    return Math.max(0, this.#runsUntilMs - nowMs);
  }
}

/**
 * How long a grantor waits for a lease of `leaseMs`. `lingerMs` is what outlives the lease on the holder's
 * node: the kernel's lifetime of a VIP counts in whole seconds.
 */
export function grantDurationMs(leaseMs: number, lingerMs: number): number {
  return leaseMs * (1 + CLOCK_DRIFT) + UNNOTICED_MS + lingerMs;
}
