import type { Log } from '../log/log.ts';

/**
 * Tells the slave's log, once it is so, that it lacks nothing of what this node ever confirmed: when it holds all that
 * the master's held when it attached.
 *
 * A sparse batch undoes that, because it may lack what later records replace: the log is whole again only from the place
 * up to which the master had compacted. All before that place was confirmed by then, so what the next ping says is
 * confirmed lies behind it.
 */
export class IntactWatch {
  readonly #log: Log;
  readonly #attachedEndSeq: number;
  #intact = false;
  /** The log is intact once it reaches this record; infinite while that is to be heard. */
  #fromSeq: number;

  constructor(log: Log, attachedEndSeq: number) {
    this.#log = log;
    this.#attachedEndSeq = attachedEndSeq;
    this.#fromSeq = attachedEndSeq;
  }

  /** A sparse batch was appended. */
  sparse(): void {
    this.#intact = false;
    this.#fromSeq = Infinity;
  }

  /** The master has said, after what was appended so far, that everything up to here is confirmed. */
  confirmed(seq: number): void {
    if (this.#fromSeq !== Infinity) return;
    this.#fromSeq = Math.max(this.#attachedEndSeq, seq);
    this.look();
  }

  /** To be called after appending. */
  look(): void {
    if (this.#intact || this.#log.end.seq < this.#fromSeq) return;
    this.#intact = true;
    this.#log.markIntact();
  }
}
