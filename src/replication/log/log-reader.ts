import { HsctlError } from '../../kit/errors.ts';
import { LOG_START, type LogPosition } from '../../model/position.ts';
import { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import { BatchHeader } from '../../protocol/batch/batch-header.ts';
import { checkPayload } from '../../protocol/batch/check-batch.ts';
import { BATCH_HEADER_BYTES } from '../../protocol/batch/layout.ts';
import { trimmedBatch } from '../../protocol/batch/sparse-batch.ts';
import { damagedFile, diskFailure } from './disk-failure.ts';
import type { Segment } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';

/** How far a walk from a checkpoint may have to go, mostly. */
const WALK_BYTES = 128 * 1024;
/** Places where recent reads ended that are remembered, one for each reader that goes on. */
const REMEMBERED = 32;

export interface ReadResult {
  readonly bytes: Uint8Array | null;
  readonly lastSeq: number;
}

interface Place {
  readonly segment: Segment;
  readonly offset: number;
}

/** Reads batches in order. */
export class LogReader {
  readonly #segments: SegmentSet;
  readonly #header = new BatchHeader();
  readonly #places = new Map<number, Place>();
  /** Counts what makes a read that is under way worthless. */
  #cuts = 0;

  constructor(segments: SegmentSet) {
    this.#segments = segments;
  }

  /** To be called when records were taken off the log's end. */
  noteCut(): void {
    this.#cuts += 1;
    this.#places.clear();
  }

  /** Tells, whenever it is asked, whether nothing was taken off the log's end since this call. */
  watchCuts(): () => boolean {
    const cuts = this.#cuts;
    return () => this.#cuts === cuts;
  }

  /** See `Log.positionAt`. */
  positionAt(seq: number): LogPosition | null {
    const { end } = this.#segments;
    if (seq === end.seq) return end;
    if (seq === 0) return LOG_START;
    const segment = this.#segments.covering(seq);
    if (segment === undefined || seq < 0) return null;
    if (seq === segment.end.seq) return segment.end;
    this.offsetBehind(segment, seq);
    return this.#header.lastSeq === seq ? this.#header.end : null;
  }

  /** Where the batch that covers `seq`, which is in the segment, ends in its file. */
  offsetBehind(segment: Segment, seq: number): number {
    if (seq < segment.firstSeq) return 0;
    const bytes = new Uint8Array(BATCH_HEADER_BYTES);
    let at = segment.checkpoints.before(seq);
    for (;;) {
      read(segment, bytes, at);
      const header = this.#parse(segment, bytes, 0, at);
      at += header.totalBytes;
      if (header.lastSeq >= seq) return at;
    }
  }

  /** See `Log.readAfter`. */
  async readAfter(from: number, maxBytes: number, room?: Uint8Array): Promise<ReadResult> {
    for (;;) {
      const segment = this.#segments.covering(from + 1);
      if (segment === undefined) return { bytes: null, lastSeq: from };
      const cuts = this.#cuts;
      segment.hold();
      try {
        const result = await this.#readFrom(segment, from, maxBytes, room);
        if (this.#cuts === cuts) return result;
      } catch (error) {
        if (this.#cuts === cuts) throw error;
      } finally {
        segment.release();
      }
    }
  }

  /** See `Log.bytesAfter`. */
  bytesAfter(from: number): number {
    let bytes = 0;
    for (const segment of this.#segments.list) {
      if (segment.end.seq <= from) continue;
      bytes += segment.bytes - (segment.firstSeq > from ? 0 : segment.checkpoints.before(from + 1));
    }
    return bytes;
  }

  async #readFrom(segment: Segment, from: number, maxBytes: number, room?: Uint8Array): Promise<ReadResult> {
    const known = this.#places.get(from);
    const exact = known?.segment === segment;
    let position = exact ? known.offset : segment.checkpoints.before(from + 1);
    let wanted = Math.max(maxBytes, BATCH_HEADER_BYTES) + (exact ? 0 : WALK_BYTES);
    const fileEnd = segment.bytes;
    for (;;) {
      const length = Math.min(wanted, fileEnd - position);
      const fits = room !== undefined && length <= room.length;
      const bytes = fits ? room.subarray(0, length) : Buffer.allocUnsafeSlow(length);
      await readLater(segment, bytes, position);
      const at = this.#skip(segment, bytes, position, from);
      const left = bytes.length - at;
      if (left >= BATCH_HEADER_BYTES && left >= this.#header.totalBytes) {
        return this.#collect(segment, bytes, at, position, from, maxBytes);
      }
      position += at;
      if (position >= fileEnd)
        throw damagedFile(segment.file.path, position, `the batch with seq ${from + 1} is not there`);
      wanted = Math.max(maxBytes, left >= BATCH_HEADER_BYTES ? this.#header.totalBytes : BATCH_HEADER_BYTES);
    }
  }

  /** Index of the first batch that reaches beyond `from`, whose header is then the present one, if it is in `bytes`. */
  #skip(segment: Segment, bytes: Uint8Array, position: number, from: number): number {
    let at = 0;
    while (at + BATCH_HEADER_BYTES <= bytes.length) {
      const header = this.#parse(segment, bytes, at, position + at);
      if (header.lastSeq > from) break;
      at += header.totalBytes;
    }
    return at;
  }

  /** As many whole batches from `at` on as fit, but one at least. */
  #collect(
    segment: Segment,
    bytes: Uint8Array,
    at: number,
    position: number,
    from: number,
    maxBytes: number,
  ): ReadResult {
    let end = at;
    let lastSeq = from;
    while (end + BATCH_HEADER_BYTES <= bytes.length) {
      const header = this.#parse(segment, bytes, end, position + end);
      const next = end + header.totalBytes;
      if (next > bytes.length || (end > at && next - at > maxBytes)) break;
      this.#checkPayload(segment, bytes, end, position + end);
      if (header.firstSeq <= from) return { bytes: trimmed(bytes, at, from), lastSeq: header.lastSeq };
      lastSeq = header.lastSeq;
      end = next;
    }
    this.#remember(from, lastSeq, { segment, offset: position + end });
    return { bytes: bytes.subarray(at, end), lastSeq };
  }

  #remember(from: number, lastSeq: number, place: Place): void {
    this.#places.delete(from);
    if (this.#places.size >= REMEMBERED) {
      const [oldest] = this.#places.keys();
      this.#places.delete(oldest!);
    }
    this.#places.set(lastSeq, place);
  }

  #parse(segment: Segment, bytes: Uint8Array, at: number, position: number): BatchHeader {
    try {
      return this.#header.read(bytes, at);
    } catch (error) {
      throw damagedAt(segment, position, error);
    }
  }

  #checkPayload(segment: Segment, bytes: Uint8Array, at: number, position: number): void {
    try {
      checkPayload(this.#header, bytes, at);
    } catch (error) {
      throw damagedAt(segment, position, error);
    }
  }
}

function trimmed(bytes: Uint8Array, at: number, from: number): Uint8Array {
  return trimmedBatch(new BatchCursor().open(bytes, at), from);
}

function damagedAt(segment: Segment, position: number, error: unknown): unknown {
  return error instanceof HsctlError ? damagedFile(segment.file.path, position, error.message) : error;
}

function read(segment: Segment, bytes: Uint8Array, position: number): void {
  try {
    const got = segment.file.read(bytes, 0, bytes.length, position);
    if (got < bytes.length) throw damagedFile(segment.file.path, position + got, 'the file ends here');
  } catch (error) {
    throw diskFailure('read', segment.file.path, position, error);
  }
}

async function readLater(segment: Segment, bytes: Uint8Array, position: number): Promise<void> {
  try {
    const got = await segment.file.readLater(bytes, 0, bytes.length, position);
    if (got < bytes.length) throw damagedFile(segment.file.path, position + got, 'the file ends here');
  } catch (error) {
    throw diskFailure('read', segment.file.path, position, error);
  }
}
