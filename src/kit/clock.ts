/**
 * Time as the rest of the code sees it. Only this folder names the platform's clocks and timers,
 * so that the simulator can supply its own.
 */

/** Two clocks: one that only counts forward, one that people read. Milliseconds, with fractions. */
export interface Clock {
  /** Milliseconds since some fixed moment; never set back, stops while the machine is suspended. */
  monotonicMs(): number;
  /** Milliseconds since 1970; may jump. */
  wallMs(): number;
}

/** A timer that can be called off. */
export interface Timer {
  cancel(): void;
}

/** Clock and timers together: all that a loop needs of time. */
export interface Scheduler extends Clock {
  /** Runs `task` once, `delayMs` from now. */
  after(delayMs: number, task: () => void): Timer;
  /** Runs `task` every `periodMs`, first after `firstDelayMs` (default: one period). */
  every(periodMs: number, task: () => void, firstDelayMs?: number): Timer;
}

/** The machine's own clocks and timers. Timers do not keep the process alive. */
export const systemScheduler: Scheduler = makeScheduler((timer) => timer.unref());

/** The same for commands that wait in the foreground: a timer keeps the process alive. */
export const foregroundScheduler: Scheduler = makeScheduler((timer) => timer);

function makeScheduler(hold: (timer: NodeJS.Timeout) => NodeJS.Timeout): Scheduler {
  return {
    monotonicMs: () => performance.now(),
    wallMs: () => Date.now(),
    after(delayMs, task) {
      const timer = hold(setTimeout(task, Math.max(0, delayMs)));
      return { cancel: () => clearTimeout(timer) };
    },
    every(periodMs, task, firstDelayMs = periodMs) {
      let interval: NodeJS.Timeout | undefined;
      const first = hold(
        setTimeout(() => {
          interval = hold(setInterval(task, periodMs));
          task();
        }, firstDelayMs),
      );
      return {
        cancel() {
          clearTimeout(first);
          clearInterval(interval);
        },
      };
    },
  };
}

/** Resolves after `delayMs`, or at once (without error) when `signal` aborts. */
export function sleep(scheduler: Scheduler, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = scheduler.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}
