import type { Clock } from './clock.ts';

/** How far the wall clock may get ahead of the monotonic one unnoticed, in milliseconds: what it takes to read both. */
export const UNNOTICED_MS = 5;

/**
 * The clock by which a lease is held: monotonic, and it moves on by as much as the wall clock does beyond that. So it
 * also counts the time in which the machine was suspended, which stops the monotonic clock; and when somebody sets the
 * wall clock forward, a lease ends early rather than late. What it cannot notice is a suspension from which the machine wakes
 * with its wall clock set back by as much. Not for grantors, who have to err the other way.
 */
export class LeaseClock {
  readonly #clock: Clock;
  /** Wall clock minus monotonic clock, as last noticed. */
  #offsetMs: number;
  #addedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#offsetMs = clock.wallMs() - clock.monotonicMs();
  }

  nowMs(): number {
    const monotonicMs = this.#clock.monotonicMs();
    const offsetMs = this.#clock.wallMs() - monotonicMs;
    const stepMs = offsetMs - this.#offsetMs;
    if (stepMs > UNNOTICED_MS || stepMs < -UNNOTICED_MS) {
      this.#offsetMs = offsetMs;
      this.#addedMs += Math.max(0, stepMs);
    }
    return monotonicMs + this.#addedMs;
  }
}
