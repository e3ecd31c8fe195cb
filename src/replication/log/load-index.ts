import { ENTRY_WORDS, type SortedEntries } from './entry-list.ts';
import { type Fingerprint, SHARDS } from './fingerprint.ts';
import { GROUP_SHARDS, type Hint } from './hint-file.ts';
import type { LogIndex } from './log-index.ts';
import { entriesFrom } from './rescan.ts';
import type { Segment } from './segment.ts';
import { atOnce } from './turns.ts';

/**
 * Fills the index from the entries of all segments, oldest first, some tables at a time: those few stay in the
 * processor's cache while they are filled, and no more than their entries is read at once.
 */
export function loadIndex(
  index: LogIndex,
  segments: readonly Segment[],
  hints: ReadonlyMap<Segment, Hint>,
  fingerprint: Fingerprint,
): void {
  const inMemory = new Map<Segment, SortedEntries>();
  for (const segment of segments) {
    if (segment.entries !== null) inMemory.set(segment, segment.entries.sorted());
  }
  for (let first = 0; first < SHARDS; first += GROUP_SHARDS) {
    const groups = segments.map((segment) => groupOf(segment, first, hints, inMemory, fingerprint));
    for (let shard = first; shard < first + GROUP_SHARDS; shard++) loadShard(index, groups, shard, first);
  }
}

interface Group {
  readonly id: number;
  readonly words: Uint32Array;
  /** Number of the first entry of each table among all of the segment. */
  readonly starts: Uint32Array;
}

function groupOf(
  segment: Segment,
  first: number,
  hints: ReadonlyMap<Segment, Hint>,
  inMemory: Map<Segment, SortedEntries>,
  fingerprint: Fingerprint,
): Group {
  let sorted = inMemory.get(segment);
  const hint = hints.get(segment);
  if (sorted === undefined && hint !== undefined) {
    const words = hint.readGroup(first);
    if (words !== null) return { id: segment.id, words, starts: hint.starts };
  }
  sorted ??= atOnce(entriesFrom(segment, 0, fingerprint)).sorted();
  inMemory.set(segment, sorted);
  const { starts } = sorted;
  const words = sorted.words.subarray(starts[first]! * ENTRY_WORDS, starts[first + GROUP_SHARDS]! * ENTRY_WORDS);
  return { id: segment.id, words, starts };
}

function loadShard(index: LogIndex, groups: readonly Group[], shard: number, first: number): void {
  let entries = 0;
  for (const { starts } of groups) entries += starts[shard + 1]! - starts[shard]!;
  if (entries === 0) return;
  index.keys.reserve(shard, entries);
  for (const { id, words, starts } of groups) {
    const offset = starts[first]!;
    const from = (starts[shard]! - offset) * ENTRY_WORDS;
    index.applyEntries(words.subarray(from, (starts[shard + 1]! - offset) * ENTRY_WORDS), id);
  }
  index.keys.trim(shard);
}
