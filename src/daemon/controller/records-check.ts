import { statfsSync } from 'node:fs';
import type { Records } from '../../controller/ports.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';

const PERIOD_MS = 10_000;
/** The smallest write still fits where a decision with its events does not: room for some of them. */
const LEAST_FREE_BYTES = 64 * 1024;

/**
 * Finds out that decisions cannot be saved before one has to be: weeks may lie between two of them, and on a disk that is
 * full or read-only nothing fails over.
 */
export class RecordsCheck {
  readonly #directory: string;
  readonly #records: Pick<Records, 'longestGrantMs' | 'saveLongestGrantMs'>;
  readonly #logger: Logger;
  #fault: string | null = null;

  constructor(directory: string, records: Pick<Records, 'longestGrantMs' | 'saveLongestGrantMs'>, logger: Logger) {
    this.#directory = directory;
    this.#records = records;
    this.#logger = logger;
  }

  /** What keeps decisions from being saved, as last seen; null if nothing does. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Looks from now on; call the result to end it. */
  start(scheduler: Scheduler): () => void {
    const timer = scheduler.every(PERIOD_MS, () => this.#look());
    return () => timer.cancel();
  }

  /** Saves once more what is there: that takes all that a decision does but for its room. */
  #look(): void {
    const before = this.#fault;
    try {
      this.#records.saveLongestGrantMs(this.#records.longestGrantMs());
      this.#fault = this.#hasRoom() ? null : `the disk of ${this.#directory} is full`;
    } catch (error) {
      this.#fault = messageOf(error);
    }
    if (this.#fault !== null && before === null) this.#logger.error(`decisions cannot be saved: ${this.#fault}`);
    if (this.#fault === null && before !== null) this.#logger.info('decisions can be saved again');
  }

  #hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.#directory);
    return bavail * bsize >= LEAST_FREE_BYTES;
  }
}
