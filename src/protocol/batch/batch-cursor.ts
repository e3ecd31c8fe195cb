import { BatchHeader, damaged } from './batch-header.ts';
import { BATCH_HEADER_BYTES, DISTANCE_BYTES, OP, RECORD_HEADER_BYTES, VALUE_LIMIT_BYTES } from './layout.ts';

/**
 * Walks the records of a batch without making objects: `next` moves on, the fields tell where key and value are.
 *
 * The batch must have been checked (`checkBatch`), or come from a source that was.
 */
export class BatchCursor {
  readonly header = new BatchHeader();
  bytes: Uint8Array = new Uint8Array(0);
  /** Operation of the present record, as in `OP`. */
  op = 0;
  seq = 0;
  /** Where the record, its key and its value start and end, as indices of `bytes`. Key ends where the value starts. */
  start = 0;
  keyStart = 0;
  valueStart = 0;
  end = 0;
  #left = 0;
  #sparse = false;

  /** Goes before the first record of the batch that starts at `at`. */
  open(bytes: Uint8Array, at = 0): this {
    this.header.read(bytes, at);
    this.bytes = bytes;
    this.#left = this.header.count;
    this.#sparse = this.header.sparse;
    this.seq = this.header.firstSeq - 1;
    this.end = at + BATCH_HEADER_BYTES;
    return this;
  }

  /** Goes to the next record; false if there is none. */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left -= 1;
    const bytes = this.bytes;
    const at = this.end;
    this.start = at;
    this.op = bytes[at]!;
    if (this.#sparse) {
      this.keyStart = at + RECORD_HEADER_BYTES + DISTANCE_BYTES;
      this.seq = this.header.firstSeq + readU32(bytes, at + RECORD_HEADER_BYTES);
    } else {
      this.keyStart = at + RECORD_HEADER_BYTES;
      this.seq += 1;
    }
    this.valueStart = this.keyStart + (bytes[at + 2]! | (bytes[at + 3]! << 8));
    this.end = this.valueStart + readU32(bytes, at + 4);
    return true;
  }
}

/** Unsigned little-endian number of 32 bits. */
export function readU32(bytes: Uint8Array, at: number): number {
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/**
 * Walks the records of an opened batch and checks lengths, operations and seqs: a right checksum does not exclude a
 * sender that made them wrong.
 *
 * @throws HsctlError('format') that says what is wrong.
 */
export function checkRecords(cursor: BatchCursor, endOfBatch: number): void {
  const { bytes, header } = cursor;
  const headBytes = RECORD_HEADER_BYTES + (header.sparse ? DISTANCE_BYTES : 0);
  const mark = header.sparse ? 1 : 0;
  let before = header.firstSeq - 1;
  for (let number = 1; number <= header.count; number++) {
    if (cursor.end + headBytes > endOfBatch) throw damaged(`record ${number} has no room in its batch`);
    cursor.next();
    if (cursor.end > endOfBatch) throw damaged(`record ${number} reaches beyond its batch`);
    if (cursor.op < OP.set || cursor.op > OP.inSync) throw damaged(`record ${number} has operation ${cursor.op}`);
    if (cursor.end - cursor.valueStart > VALUE_LIMIT_BYTES) throw damaged(`value of record ${number} is too large`);
    if (bytes[cursor.start + 1] !== mark) throw damaged(`record ${number} is of another kind than its batch`);
    if (cursor.seq <= before || cursor.seq > header.lastSeq) throw damaged(`seq of record ${number} is out of order`);
    before = cursor.seq;
  }
  if (cursor.end !== endOfBatch) throw damaged(`${endOfBatch - cursor.end} bytes behind the last record of a batch`);
}
