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

  /** `toleranceMs`: largest disagreement of the clocks, and longest pause between two looks, that passes. */
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
    if (pausedMs > this.#toleranceMs) return `the process stood still for ${Math.round(pausedMs)} ms`;
    return null;
  }
}
