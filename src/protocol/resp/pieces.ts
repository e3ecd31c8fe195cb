import { EMPTY } from './bytes.ts';

/** Smaller pieces are gathered, so that each costs its bytes and not an object. */
const LEAST_BYTES = 8 * 1024;
const GATHER_BYTES = 64 * 1024;
const FIRST_GATHER_BYTES = 512;

/**
 * Bytes of one large value as they came in, until they are copied to where they belong. They take the memory of what
 * has come, whatever was announced.
 */
export class Pieces {
  length = 0;
  readonly #list: Uint8Array[] = [];
  /** The last small pieces, one behind the other. */
  #gathered: Uint8Array = EMPTY;
  #gatheredEnd = 0;

  /** Adds bytes at the end; they are kept as they are unless they are few, and must not change any more. */
  add(bytes: Uint8Array): void {
    this.length += bytes.length;
    if (bytes.length >= LEAST_BYTES) {
      this.#endGathering();
      this.#list.push(bytes);
      return;
    }
    if (this.#gatheredEnd + bytes.length > this.#gathered.length) {
      this.#endGathering();
      const room = Math.min(Math.max(this.length, FIRST_GATHER_BYTES), GATHER_BYTES);
      this.#gathered = new Uint8Array(Math.max(room, bytes.length));
    }
    this.#gathered.set(bytes, this.#gatheredEnd);
    this.#gatheredEnd += bytes.length;
  }

  /** Copies everything to `target`, which is as long. */
  copyTo(target: Uint8Array): void {
    let at = 0;
    for (const piece of this.#list) {
      target.set(piece, at);
      at += piece.length;
    }
    target.set(this.#gathered.subarray(0, this.#gatheredEnd), at);
  }

  /** A copy of all bytes, or of the first `limit`. */
  toBytes(limit = Infinity): Uint8Array {
    const bytes = new Uint8Array(Math.min(this.length, limit));
    let at = 0;
    for (const piece of [...this.#list, this.#gathered.subarray(0, this.#gatheredEnd)]) {
      const part = piece.subarray(0, bytes.length - at);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #endGathering(): void {
    if (this.#gatheredEnd > 0) this.#list.push(this.#gathered.subarray(0, this.#gatheredEnd));
    this.#gathered = EMPTY;
    this.#gatheredEnd = 0;
  }
}
