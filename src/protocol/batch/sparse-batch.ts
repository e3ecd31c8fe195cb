import { BatchBytes, copyBytes } from './batch-bytes.ts';
import type { BatchCursor } from './batch-cursor.ts';
import { writeHeader } from './batch-header.ts';
import { DISTANCE_BYTES, FLAG_FORGETFUL, FLAG_SPARSE, RECORD_HEADER_BYTES } from './layout.ts';

const DISTANCE_LIMIT = 0xffff_ffff;

/** Makes sparse batches out of the records of other ones, in rising order. */
export class SparseBatchBuilder {
  count = 0;
  readonly #bytes: BatchBytes;
  #firstSeq: number;

  /** `firstSeq`: where the coverage of the first batch begins. `roomBytes`: about how long it will be, if that is known. */
  constructor(firstSeq: number, roomBytes?: number) {
    this.#firstSeq = firstSeq;
    this.#bytes = new BatchBytes(roomBytes);
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get payloadBytes(): number {
    return this.#bytes.payloadBytes;
  }

  /** Whether a batch that begins where the present one does can reach to `seq`. */
  reaches(seq: number): boolean {
    return seq - this.#firstSeq <= DISTANCE_LIMIT;
  }

  /** Copies the record at which the cursor stands. Returns where it will stand in the batch that `finish` hands out. */
  add(cursor: BatchCursor): number {
    const { bytes, start, keyStart, end } = cursor;
    const length = RECORD_HEADER_BYTES + DISTANCE_BYTES + end - keyStart;
    const slab = this.#bytes.reserve(length);
    const place = this.#bytes.payloadBytes;
    const at = this.#bytes.take(length);
    copyBytes(bytes, start, start + RECORD_HEADER_BYTES, slab, at);
    slab[at + 1] = 1;
    const distance = cursor.seq - this.#firstSeq;
    slab[at + 8] = distance;
    slab[at + 9] = distance >>> 8;
    slab[at + 10] = distance >>> 16;
    slab[at + 11] = distance >>> 24;
    copyBytes(bytes, keyStart, end, slab, at + RECORD_HEADER_BYTES + DISTANCE_BYTES);
    this.count += 1;
    return place;
  }

  /** The batch, which covers everything to `lastSeq`, where the log's rolling hash is `hash`. The next one begins there. */
  finish(epoch: number, lastSeq: number, hash: number, forgetful: boolean): Uint8Array {
    const batch = this.#bytes.detach();
    const firstSeq = this.#firstSeq;
    writeHeader(batch, {
      flags: forgetful ? FLAG_SPARSE | FLAG_FORGETFUL : FLAG_SPARSE,
      epoch,
      firstSeq,
      count: this.count,
      distance: lastSeq - firstSeq,
      hash,
    });
    this.count = 0;
    this.#firstSeq = lastSeq + 1;
    return batch;
  }
}

/** The part of a batch, at which the cursor was opened, that is behind `seq`: a sparse batch that begins there. */
export function trimmedBatch(cursor: BatchCursor, seq: number): Uint8Array {
  const { header } = cursor;
  const builder = new SparseBatchBuilder(seq + 1, header.totalBytes + header.count * DISTANCE_BYTES);
  while (cursor.next()) {
    if (cursor.seq > seq) builder.add(cursor);
  }
  return builder.finish(header.epoch, header.lastSeq, header.hash, header.forgetful);
}
