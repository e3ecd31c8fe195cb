import { RECORD_HEADER_BYTES } from '../../../protocol/batch/layout.ts';

/** Offsets of records in one file: a bit for each stretch in which no two of them can begin. */
export class OffsetSet {
  readonly #bits: Uint8Array;

  /** For offsets below `bytes`. */
  constructor(bytes: number) {
    this.#bits = new Uint8Array(Math.ceil(bytes / (8 * RECORD_HEADER_BYTES)));
  }

  add(offset: number): void {
    const place = Math.floor(offset / RECORD_HEADER_BYTES);
    this.#bits[place >>> 3]! |= 1 << (place & 7);
  }

  /** Whether the record that begins there was added. */
  has(offset: number): boolean {
    const place = Math.floor(offset / RECORD_HEADER_BYTES);
    return (this.#bits[place >>> 3]! & (1 << (place & 7))) !== 0;
  }
}
