import { readU32 } from '../../protocol/batch/batch-cursor.ts';
import { DISTANCE_BYTES, RECORD_HEADER_BYTES } from '../../protocol/batch/layout.ts';
import { BLOCK_BYTES } from './block-sums.ts';
import { type Damage, damagedFile, diskFailure } from './disk-failure.ts';
import type { Segment } from './segment.ts';

const SCRATCH_BYTES = 16 * 1024;
/** Enough for most keys with what stands before them. */
const HEAD_BYTES = RECORD_HEADER_BYTES + DISTANCE_BYTES + 256;

/** Reads single records out of segments, each block checked before anything in it is believed. */
export class RecordReader {
  readonly #scratch = new Uint8Array(SCRATCH_BYTES);
  #bytes: Uint8Array = this.#scratch;
  /** Index of the record's first byte, and end of what was read. */
  #at = 0;
  #end = 0;
  #keyStart = 0;
  #valueStart = 0;
  #valueEnd = 0;

  /** The record's value, copied once, or null if the record is of another key. `recordBytes`: at least its length. */
  value(segment: Segment, offset: number, recordBytes: number, key: Uint8Array): Uint8Array | null {
    this.#load(segment, offset, recordBytes);
    this.#parse(segment, offset);
    if (!this.#isOf(key)) return null;
    if (this.#valueEnd > this.#end) throw disagreeing(segment, offset);
    const value = this.#bytes.subarray(this.#valueStart, this.#valueEnd);
    return this.#bytes === this.#scratch ? value.slice() : value;
  }

  /** Length of the record's value, or -1 if the record is of another key. */
  valueLength(segment: Segment, offset: number, key: Uint8Array): number {
    this.#loadHead(segment, offset);
    return this.#isOf(key) ? this.#valueEnd - this.#valueStart : -1;
  }

  /** A copy of the record's key. */
  key(segment: Segment, offset: number): Uint8Array {
    this.#loadHead(segment, offset);
    return this.#bytes.slice(this.#keyStart, this.#valueStart);
  }

  #loadHead(segment: Segment, offset: number): void {
    this.#load(segment, offset, HEAD_BYTES);
    const keyBytes = this.#bytes[this.#at + 2]! | (this.#bytes[this.#at + 3]! << 8);
    const headBytes = RECORD_HEADER_BYTES + DISTANCE_BYTES + keyBytes;
    if (this.#at + headBytes > this.#end) this.#load(segment, offset, headBytes);
    this.#parse(segment, offset);
  }

  #parse(segment: Segment, offset: number): void {
    const bytes = this.#bytes;
    const at = this.#at;
    this.#keyStart = at + RECORD_HEADER_BYTES + (bytes[at + 1] === 1 ? DISTANCE_BYTES : 0);
    this.#valueStart = this.#keyStart + (bytes[at + 2]! | (bytes[at + 3]! << 8));
    this.#valueEnd = this.#valueStart + readU32(bytes, at + 4);
    if (this.#valueStart > this.#end) throw disagreeing(segment, offset);
  }

  #isOf(key: Uint8Array): boolean {
    const length = this.#valueStart - this.#keyStart;
    if (length !== key.length) return false;
    for (let at = 0; at < length; at++) {
      if (this.#bytes[this.#keyStart + at] !== key[at]) return false;
    }
    return true;
  }

  /** Reads and checks the blocks that hold [offset, offset + length), as far as the file goes. */
  #load(segment: Segment, offset: number, length: number): void {
    const from = offset - (offset % BLOCK_BYTES);
    const to = Math.min(Math.ceil((offset + length) / BLOCK_BYTES) * BLOCK_BYTES, segment.bytes);
    const bytes = to - from > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(to - from) : this.#scratch;
    try {
      const got = segment.file.read(bytes, 0, to - from, from);
      if (got < to - from)
        throw damagedFile(segment.file.path, from + got, `the file ends here instead of at byte ${to}`);
    } catch (error) {
      throw diskFailure('read', segment.file.path, from, error);
    }
    segment.checkBlocks(bytes.subarray(0, to - from), from);
    this.#bytes = bytes;
    this.#at = offset - from;
    this.#end = to - from;
  }
}

function disagreeing(segment: Segment, offset: number): Damage {
  return damagedFile(segment.file.path, offset, 'the record there is not the one that the index knows');
}
