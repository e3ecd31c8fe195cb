import { BATCH_HEADER_BYTES } from './layout.ts';

/** Below this a loop is faster than a call. */
const LOOP_BYTES = 24;
/** Room that is made at once at first, and in the end; a batch that needs more gets as much as it needs. */
const FIRST_SLAB_BYTES = 128 * 1024;
const SLAB_BYTES = 4 * 1024 * 1024;
/** With less room than this a new batch starts in a new slab, so that it need not be moved there half done. */
const LEAST_ROOM_BYTES = 64 * 1024;

/**
 * Where batches are made: a slab of memory in which one stands behind the other. A finished one is never touched again,
 * so it may be written, sent and kept without copying; the slab goes when the last batch in it is dropped. Each slab is twice
 * as large as the one before, up to a limit: who writes little needs little memory.
 */
export class BatchBytes {
  #slabBytes: number;
  /** Made when it is needed. */
  #slab = new Uint8Array(0);
  #start = 0;
  #end = BATCH_HEADER_BYTES;
  /** Where the batch that was handed out last stands. */
  #lastSlab = this.#slab;
  #lastStart = 0;

  constructor(slabBytes = FIRST_SLAB_BYTES) {
    this.#slabBytes = slabBytes;
  }

  /** Bytes of records so far. */
  get payloadBytes(): number {
    return this.#end - this.#start - BATCH_HEADER_BYTES;
  }

  /** The records so far; a view that later records leave alone. */
  get payload(): Uint8Array {
    return this.#slab.subarray(this.#start + BATCH_HEADER_BYTES, this.#end);
  }

  /** Makes room for `length` more bytes and returns the slab; the bytes start at `take`'s answer. */
  reserve(length: number): Uint8Array {
    if (this.#end + length > this.#slab.length) this.#move(length);
    return this.#slab;
  }

  /** Takes `length` reserved bytes; returns where they start in the slab. */
  take(length: number): number {
    const at = this.#end;
    this.#end += length;
    return at;
  }

  /** Drops what was taken since `payloadBytes` had this value. */
  rewind(payloadBytes: number): void {
    this.#end = this.#start + BATCH_HEADER_BYTES + payloadBytes;
  }

  /** Hands out header (still empty) and records, and begins the next batch behind them. */
  detach(): Uint8Array {
    const batch = this.reserve(0).subarray(this.#start, this.#end);
    this.#lastSlab = this.#slab;
    this.#lastStart = this.#start;
    this.#start = (this.#end + 7) & ~7;
    if (this.#start + LEAST_ROOM_BYTES > this.#slab.length) {
      this.#slab = new Uint8Array(0);
      this.#start = 0;
    }
    this.#end = this.#start + BATCH_HEADER_BYTES;
    return batch;
  }

  /** Nobody needs the batch that was handed out last any more: the next one, if it has not begun, takes its place. */
  recycle(): void {
    if (this.payloadBytes > 0 || this.#lastSlab.length > this.#slabBytes) return;
    this.#slab = this.#lastSlab;
    this.#start = this.#lastStart;
    this.#end = this.#start + BATCH_HEADER_BYTES;
  }

  #move(length: number): void {
    const present = this.#end - this.#start;
    const slab = new Uint8Array(Math.max(this.#slabBytes, 2 * present + length));
    slab.set(this.#slab.subarray(this.#start, this.#end));
    this.#slab = slab;
    this.#slabBytes = Math.max(this.#slabBytes, Math.min(2 * this.#slabBytes, SLAB_BYTES));
    this.#start = 0;
    this.#end = present;
  }
}

/** Its `copy` works on any bytes and, unlike `set` with `subarray`, makes no object. */
const COPIER: Buffer = Buffer.prototype as Buffer;

/** Copies `from`[start, end) to `to` at `at` without making a view for it. */
export function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > LOOP_BYTES) {
    COPIER.copy.call(from as Buffer, to, at, start, end);
    return;
  }
  for (let source = start, target = at; source < end; source++, target++) to[target] = from[source]!;
}
