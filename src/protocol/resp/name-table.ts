import { upper } from './bytes.ts';

/** Longer names are not looked up. */
const NAME_LIMIT = 32;

interface Slot<T> {
  readonly name: string;
  readonly value: T;
}

/** Values by name, found from bytes in any case without making a string of them. */
export class NameTable<T> {
  readonly #slots: (Slot<T> | undefined)[];
  readonly #mask: number;

  /** Names are in capitals, at most 32 characters long. */
  constructor(entries: readonly (readonly [string, T])[]) {
    let size = 8;
    while (size < 4 * entries.length) size *= 2;
    this.#mask = size - 1;
    this.#slots = Array.from({ length: size });
    for (const [name, value] of entries) {
      let hash = name.length;
      for (let at = 0; at < name.length; at++) hash = (hash * 31 + name.charCodeAt(at)) | 0;
      let index = hash & this.#mask;
      while (this.#slots[index] !== undefined) index = (index + 1) & this.#mask;
      this.#slots[index] = { name, value };
    }
  }

  /** The value whose name stands in `bytes[start, end)`, if any. */
  find(bytes: Uint8Array, start: number, end: number): T | undefined {
    const length = end - start;
    if (length > NAME_LIMIT) return undefined;
    let hash = length;
    for (let at = start; at < end; at++) hash = (hash * 31 + upper(bytes[at]!)) | 0;
    for (let index = hash & this.#mask; ; index = (index + 1) & this.#mask) {
      const slot = this.#slots[index];
      if (slot === undefined) return undefined;
      if (slot.name.length === length && this.#matches(slot.name, bytes, start)) return slot.value;
    }
  }

  #matches(name: string, bytes: Uint8Array, start: number): boolean {
    for (let at = 0; at < name.length; at++) {
      if (upper(bytes[start + at]!) !== name.charCodeAt(at)) return false;
    }
    return true;
  }
}
