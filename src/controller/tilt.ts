import { ClockGuard } from '../kit/clock-guard.ts';
import type { Clock } from '../kit/clock.ts';
import { describeMs } from './view.ts';

interface TiltSettings {
  readonly heartbeatMs: number;
  readonly detectMs: number;
}

/**
 * TILT: when the clocks disagree or the process stood still, nothing is decided for one detection window, in which the
 * agents are heard again. To be asked before every decision, whatever brought it about: after a stall the first thing
 * that runs may well be a message, not a timer.
 */
export class TiltWatch {
  readonly #clock: Clock;
  readonly #guard: ClockGuard;
  #windowMs: number;
  #why = '';
  #untilMs = -Infinity;

  constructor(clock: Clock, settings: TiltSettings) {
    this.#clock = clock;
    this.#guard = new ClockGuard(clock, toleranceMs(settings));
    this.#windowMs = settings.detectMs;
  }

  /** Other settings. What was so far is judged by the former ones. */
  reconfigure(settings: TiltSettings): void {
    this.look();
    this.#guard.setTolerance(toleranceMs(settings));
    this.#windowMs = settings.detectMs;
  }

  /** Looks at the clocks. Why they are in doubt at present; null if they are not. */
  look(): string | null {
    const wrong = this.#guard.look();
    const nowMs = this.#clock.monotonicMs();
    if (wrong !== null) {
      this.#why = `${wrong}: no decisions for ${describeMs(this.#windowMs)}`;
      // A doubt under a longer window is not over sooner because another one comes under a shorter one.
      this.#untilMs = Math.max(this.#untilMs, nowMs + this.#windowMs);
    }
    return nowMs < this.#untilMs ? this.#why : null;
  }
}

function toleranceMs({ heartbeatMs }: TiltSettings): number {
  return Math.max(2 * heartbeatMs, 50);
}
