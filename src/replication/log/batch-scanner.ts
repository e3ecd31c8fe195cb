import { HsctlError } from '../../kit/errors.ts';
import { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import { checkBatch } from '../../protocol/batch/check-batch.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/batch/layout.ts';
import type { DiskFile } from './disk.ts';
import { diskFailure } from './disk-failure.ts';

const CHUNK_BYTES = 1024 * 1024;

/** `torn`: the file ends within the batch. `damaged`: the batch is not what was written; `problem` says why. */
export type ScanStep = 'batch' | 'end' | 'torn' | 'damaged';

/** Reads a file of batches from front to back, checking each. */
export class BatchScanner {
  readonly cursor = new BatchCursor();
  /** Where the present batch begins in the file. */
  offset: number;
  problem = '';
  readonly #file: DiskFile;
  readonly #to: number;
  #chunk: Uint8Array;
  /** The part of the file that the chunk holds. */
  #from: number;
  #filled = 0;
  #next: number;

  /** Reads the bytes from `from` (a batch's start) to `to`. */
  constructor(file: DiskFile, from: number, to: number) {
    this.#file = file;
    this.#from = from;
    this.#to = to;
    this.#next = from;
    this.offset = from;
    this.#chunk = new Uint8Array(Math.min(CHUNK_BYTES, to - from));
  }

  /** Bytes of the present batch, until the next step. */
  get bytes(): Uint8Array {
    const at = this.offset - this.#from;
    return this.#chunk.subarray(at, at + this.cursor.header.totalBytes);
  }

  /** Where the cursor's present record begins in the file. */
  get recordOffset(): number {
    return this.#from + this.cursor.start;
  }

  /** Goes to the next batch; with `batch` the cursor is before its first record. */
  next(): ScanStep {
    this.offset = this.#next;
    const left = this.#to - this.offset;
    if (left === 0) return 'end';
    if (left < BATCH_HEADER_BYTES) return this.#torn(left);
    try {
      this.#have(BATCH_HEADER_BYTES);
      const { header } = this.cursor.open(this.#chunk, this.offset - this.#from);
      if (header.totalBytes > left) return this.#torn(left);
      this.#have(header.totalBytes);
      checkBatch(this.#chunk, this.offset - this.#from, this.cursor);
      this.#next = this.offset + header.totalBytes;
      return 'batch';
    } catch (error) {
      if (!(error instanceof HsctlError) || error.code !== 'format') throw error;
      this.problem = error.message;
      return 'damaged';
    }
  }

  #torn(left: number): 'torn' {
    this.problem = `the file ends ${left} bytes into a batch`;
    return 'torn';
  }

  /** Sees to it that the chunk holds `length` bytes from the present batch's start on. */
  #have(length: number): void {
    const at = this.offset - this.#from;
    if (at + length <= this.#filled) return;
    if (length > this.#chunk.length) {
      const larger = new Uint8Array(length);
      larger.set(this.#chunk.subarray(at, this.#filled));
      this.#chunk = larger;
    } else {
      this.#chunk.copyWithin(0, at, this.#filled);
    }
    this.#filled -= at;
    this.#from = this.offset;
    const wanted = Math.min(this.#chunk.length, this.#to - this.#from) - this.#filled;
    try {
      const got = this.#file.read(this.#chunk, this.#filled, wanted, this.#from + this.#filled);
      this.#filled += got;
    } catch (error) {
      throw diskFailure('read', this.#file.path, this.#from + this.#filled, error);
    }
    if (this.#filled < length) throw new HsctlError('format', 'the file is shorter than it was');
  }
}
