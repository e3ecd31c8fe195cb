import { ENTRY_WORDS, type SortedEntries } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import type { IndexTables } from './key-index.ts';
import { LogIndex } from './log-index.ts';
import { ID_LIMIT } from './segment-set.ts';

/** An index that was made elsewhere, and what it tells of the segments that it names. */
export interface BuiltIndex extends IndexTables {
  /** Bytes of records to which it points, by id of the segment. */
  readonly liveBytes: Float64Array;
}

/**
 * Makes an index from the entries of complete segments, beside the log and not in its way: `threadIndexBuilder` on a
 * thread of its own.
 */
export interface IndexBuilder {
  /** The entries of the next segment. They do not change any more. */
  add(id: number, entries: SortedEntries): void;
  /** Resolves once there is room for more entries; null if there is. */
  readonly room: Promise<void> | null;
  /** Resolves to the index; nothing may be added any more. Rejects if it could not be made. */
  finish(): Promise<BuiltIndex>;
  /** Nobody wants it any more; `finish` may never resolve. */
  abandon(): void;
}

/** Starts a builder that makes room for about so many keys. */
export type StartIndexBuilder = (keys: number) => IndexBuilder;

/**
 * Entries that are waited for before they are taken in: a table is fetched from memory once for all of them. A quarter of what is
 * still to come, within these limits: many while nobody waits for the index, and in the end few.
 */
const ROUND_SHARE = 1 / 4;
const LEAST_ROUND_ENTRIES = 512 * 1024;
const MOST_ROUND_ENTRIES = 4 * 1024 * 1024;

/** What a builder does, wherever that is. */
export class IndexBuild {
  readonly #liveBytes = new Float64Array(ID_LIMIT);
  readonly #index = new LogIndex([0, 0, 0, 0], { liveBytes: this.#liveBytes });
  #waiting: { readonly id: number; readonly entries: SortedEntries }[] = [];
  #waitingEntries = 0;
  #roundEntries = 0;
  /** About how many keys are still to come. */
  #keysLeft: number;

  /** Makes room for about so many keys. */
  constructor(keys: number) {
    this.#index.keys.expect(keys);
    this.#keysLeft = keys;
    this.#planRound();
  }

  /** Takes the entries of the next segment, in time; returns how many were taken in just now. */
  add(id: number, entries: SortedEntries): number {
    this.#waiting.push({ id, entries });
    this.#waitingEntries += entries.starts[SHARDS]!;
    return this.#waitingEntries < this.#roundEntries ? 0 : this.#takeIn();
  }

  finish(): BuiltIndex {
    this.#takeIn();
    return { ...this.#index.keys.contents, liveBytes: this.#liveBytes };
  }

  /** Table by table: each stays in the processor's cache while the entries of all these segments go into it. */
  #takeIn(): number {
    for (let shard = 0; shard < SHARDS; shard++) {
      for (const { id, entries } of this.#waiting) this.#index.applyEntries(entriesOf(entries, shard), id);
    }
    const taken = this.#waitingEntries;
    this.#waiting = [];
    this.#waitingEntries = 0;
    this.#keysLeft -= taken;
    this.#planRound();
    return taken;
  }

  #planRound(): void {
    const share = Math.round(this.#keysLeft * ROUND_SHARE);
    this.#roundEntries = Math.max(LEAST_ROUND_ENTRIES, Math.min(share, MOST_ROUND_ENTRIES));
  }
}

/** The entries of one table. */
export function entriesOf({ words, starts }: SortedEntries, shard: number): Uint32Array {
  return words.subarray(starts[shard]! * ENTRY_WORDS, starts[shard + 1]! * ENTRY_WORDS);
}
