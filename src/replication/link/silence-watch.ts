import type { Scheduler, Timer } from '../../kit/clock.ts';

/** Ticks without a word after which the other end counts as gone. */
const TICKS = 4;

/**
 * Tells when nothing was heard for about `limitMs`. It counts the ticks of its own timer since the last word rather
 * than time, so that a stall of this process, in which words pile up unread, is not taken for silence of the peer.
 */
export class SilenceWatch {
  readonly #scheduler: Scheduler;
  readonly #onSilence: (limitMs: number) => void;
  #timer: Timer;
  #silentTicks = 0;

  constructor(scheduler: Scheduler, limitMs: number, onSilence: (limitMs: number) => void) {
    this.#scheduler = scheduler;
    this.#onSilence = onSilence;
    this.#timer = this.#start(limitMs);
  }

  /** Another limit, counted from now. */
  setLimit(limitMs: number): void {
    this.#timer.cancel();
    this.#silentTicks = 0;
    this.#timer = this.#start(limitMs);
  }

  #start(limitMs: number): Timer {
    return this.#scheduler.every(limitMs / TICKS, () => {
      this.#silentTicks += 1;
      if (this.#silentTicks === TICKS) this.#onSilence(limitMs);
    });
  }

  heard(): void {
    this.#silentTicks = 0;
  }

  stop(): void {
    this.#timer.cancel();
  }
}
