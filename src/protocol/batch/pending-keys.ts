import { readU32 } from './batch-cursor.ts';
import type { BatchBuilder } from './batch-builder.ts';
import { OP, RECORD_HEADER_BYTES } from './layout.ts';

/**
 * Finds keys among the records of a batch that is still being built, so that a read sees the writes of its own turn.
 * It indexes what was added since it last looked: turns without reads cost nothing.
 */
export class PendingKeys {
  readonly #builder: BatchBuilder;
  /** Where the last record of each key starts in the builder's payload. */
  readonly #places = new Map<string, number>();
  #indexedBytes = 0;

  constructor(builder: BatchBuilder) {
    this.#builder = builder;
  }

  /** To be called when the builder began another batch or dropped records. */
  clear(): void {
    if (this.#indexedBytes === 0) return;
    this.#places.clear();
    this.#indexedBytes = 0;
  }

  /** The value that the pending records give to `key` (a view), null if they delete it, undefined if they leave it. */
  find(key: Uint8Array): Uint8Array | null | undefined {
    if (this.#builder.count === 0) return undefined;
    const payload = this.#builder.payload;
    this.#index(payload);
    const at = this.#places.get(nameOf(key, 0, key.length));
    if (at === undefined) return undefined;
    if (payload[at] === OP.delete) return null;
    const valueAt = at + RECORD_HEADER_BYTES + key.length;
    return payload.subarray(valueAt, valueAt + readU32(payload, at + 4));
  }

  #index(payload: Uint8Array): void {
    let at = this.#indexedBytes;
    while (at < payload.length) {
      const keyAt = at + RECORD_HEADER_BYTES;
      const valueAt = keyAt + (payload[at + 2]! | (payload[at + 3]! << 8));
      const op = payload[at];
      if (op === OP.set || op === OP.delete) this.#places.set(nameOf(payload, keyAt, valueAt), at);
      at = valueAt + readU32(payload, at + 4);
    }
    this.#indexedBytes = at;
  }
}

function nameOf(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
