import type { Scheduler } from '../../kit/clock.ts';

/** Wakes those who wait for something to change: more is confirmed, time has passed. */
export class News {
  readonly #scheduler: Scheduler;
  readonly #waiters = new Set<() => void>();
  /** Rises with each announcement: whoever finds it changed since it last looked need not wait. */
  count = 0;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  announce(): void {
    this.count += 1;
    for (const wake of this.#waiters) wake();
  }

  /** Resolves at the next announcement, at `untilMs` of the monotonic clock (Infinity: never), or when `signal` aborts. */
  next(untilMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        timer?.cancel();
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const leftMs = untilMs - this.#scheduler.monotonicMs();
      const timer = untilMs === Infinity ? null : this.#scheduler.after(Math.max(0, leftMs), wake);
      if (signal.aborted) return wake();
      signal.addEventListener('abort', wake, { once: true });
      this.#waiters.add(wake);
    });
  }
}
