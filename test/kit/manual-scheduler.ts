import { setImmediate as turn } from 'node:timers/promises';
import type { Scheduler, Timer } from '../../src/kit/clock.ts';

interface Due {
  atMs: number;
  readonly task: () => void;
  readonly periodMs: number | null;
}

/** Time that stands still until a test moves it on. Wall time is monotonic time plus a fixed moment. */
export class ManualScheduler implements Scheduler {
  #nowMs = 0;
  readonly #due = new Set<Due>();

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(delayMs: number, task: () => void): Timer {
    return this.#add({ atMs: this.#nowMs + Math.max(0, delayMs), task, periodMs: null });
  }

  every(periodMs: number, task: () => void, firstDelayMs = periodMs): Timer {
    return this.#add({ atMs: this.#nowMs + firstDelayMs, task, periodMs });
  }

  /** Number of timers that are still to come. */
  get pending(): number {
    return this.#due.size;
  }

  /** Moves on by `byMs`: runs what is due in its order, and after each lets the promises that hang on it settle. */
  async advance(byMs: number): Promise<void> {
    const endMs = this.#nowMs + byMs;
    await turn();
    for (let due = this.#next(endMs); due !== null; due = this.#next(endMs)) {
      this.#nowMs = Math.max(this.#nowMs, due.atMs);
      if (due.periodMs === null) this.#due.delete(due);
      else due.atMs += due.periodMs;
      due.task();
      await turn();
    }
    this.#nowMs = endMs;
  }

  /** Time passes without a timer: whatever became due meanwhile is so once, at the next `advance`. */
  stall(byMs: number): void {
    this.#nowMs += byMs;
    for (const due of this.#due) due.atMs = Math.max(due.atMs, this.#nowMs);
  }

  #next(endMs: number): Due | null {
    let first: Due | null = null;
    for (const due of this.#due) if (due.atMs <= endMs && (first === null || due.atMs < first.atMs)) first = due;
    return first;
  }

  #add(due: Due): Timer {
    this.#due.add(due);
    return { cancel: () => void this.#due.delete(due) };
  }
}
