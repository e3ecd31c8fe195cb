import { EMPTY, integerIn, latin1, upper } from './bytes.ts';
import type { Pieces } from './pieces.ts';

const FEW = 16;

/**
 * The arguments of one command: places in a byte array, so that reading a command makes no objects. Argument 0 is the
 * command's name. The one that a parser fills is good until the parser is asked for the next command or given bytes.
 * A large argument may stand outside the array, in pieces: then `start` and `end` are no places, but tell its length.
 */
export class Arguments {
  bytes: Uint8Array = EMPTY;
  /** Start and end of each argument in `bytes`, in turn. */
  offsets = new Int32Array(2 * FEW);
  count = 0;
  /** Arguments in pieces, by their index; null if there are none. */
  #large: Map<number, Pieces> | null = null;

  start(index: number): number {
    return this.offsets[2 * index]!;
  }

  end(index: number): number {
    return this.offsets[2 * index + 1]!;
  }

  length(index: number): number {
    return this.offsets[2 * index + 1]! - this.offsets[2 * index]!;
  }

  /** The pieces of an argument that does not stand in `bytes`; null if it does. */
  pieces(index: number): Pieces | null {
    return this.#large?.get(index) ?? null;
  }

  /** Whether some argument does not stand in `bytes`. */
  get hasPieces(): boolean {
    return this.#large !== null;
  }

  /** Bytes of all arguments. */
  get totalBytes(): number {
    let total = 0;
    for (let index = 0; index < this.count; index++) total += this.length(index);
    return total;
  }

  /** An argument's bytes: a view, or a copy of one that is in pieces. */
  view(index: number): Uint8Array {
    const pieces = this.pieces(index);
    return pieces === null ? this.bytes.subarray(this.start(index), this.end(index)) : pieces.toBytes();
  }

  /** An argument as text, one character a byte, and no more than `limit`. */
  text(index: number, limit = Infinity): string {
    const pieces = this.pieces(index);
    if (pieces !== null) return latin1(pieces.toBytes(limit));
    return latin1(this.bytes, this.start(index), Math.min(this.end(index), this.start(index) + limit));
  }

  /** An argument as a whole number, or null if it is none. */
  integer(index: number): number | null {
    return this.pieces(index) === null ? integerIn(this.bytes, this.start(index), this.end(index)) : null;
  }

  /** Whether an argument is `word` (in capitals, and short), whatever its case. */
  is(index: number, word: string): boolean {
    const start = this.start(index);
    if (this.end(index) - start !== word.length || this.pieces(index) !== null) return false;
    for (let at = 0; at < word.length; at++) {
      if (upper(this.bytes[start + at]!) !== word.charCodeAt(at)) return false;
    }
    return true;
  }

  /** Adds an argument at the end. */
  add(start: number, end: number): void {
    if (2 * this.count === this.offsets.length) this.#grow();
    this.offsets[2 * this.count] = start;
    this.offsets[2 * this.count + 1] = end;
    this.count += 1;
  }

  /** Adds an argument that does not stand in `bytes`. */
  addPieces(pieces: Pieces): void {
    this.#large ??= new Map();
    this.#large.set(this.count, pieces);
    this.add(0, pieces.length);
  }

  /** Forgets all arguments, and the room that a long command took. */
  clear(): void {
    this.count = 0;
    this.#large = null;
    if (this.offsets.length > 64 * FEW) this.offsets = new Int32Array(2 * FEW);
  }

  /** Moves all places, after the bytes were moved. */
  shift(distance: number): void {
    for (let at = 0; at < 2 * this.count; at++) this.offsets[at]! += distance;
  }

  /** A copy with bytes of its own, which stays good; pieces are good anyway. */
  copy(): Arguments {
    const copy = new Arguments();
    let inPieces = 0;
    for (const { length } of this.#large?.values() ?? []) inPieces += length;
    copy.bytes = new Uint8Array(this.totalBytes - inPieces);
    let at = 0;
    for (let index = 0; index < this.count; index++) {
      const pieces = this.pieces(index);
      if (pieces !== null) {
        copy.addPieces(pieces);
        continue;
      }
      copy.bytes.set(this.view(index), at);
      copy.add(at, at + this.length(index));
      at += this.length(index);
    }
    return copy;
  }

  #grow(): void {
    const offsets = new Int32Array(2 * this.offsets.length);
    offsets.set(this.offsets);
    this.offsets = offsets;
  }
}
