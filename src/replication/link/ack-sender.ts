import type { Log } from '../log/log.ts';

export interface AckSenderOptions {
  readonly log: Log;
  /** Confirm only what is on stable storage. */
  readonly syncBeforeAck: boolean;
  readonly endOfTurn: (task: () => void) => void;
  /** Once a turn in which something was appended, before it is confirmed. */
  readonly onTurn: () => void;
  readonly send: (seq: number) => void;
  /** The log could not be synced. */
  readonly onFailure: (thrown: unknown) => void;
}

/** Confirms what was appended: once a turn of the event loop, however many batches came in it. */
export class AckSender {
  readonly #options: AckSenderOptions;
  #due = false;
  /** Up to here all is there that was appended. */
  #appendedSeq = 0;
  #syncing = false;
  #stopped = false;

  constructor(options: AckSenderOptions) {
    this.#options = options;
  }

  /** All of the log up to its present end is there, and something of it is new. */
  appended(): void {
    this.#appendedSeq = this.#options.log.end.seq;
    if (this.#due) return;
    this.#due = true;
    this.#options.endOfTurn(() => this.#atEndOfTurn());
  }

  stop(): void {
    this.#stopped = true;
  }

  #atEndOfTurn(): void {
    this.#due = false;
    if (this.#stopped) return;
    const { onTurn, send, syncBeforeAck } = this.#options;
    onTurn();
    if (!syncBeforeAck) send(this.#appendedSeq);
    else if (!this.#syncing) void this.#syncAndSend();
  }

  /** One sync at a time; what is appended meanwhile goes with the next. */
  async #syncAndSend(): Promise<void> {
    const { log, send, onFailure } = this.#options;
    this.#syncing = true;
    try {
      let durableSeq: number;
      do {
        durableSeq = (await log.sync()).seq;
        if (!this.#stopped) send(durableSeq);
      } while (!this.#stopped && durableSeq < log.end.seq);
    } catch (thrown) {
      if (!this.#stopped) onFailure(thrown);
    } finally {
      this.#syncing = false;
    }
  }
}
