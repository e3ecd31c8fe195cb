import { SHARDS, SHARD_BITS } from './fingerprint.ts';
import { type Steps, atOnce } from './turns.ts';

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

/** Entries that are sorted, or moved, in one go. */
const CHUNK_ENTRIES = 32 * 1024;
const CHUNK_WORDS = CHUNK_ENTRIES * ENTRY_WORDS;

/** Entries in the order of the segment's records; in pieces, so that growing never means copying. */
export class EntryList {
  readonly #chunks: Uint32Array[] = [];
  #last = new Uint32Array(64 * ENTRY_WORDS);
  #length = 0;

  get count(): number {
    return this.#chunks.length * CHUNK_ENTRIES + this.#length / ENTRY_WORDS;
  }

  /** All entries, piece by piece. */
  get chunks(): readonly Uint32Array[] {
    return [...this.#chunks, this.#last.subarray(0, this.#length)];
  }

  push(a: number, b: number, mark: number, offset: number): void {
    if (this.#length === this.#last.length) this.#grow();
    const words = this.#last;
    const at = this.#length;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = mark;
    words[at + 3] = offset;
    this.#length = at + ENTRY_WORDS;
  }

  /** The same entries by tables of the index, in their order within each. */
  sorted(): SortedEntries {
    return atOnce(this.sorting());
  }

  /** The same, in pieces of about a millisecond. Nothing may be added meanwhile. */
  *sorting(): Steps<SortedEntries> {
    const { chunks } = this;
    const starts = new Uint32Array(SHARDS + 1);
    for (const chunk of chunks) {
      countShards(chunk, starts);
      yield;
    }
    for (let shard = 0; shard < SHARDS; shard++) starts[shard + 1] = starts[shard + 1]! + starts[shard]!;
    const next = starts.slice();
    const words = new Uint32Array(this.count * ENTRY_WORDS);
    for (const chunk of chunks) {
      distribute(chunk, words, next);
      yield;
    }
    return { words, starts };
  }

  #grow(): void {
    if (this.#last.length === CHUNK_WORDS) {
      this.#chunks.push(this.#last);
      this.#last = new Uint32Array(CHUNK_WORDS);
      this.#length = 0;
      return;
    }
    const larger = new Uint32Array(Math.min(CHUNK_WORDS, this.#last.length * 8));
    larger.set(this.#last);
    this.#last = larger;
  }
}

/** Counts each table's entries one place too far right, so that the sums become starts. */
function countShards(chunk: Uint32Array, starts: Uint32Array): void {
  for (let at = 2; at < chunk.length; at += ENTRY_WORDS) {
    const next = (chunk[at]! >>> SHARD_SHIFT) + 1;
    starts[next] = starts[next]! + 1;
  }
}

function distribute(chunk: Uint32Array, words: Uint32Array, next: Uint32Array): void {
  for (let at = 0; at < chunk.length; at += ENTRY_WORDS) {
    const shard = chunk[at + 2]! >>> SHARD_SHIFT;
    const to = next[shard]! * ENTRY_WORDS;
    next[shard] = next[shard]! + 1;
    words[to] = chunk[at]!;
    words[to + 1] = chunk[at + 1]!;
    words[to + 2] = chunk[at + 2]!;
    words[to + 3] = chunk[at + 3]!;
  }
}

export interface SortedEntries {
  readonly words: Uint32Array;
  /** Number of the first entry of each table, and behind the last one the number of all entries. */
  readonly starts: Uint32Array;
}
