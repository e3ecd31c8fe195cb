import type { Seq } from '../../replication/replica.ts';
import { RespWriter } from '../../protocol/resp/resp-writer.ts';

/** What a reply waits for that shows nothing of the state. */
const NOTHING = -1;

/**
 * The replies of one connection, in order. Each waits until the records that it tells of are confirmed. All that
 * was written between two calls of `seal` (one turn) is one run, which waits for the highest of its records: thus a
 * reply costs its bytes and no more.
 */
export class Output {
  readonly writer = new RespWriter();
  #wait: Seq = NOTHING;
  /** Positions in the stream of replies: everything before is in a run; everything before may be sent. */
  #sealed = 0;
  #released = 0;
  /** Runs that wait: where each ends and for which seq it waits. Those before `#first` are done. */
  #ends: number[] = [];
  #seqs: Seq[] = [];
  #first = 0;

  /** What was written since the last `seal` must not go out before `seq` is confirmed. */
  waitFor(seq: Seq): void {
    if (seq > this.#wait) this.#wait = seq;
  }

  /** Whether what was written since the last `seal` must not go out with no more than `confirmed`. */
  waitsBeyond(confirmed: Seq): boolean {
    return this.#wait > confirmed;
  }

  /** Ends the present run. */
  seal(): void {
    const { position } = this.writer;
    if (position !== this.#sealed) {
      this.#ends.push(position);
      this.#seqs.push(this.#wait);
      this.#sealed = position;
    }
    this.#wait = NOTHING;
  }

  /** Lets those runs go that wait for nothing above `confirmed`; a run never overtakes the one before it. */
  release(confirmed: Seq): void {
    while (this.#first < this.#ends.length && this.#seqs[this.#first]! <= confirmed) {
      this.#released = this.#ends[this.#first]!;
      this.#first += 1;
    }
    if (this.#first === this.#ends.length) {
      this.#ends.length = this.#seqs.length = this.#first = 0;
    } else if (this.#first >= 1024) {
      this.#ends = this.#ends.slice(this.#first);
      this.#seqs = this.#seqs.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Whether something waits for a confirmation. */
  get waiting(): boolean {
    return this.#first < this.#ends.length;
  }

  /** Bytes written and not taken, whether or not they may go. */
  get length(): number {
    return this.writer.length;
  }

  /** Bytes that may go and were not taken. */
  get sendable(): number {
    return this.#released - (this.writer.position - this.writer.length);
  }

  /** Takes out bytes that may go, at most `limit`. */
  take(limit: number): Uint8Array {
    return this.writer.take(this.#released, limit);
  }
}
