import type { Clock } from './clock.ts';

/**
 * Notices moments after which nothing that was timed can be trusted: the two clocks disagree (somebody set the
 * wall clock, or the machine was suspended, which stops the monotonic one), or nobody looked for too long (the
 * process was stopped or its event loop stalled). After Redis Sentinel's TILT.
 */
export class ClockGuard {
  readonly #clock: Clock;
  #toleranceMs: number;
  #lastMonotonicMs: number;
  #lastWallMs: number;

  /** `toleranceMs`: largest disagreement of the clocks, and longest pause between two looks by either of them, that passes. */
  constructor(clock: Clock, toleranceMs: number) {
    this.#clock = clock;
    this.#toleranceMs = toleranceMs;
    this.#lastMonotonicMs = clock.monotonicMs();
    this.#lastWallMs = clock.wallMs();
  }

  /** What passes from the next look on. */
  setTolerance(toleranceMs: number): void {
    this.#toleranceMs = toleranceMs;
  }

  /** Compares with the last look. Returns what is wrong, or null. */
  look(): string | null {
    const monotonicMs = this.#clock.monotonicMs();
    const wallMs = this.#clock.wallMs();
    const pausedMs = monotonicMs - this.#lastMonotonicMs;
    const jumpMs = wallMs - this.#lastWallMs - pausedMs;
    this.#lastMonotonicMs = monotonicMs;
    this.#lastWallMs = wallMs;
    if (Math.abs(jumpMs) > this.#toleranceMs) return `the wall clock jumped by ${Math.round(jumpMs)} ms`;
    // A stop during which the machine was suspended for a while, too, is seen in full by the wall clock alone.
    const stoppedMs = pausedMs + Math.max(0, jumpMs);
    return stoppedMs > this.#toleranceMs ? `the process stood still for ${Math.round(stoppedMs)} ms` : null;
  }
}
