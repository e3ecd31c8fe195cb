import { HsctlError } from '../../kit/errors.ts';
import { BatchBytes, copyBytes } from './batch-bytes.ts';
import { writeHeader } from './batch-header.ts';
import {
  BATCH_LIMIT_BYTES,
  BATCH_SOFT_LIMIT_BYTES,
  DISTANCE_BYTES,
  KEY_LIMIT_BYTES,
  OP,
  RECORD_HEADER_BYTES,
  VALUE_LIMIT_BYTES,
} from './layout.ts';

const NOTHING = new Uint8Array(0);

/**
 * Makes batches: records are copied into it as they arrive, `finish` hands out the bytes. Nothing is made per record.
 */
export class BatchBuilder {
  /** Records so far. */
  count = 0;
  readonly #bytes = new BatchBytes();
  #atomic = false;
  #countBefore = 0;
  #payloadBefore = 0;

  /** Bytes of records so far. */
  get payloadBytes(): number {
    return this.#bytes.payloadBytes;
  }

  /** The records so far, one behind the other; a view that later records leave alone. */
  get payload(): Uint8Array {
    return this.#bytes.payload;
  }

  /** Whether the batch ought to be finished before the next record: it is large, and no transaction is open. */
  get full(): boolean {
    return !this.#atomic && this.#bytes.payloadBytes >= BATCH_SOFT_LIMIT_BYTES;
  }

  /** Whether a transaction is open; then the batch must not be finished. */
  get atomic(): boolean {
    return this.#atomic;
  }

  /**
   * Adds a record that sets a key; `bytes` is copied from.
   * @throws HsctlError('refused') if key, value or transaction are too large; nothing was added.
   */
  set(bytes: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    this.#add(OP.set, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd);
  }

  /**
   * Adds a record that sets a key, and returns the place of its value: to be filled before anything else is asked of the
   * builder. Fails as `set`.
   */
  setLater(bytes: Uint8Array, keyStart: number, keyEnd: number, valueBytes: number): Uint8Array {
    const valueAt = this.#addHead(OP.set, bytes, keyStart, keyEnd, valueBytes);
    return this.#bytes.reserve(0).subarray(valueAt, valueAt + valueBytes);
  }

  /** Adds a record that deletes a key; fails as `set`. */
  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): void {
    this.#add(OP.delete, bytes, keyStart, keyEnd, NOTHING, 0, 0);
  }

  /** Adds the first record of a reign. */
  reign(master: string): void {
    const name = new TextEncoder().encode(master);
    this.#add(OP.reign, name, 0, name.length, NOTHING, 0, 0);
  }

  /** Adds the record that tells with whom the master confirms from here; a single name: alone. */
  inSync(nodes: readonly string[]): void {
    const names = new TextEncoder().encode(nodes.join(','));
    this.#add(OP.inSync, NOTHING, 0, 0, names, 0, names.length);
  }

  /** What is added until `endAtomic` goes into one batch. `bytes`: about how long its records will be in all. */
  beginAtomic(bytes = 0): void {
    this.#atomic = true;
    this.#bytes.reserve(Math.min(bytes, BATCH_LIMIT_BYTES));
    this.#countBefore = this.count;
    this.#payloadBefore = this.#bytes.payloadBytes;
  }

  endAtomic(): void {
    this.#atomic = false;
  }

  /** Drops what was added since `beginAtomic`, and ends it. */
  abortAtomic(): void {
    this.count = this.#countBefore;
    this.#bytes.rewind(this.#payloadBefore);
    this.#atomic = false;
  }

  /**
   * The batch, complete; `previousHash` is the rolling hash of the log before it. Its bytes never change from now on,
   * unless `recycle` allows it; the builder begins the next one. There must be at least one record, and no transaction
   * open.
   */
  finish(epoch: number, firstSeq: number, previousHash: number): Uint8Array {
    if (this.#atomic || this.count === 0) throw new Error('a batch without records, or in the middle of a transaction');
    const batch = this.#bytes.detach();
    const { count } = this;
    writeHeader(batch, { flags: 0, epoch, firstSeq, count, distance: count - 1, hash: previousHash });
    this.count = 0;
    return batch;
  }

  /** Nobody needs the bytes of the last batch any more: what comes next may stand in their place. */
  recycle(): void {
    this.#bytes.recycle();
  }

  #add(
    op: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const valueAt = this.#addHead(op, keyBytes, keyStart, keyEnd, valueEnd - valueStart);
    copyBytes(valueBytes, valueStart, valueEnd, this.#bytes.reserve(0), valueAt);
  }

  /** Adds all of a record but its value; returns where that has to be put in the slab. */
  #addHead(op: number, keyBytes: Uint8Array, keyStart: number, keyEnd: number, valueLength: number): number {
    const keyLength = keyEnd - keyStart;
    const length = RECORD_HEADER_BYTES + keyLength + valueLength;
    checkSizes(keyLength, valueLength, this.#bytes.payloadBytes + length + DISTANCE_BYTES * (this.count + 1));
    const slab = this.#bytes.reserve(length);
    const at = this.#bytes.take(length);
    slab[at] = op;
    slab[at + 1] = 0;
    slab[at + 2] = keyLength;
    slab[at + 3] = keyLength >>> 8;
    slab[at + 4] = valueLength;
    slab[at + 5] = valueLength >>> 8;
    slab[at + 6] = valueLength >>> 16;
    slab[at + 7] = valueLength >>> 24;
    copyBytes(keyBytes, keyStart, keyEnd, slab, at + RECORD_HEADER_BYTES);
    this.count += 1;
    return at + RECORD_HEADER_BYTES + keyLength;
  }
}

function checkSizes(keyBytes: number, valueBytes: number, batchBytes: number): void {
  if (keyBytes > KEY_LIMIT_BYTES) {
    throw new HsctlError('refused', `key of ${keyBytes} bytes, the limit is ${KEY_LIMIT_BYTES}`, 'use a shorter key');
  }
  if (valueBytes > VALUE_LIMIT_BYTES) {
    const hint = 'split the value over several keys';
    throw new HsctlError('refused', `value of ${valueBytes} bytes, the limit is ${VALUE_LIMIT_BYTES}`, hint);
  }
  if (batchBytes > BATCH_LIMIT_BYTES) {
    const hint = 'split the transaction';
    throw new HsctlError('refused', `transaction of more than ${BATCH_LIMIT_BYTES} bytes`, hint);
  }
}
