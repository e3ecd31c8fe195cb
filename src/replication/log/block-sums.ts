import { crc32 } from '../../kit/crc32.ts';

/**
 * Checksums of a segment's blocks, so that the value of one key can be read and checked without its whole batch.
 * The last block is checked as far as it is written.
 */
export const BLOCK_BYTES = 4096;

export class BlockSums {
  #sums: Uint32Array;
  #bytes: number;
  /** Checksum of the block that is not full. */
  #tail: number;

  /** `sums`: of all blocks of a file of `bytes`, the last one as far as it goes. */
  constructor(sums: Uint32Array = new Uint32Array(64), bytes = 0) {
    this.#sums = sums;
    this.#bytes = bytes;
    this.#tail = bytes % BLOCK_BYTES === 0 ? 0 : sums[Math.floor(bytes / BLOCK_BYTES)]!;
  }

  /** Takes in what was appended to the file. */
  extend(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      const room = BLOCK_BYTES - (this.#bytes % BLOCK_BYTES);
      const part = Math.min(room, bytes.length - at);
      this.#tail = crc32(bytes.subarray(at, at + part), this.#tail);
      at += part;
      if (part === room) {
        this.#push(this.#tail);
        this.#tail = 0;
      }
      this.#bytes += part;
    }
  }

  /** Whether `bytes` are what was written as this block; they must reach to its end, or to the end of the file. */
  matches(block: number, bytes: Uint8Array): boolean {
    const full = block < Math.floor(this.#bytes / BLOCK_BYTES);
    const length = full ? BLOCK_BYTES : this.#bytes - block * BLOCK_BYTES;
    return bytes.length === length && crc32(bytes) === (full ? this.#sums[block] : this.#tail);
  }

  /** All sums, the last one for the block that is not full. */
  toArray(): Uint32Array {
    const full = Math.floor(this.#bytes / BLOCK_BYTES);
    const sums = this.#sums.slice(0, Math.ceil(this.#bytes / BLOCK_BYTES));
    if (sums.length > full) sums[full] = this.#tail;
    return sums;
  }

  #push(sum: number): void {
    const block = Math.floor(this.#bytes / BLOCK_BYTES);
    // One place more than full blocks, so that `toArray` has room for the last.
    if (block + 1 >= this.#sums.length) {
      const larger = new Uint32Array(2 * block + 64);
      larger.set(this.#sums);
      this.#sums = larger;
    }
    this.#sums[block] = sum;
  }
}
