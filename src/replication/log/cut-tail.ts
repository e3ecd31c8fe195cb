import { diskFailure } from './disk-failure.ts';
import type { EntryList } from './entry-list.ts';
import { FormerPlaces } from './former-places.ts';
import { Hint } from './hint-file.ts';
import { removeSegment } from './open-segments.ts';
import { entriesFrom, segmentUpTo } from './rescan.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';
import { inTurns } from './turns.ts';

/** Where a tail begins: in `segment` at `offset`; all later segments belong to it. */
export interface TailStart {
  readonly segment: Segment;
  readonly offset: number;
  readonly later: readonly Segment[];
}

/** A cut that is worked out; `commit` does it without a pause, so that nobody sees it half done. */
export interface PreparedCut {
  commit(): void;
}

/** Works out what segment and index will be like without the tail. Changes nothing. */
export async function prepareCut(store: Store, tail: TailStart): Promise<PreparedCut> {
  const { fingerprint } = store;
  const kept = await inTurns(segmentUpTo(tail.segment, tail.offset, fingerprint));
  const entries: EntryList[] = [await inTurns(entriesFrom(tail.segment, tail.offset, fingerprint))];
  for (const segment of tail.later) {
    entries.push(segment.entries ?? (await inTurns(entriesFrom(segment, 0, fingerprint))));
  }
  const places = new FormerPlaces(entries);
  for (const segment of store.segments.list) {
    if (segment === tail.segment) break;
    await showSegment(store, places, segment);
  }
  if (kept.entries !== null) places.showAll(kept.entries, kept.id);
  return { commit: () => commit(store, tail, kept, places) };
}

async function showSegment(store: Store, places: FormerPlaces, segment: Segment): Promise<void> {
  if (segment.entries !== null) return places.showAll(segment.entries, segment.id);
  const hint = Hint.open(store.options.disk, store.path(segment.name, 'hint'), store.meta.store);
  try {
    if (hint !== null && (await places.showHint(hint, segment.id))) return;
  } finally {
    hint?.close();
  }
  places.showAll(await inTurns(entriesFrom(segment, 0, store.fingerprint)), segment.id);
}

/** Newest first, so that a crash in between leaves a log that ends earlier, without gaps. */
function commit(store: Store, tail: TailStart, kept: Segment, places: FormerPlaces): void {
  const { segments, syncer } = store;
  const { disk, directory } = store.options;
  // The mark first: what is written to these places later must not count as synced.
  syncer.lower(kept.name, kept.bytes);
  places.apply(store.index);
  for (const segment of tail.later.toReversed()) {
    segments.pop();
    removeSegment(disk, directory, segment.name);
    syncNames(store);
  }
  try {
    const hint = store.path(kept.name, 'hint');
    if (disk.stat(hint) !== null) disk.remove(hint);
    disk.syncDirectory(directory);
    tail.segment.file.truncate(tail.offset);
    tail.segment.file.syncNow();
  } catch (error) {
    throw diskFailure('cut', tail.segment.file.path, tail.offset, error);
  }
  segments.swapLast(kept);
}

function syncNames({ options: { disk, directory } }: Store): void {
  try {
    disk.syncDirectory(directory);
  } catch (error) {
    throw diskFailure('sync', directory, 0, error);
  }
}
