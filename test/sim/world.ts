import { crc32 } from 'node:zlib';
import { turn } from '../../src/replication/log/turns.ts';
import { EventQueue, type SimEvent } from './event-queue.ts';
import type { SeededRandom } from './seeded-random.ts';

/** Far more than the longest run takes. */
const EVENTS_LIMIT = 2_000_000;

/** A broken invariant, or something that must never happen. */
export interface Violation {
  readonly atMs: number;
  /** Name of the invariant (`I1`), or of what else went wrong (`crash`). */
  readonly rule: string;
  readonly text: string;
}

/**
 * True time and what happens in it. One event at a time; after each, all promises that hang on it settle, then the
 * invariants are checked. The trace hash folds in every event, so that two runs are the same if their hashes are.
 */
export class World {
  readonly random: SeededRandom;
  nowMs = 0;
  events = 0;
  violation: Violation | null = null;
  /** Called after each event, once it has settled. */
  afterEvent: () => void = () => undefined;
  /** Lines of the transcript; null if none is wanted. */
  readonly lines: string[] | null;
  readonly #queue = new EventQueue();
  #hash = 0;
  readonly #folded = new Float64Array(2);
  readonly #foldedBytes = new Uint8Array(this.#folded.buffer);
  readonly #settled: () => Promise<void>;

  /** `takesTurns`: something that is simulated gives others a turn of the event loop; that takes time where nothing does. */
  constructor(random: SeededRandom, withTranscript: boolean, takesTurns: boolean) {
    this.random = random;
    this.#settled = takesTurns ? turn : promisesSettled;
    this.lines = withTranscript ? [] : null;
  }

  /** The trace so far as one number. */
  get hash(): number {
    return this.#hash;
  }

  at(atMs: number, task: () => void): SimEvent {
    return this.#queue.add(Math.max(atMs, this.nowMs), task);
  }

  after(delayMs: number, task: () => void): SimEvent {
    return this.at(this.nowMs + delayMs, task);
  }

  /** Adds a number to the trace. */
  fold(value: number): void {
    this.#folded[0] = this.nowMs;
    this.#folded[1] = value;
    this.#hash = crc32(this.#foldedBytes, this.#hash);
  }

  /** Adds bytes to the trace. */
  foldBytes(bytes: Uint8Array): void {
    this.#hash = crc32(bytes, this.#hash);
  }

  /** Adds a line to the transcript. */
  tell(who: string, what: string): void {
    this.lines?.push(`${this.nowMs.toFixed(3).padStart(11)} ${who.padEnd(10)} ${what}`);
  }

  /** Ends the run: an invariant is broken. The first one counts. */
  broken(rule: string, text: string): void {
    if (this.violation !== null) return;
    this.violation = { atMs: this.nowMs, rule, text };
    this.tell('VIOLATION', `${rule}: ${text}`);
  }

  /** Lets time pass until then, or until an invariant breaks or `enough` says so. */
  async run(untilMs: number, enough: () => boolean = () => false): Promise<void> {
    // Promises settle before the next tick only where a promise is waited for already: from a message they would not.
    await Promise.resolve();
    while (this.violation === null && !enough()) {
      const event = this.#queue.take(untilMs);
      if (event === null) {
        this.nowMs = untilMs;
        return;
      }
      this.nowMs = event.atMs;
      this.events += 1;
      if (this.events > EVENTS_LIMIT) return this.broken('I9', `${EVENTS_LIMIT} events: something runs in circles`);
      this.fold(event.order);
      event.task!();
      await this.#settled();
      this.afterEvent();
    }
  }
}

/** All promises that can go on by themselves have done so. */
function promisesSettled(): Promise<void> {
  return new Promise((resolve) => {
    process.nextTick(resolve);
  });
}
