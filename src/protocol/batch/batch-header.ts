import { crc32 } from '../../kit/crc32.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_LIMIT_BYTES,
  BATCH_MAGIC,
  BATCH_VERSION,
  DISTANCE_BYTES,
  FLAG_FORGETFUL,
  FLAG_SPARSE,
} from './layout.ts';

const HASHED_BYTES = 36;
const CHECKED_BYTES = 44;

/** The header of one batch as numbers. One object is read into again and again. */
export class BatchHeader {
  flags = 0;
  epoch = 0;
  firstSeq = 0;
  count = 0;
  /** Bytes of records behind the header. */
  payloadBytes = 0;
  payloadCrc = 0;
  hash = 0;
  distance = 0;

  get sparse(): boolean {
    return (this.flags & FLAG_SPARSE) !== 0;
  }

  get forgetful(): boolean {
    return (this.flags & FLAG_FORGETFUL) !== 0;
  }

  /** Last seq that the batch covers. */
  get lastSeq(): number {
    return this.firstSeq + this.distance;
  }

  /** Length of the whole batch. */
  get totalBytes(): number {
    return BATCH_HEADER_BYTES + this.payloadBytes;
  }

  /** The log's end once this batch is in it. */
  get end(): LogPosition {
    return { epoch: this.epoch, seq: this.lastSeq, hash: this.hash };
  }

  /**
   * Reads and checks the header that starts at `at`; the payload need not be there yet.
   * @throws HsctlError('format') that says which field is wrong.
   */
  read(bytes: Uint8Array, at = 0): this {
    if (bytes.length - at < BATCH_HEADER_BYTES) {
      throw damaged(`a batch header has ${BATCH_HEADER_BYTES} bytes, here are ${Math.max(0, bytes.length - at)}`);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, BATCH_HEADER_BYTES);
    const magic = view.getUint32(0, true);
    if (magic !== BATCH_MAGIC) throw damaged(`no batch starts here: magic is 0x${magic.toString(16).padStart(8, '0')}`);
    const checksum = crc32(bytes.subarray(at, at + CHECKED_BYTES));
    if (view.getUint32(CHECKED_BYTES, true) !== checksum) throw damaged('the checksum of a batch header is wrong');
    const version = view.getUint8(4);
    if (version !== BATCH_VERSION) {
      throw new HsctlError(
        'format',
        `batch format version ${version}, this program knows ${BATCH_VERSION}`,
        'run the same version of hsctl on all nodes',
      );
    }
    this.flags = view.getUint8(5);
    this.epoch = view.getFloat64(8, true);
    this.firstSeq = view.getFloat64(16, true);
    this.count = view.getUint32(24, true);
    this.payloadBytes = view.getUint32(28, true);
    this.payloadCrc = view.getUint32(32, true);
    this.hash = view.getUint32(36, true);
    this.distance = view.getUint32(40, true);
    const wrong = this.#whatIsWrong(view.getUint16(6, true));
    if (wrong !== '') throw damaged(wrong);
    return this;
  }

  #whatIsWrong(reserved: number): string {
    if (this.flags !== 0 && this.flags !== FLAG_SPARSE && this.flags !== (FLAG_SPARSE | FLAG_FORGETFUL)) {
      return `unknown batch flags ${this.flags}`;
    }
    if (reserved !== 0) return `reserved field of a batch header is ${reserved}`;
    if (!Number.isSafeInteger(this.epoch) || this.epoch < 0) return `batch epoch is ${this.epoch}`;
    if (!Number.isSafeInteger(this.firstSeq) || this.firstSeq < 1) return `first seq of a batch is ${this.firstSeq}`;
    if (!Number.isSafeInteger(this.lastSeq)) return `batch covers ${this.distance} seqs from ${this.firstSeq}`;
    // It must be possible to make a sparse one of it, whose records are longer by their distance.
    if (this.payloadBytes + (this.sparse ? 0 : DISTANCE_BYTES * this.count) > BATCH_LIMIT_BYTES) {
      return `batch of ${this.payloadBytes} bytes, the limit is ${BATCH_LIMIT_BYTES}`;
    }
    if (!this.sparse && (this.count === 0 || this.distance !== this.count - 1)) {
      return `batch of ${this.count} records covers ${this.distance + 1} seqs`;
    }
    if (this.count > this.distance + 1) return `batch of ${this.count} records covers ${this.distance + 1} seqs only`;
    return '';
  }
}

/**
 * Writes the header of the batch whose payload stands in `bytes` from `BATCH_HEADER_BYTES` to its end.
 * `hash` is the rolling hash before the batch, or, for a sparse one, the hash at its end.
 */
export function writeHeader(bytes: Uint8Array, fields: HeaderFields): void {
  const payload = bytes.subarray(BATCH_HEADER_BYTES);
  const view = new DataView(bytes.buffer, bytes.byteOffset, BATCH_HEADER_BYTES);
  view.setUint32(0, BATCH_MAGIC, true);
  view.setUint8(4, BATCH_VERSION);
  view.setUint8(5, fields.flags);
  view.setUint16(6, 0, true);
  view.setFloat64(8, fields.epoch, true);
  view.setFloat64(16, fields.firstSeq, true);
  view.setUint32(24, fields.count, true);
  view.setUint32(28, payload.length, true);
  view.setUint32(32, crc32(payload), true);
  const sparse = (fields.flags & FLAG_SPARSE) !== 0;
  view.setUint32(36, sparse ? fields.hash : rollingHash(bytes, fields.hash), true);
  view.setUint32(40, fields.distance, true);
  view.setUint32(44, crc32(bytes.subarray(0, CHECKED_BYTES)), true);
}

export interface HeaderFields {
  readonly flags: number;
  readonly epoch: number;
  readonly firstSeq: number;
  readonly count: number;
  readonly distance: number;
  readonly hash: number;
}

/** Rolling hash behind the batch at the start of `bytes`, which is not sparse, if it was `before` in front of it. */
export function rollingHash(bytes: Uint8Array, before: number): number {
  return crc32(bytes.subarray(0, HASHED_BYTES), before);
}

export function damaged(what: string): HsctlError {
  return new HsctlError('format', what);
}
