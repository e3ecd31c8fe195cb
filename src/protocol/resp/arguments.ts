import { EMPTY, integerIn, latin1, upper } from './bytes.ts';

const FEW = 16;

/**
 * The arguments of one command: places in a byte array, so that reading a command makes no objects. Argument 0 is the
 * command's name. The one that a parser fills is good until the parser is asked for the next command or given bytes.
 */
export class Arguments {
  bytes: Uint8Array = EMPTY;
  /** Start and end of each argument in `bytes`, in turn. */
  offsets = new Int32Array(2 * FEW);
  count = 0;

  start(index: number): number {
    return this.offsets[2 * index]!;
  }

  end(index: number): number {
    return this.offsets[2 * index + 1]!;
  }

  length(index: number): number {
    return this.offsets[2 * index + 1]! - this.offsets[2 * index]!;
  }

  /** A view of an argument's bytes. */
  view(index: number): Uint8Array {
    return this.bytes.subarray(this.start(index), this.end(index));
  }

  /** An argument as text, one character a byte. */
  text(index: number): string {
    return latin1(this.bytes, this.start(index), this.end(index));
  }

  /** An argument as a whole number, or null if it is none. */
  integer(index: number): number | null {
    return integerIn(this.bytes, this.start(index), this.end(index));
  }

  /** Whether an argument is `word` (in capitals), whatever its case. */
  is(index: number, word: string): boolean {
    const start = this.start(index);
    if (this.end(index) - start !== word.length) return false;
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

  /** Forgets all arguments, and the room that a long command took. */
  clear(): void {
    this.count = 0;
    if (this.offsets.length > 64 * FEW) this.offsets = new Int32Array(2 * FEW);
  }

  /** Moves all places, after the bytes were moved. */
  shift(distance: number): void {
    for (let at = 0; at < 2 * this.count; at++) this.offsets[at]! += distance;
  }

  /** A copy with bytes of its own, which stays good. */
  copy(): Arguments {
    const copy = new Arguments();
    let total = 0;
    for (let index = 0; index < this.count; index++) total += this.length(index);
    copy.bytes = new Uint8Array(total);
    let at = 0;
    for (let index = 0; index < this.count; index++) {
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
