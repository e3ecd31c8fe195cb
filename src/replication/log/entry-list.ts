import { SHARDS, SHARD_BITS } from './fingerprint.ts';

/**
 * What a segment does to the index, one entry of 16 bytes for each set and delete: u32 a, u32 b, u32 mark, u32 offset.
 * Mark: the fingerprint's `c` with the record's size class and whether it is a delete between table number and tag.
 */
export const ENTRY_WORDS = 4;
const TOMBSTONE = 1 << 16;
const SHARD_SHIFT = 32 - SHARD_BITS;
const SHARD_MASK = (-1 << SHARD_SHIFT) >>> 0;

/** The mark of an entry. */
export function entryMark(c: number, size: number, tombstone: boolean): number {
  return ((c & (SHARD_MASK | 0xff)) | (size << 8) | (tombstone ? TOMBSTONE : 0)) >>> 0;
}

export function isTombstone(mark: number): boolean {
  return (mark & TOMBSTONE) !== 0;
}

export function markSize(mark: number): number {
  return (mark >>> 8) & 0xff;
}

/** Entries in the order of the segment's records. */
export class EntryList {
  #words = new Uint32Array(1024);
  #length = 0;

  get count(): number {
    return this.#length / ENTRY_WORDS;
  }

  /** All entries, one behind the other. */
  get words(): Uint32Array {
    return this.#words.subarray(0, this.#length);
  }

  push(a: number, b: number, mark: number, offset: number): void {
    const at = this.#length;
    if (at === this.#words.length) this.#grow();
    const words = this.#words;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = mark;
    words[at + 3] = offset;
    this.#length = at + ENTRY_WORDS;
  }

  /** The same entries by tables of the index, in their order within each. */
  sorted(): SortedEntries {
    const words = this.#words;
    const starts = new Uint32Array(SHARDS + 1);
    for (let at = 2; at < this.#length; at += ENTRY_WORDS) {
      const next = (words[at]! >>> SHARD_SHIFT) + 1;
      starts[next] = starts[next]! + 1;
    }
    for (let shard = 0; shard < SHARDS; shard++) starts[shard + 1] = starts[shard + 1]! + starts[shard]!;
    const places = starts.slice();
    const sorted = new Uint32Array(this.#length);
    for (let at = 0; at < this.#length; at += ENTRY_WORDS) {
      const shard = words[at + 2]! >>> SHARD_SHIFT;
      const to = places[shard]! * ENTRY_WORDS;
      places[shard] = places[shard]! + 1;
      sorted[to] = words[at]!;
      sorted[to + 1] = words[at + 1]!;
      sorted[to + 2] = words[at + 2]!;
      sorted[to + 3] = words[at + 3]!;
    }
    return { words: sorted, starts };
  }

  #grow(): void {
    const larger = new Uint32Array(this.#words.length * 2);
    larger.set(this.#words);
    this.#words = larger;
  }
}

export interface SortedEntries {
  readonly words: Uint32Array;
  /** Number of the first entry of each table, and behind the last one the number of all entries. */
  readonly starts: Uint32Array;
}
