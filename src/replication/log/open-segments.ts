import type { LogPosition } from '../../model/position.ts';
import { BatchScanner } from './batch-scanner.ts';
import { whyNotNext } from './continuity.ts';
import { damagedFile, diskFailure } from './disk-failure.ts';
import type { Disk } from './disk.ts';
import { Fingerprint, type FingerprintKey } from './fingerprint.ts';
import { Hint } from './hint-file.ts';
import { noteRecords } from './log-index.ts';
import { type SegmentName, Segment, fileName, parseFileName } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { SyncedTo } from './sync-mark.ts';
import { UNFINISHED } from './write-durably.ts';

/** What was cut off at the end of the log after a crash: a batch that was not written to its end. */
export interface TornTail {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
  readonly reason: string;
}

export interface OpenOptions {
  readonly disk: Disk;
  readonly directory: string;
  readonly store: string;
  readonly key: FingerprintKey;
  /** Whether the machine ran on since the last write. */
  readonly sameBoot: boolean;
  /** Whether the store was closed in good order: then nothing is missing that was written. */
  readonly wasClean: boolean;
  readonly synced: SyncedTo | null;
  readonly onTornTail: (tail: TornTail) => void;
}

/**
 * Opens the files of a log, oldest first, and adds them to `segments`. Files with a hint are not read; the others are,
 * and checked. A torn tail is cut; what a crash of a compaction or a cut left over is removed.
 * Returns the hint of each segment that has one.
 *
 * @throws HsctlError('disk') if the log is damaged anywhere else: file, offset and what is wrong.
 */
export function openSegments(options: OpenOptions, segments: SegmentSet): ReadonlyMap<Segment, Hint> {
  const hints = new Map<Segment, Hint>();
  try {
    openAll(options, segments, hints);
  } catch (error) {
    for (const hint of hints.values()) hint.close();
    throw error;
  }
  return hints;
}

function openAll(options: OpenOptions, segments: SegmentSet, hints: Map<Segment, Hint>): void {
  const { disk, directory } = options;
  for (const name of segmentNames(disk, directory)) {
    const path = `${directory}/${fileName(name, 'log')}`;
    if (name.firstSeq !== segments.end.seq + 1) {
      // What an earlier file covers was rewritten into it.
      if (name.firstSeq > segments.end.seq) dropBehindGap(options, segments, path);
      removeSegment(disk, directory, name);
      continue;
    }
    const segment = openSegment(options, segments, name);
    segments.push(segment);
    const hint = Hint.open(disk, `${directory}/${fileName(name, 'hint')}`, options.store);
    if (hint !== null && fits(hint, segment)) {
      takeHint(segment, hint);
      hints.set(segment, hint);
    } else {
      hint?.close();
      scan(options, segment);
    }
  }
  removeLeftovers(disk, directory, segments);
  try {
    disk.syncDirectory(directory);
  } catch (error) {
    throw diskFailure('sync', directory, 0, error);
  }
}

/** Names of the log's files in order; of those that begin with the same seq the one made last comes first. */
export function segmentNames(disk: Disk, directory: string): readonly SegmentName[] {
  return disk
    .list(directory)
    .map(parseFileName)
    .filter((name) => name?.kind === 'log')
    .map((name) => name as SegmentName)
    .toSorted((one, other) => one.firstSeq - other.firstSeq || other.generation - one.generation);
}

/** Removes a segment's files, the hint first: a hint says that its segment is complete. */
export function removeSegment(disk: Disk, directory: string, name: SegmentName): void {
  for (const kind of ['hint', 'log'] as const) {
    const path = `${directory}/${fileName(name, kind)}`;
    try {
      if (disk.stat(path) !== null) disk.remove(path);
    } catch (error) {
      throw diskFailure('remove', path, 0, error);
    }
  }
}

function openSegment(options: OpenOptions, segments: SegmentSet, name: SegmentName): Segment {
  const path = `${options.directory}/${fileName(name, 'log')}`;
  try {
    return new Segment(segments.takeId(), name, options.disk.open(path, 'write'), segments.end);
  } catch (error) {
    throw diskFailure('open', path, 0, error);
  }
}

function fits(hint: Hint, segment: Segment): boolean {
  const { base, bytes } = hint.facts;
  return samePosition(base, segment.base) && bytes === segment.file.size();
}

export function samePosition(one: LogPosition, other: LogPosition): boolean {
  return one.epoch === other.epoch && one.seq === other.seq && one.hash === other.hash;
}

/** Takes over what a hint file tells of its segment, which is on stable storage. */
export function takeHint(segment: Segment, hint: Hint): void {
  takeFacts(segment, hint);
  segment.syncedBytes = hint.facts.bytes;
}

/** Takes over what a hint tells of its segment. */
export function takeFacts(segment: Segment, hint: Hint): void {
  const { facts } = hint;
  segment.entries = null;
  segment.bytes = facts.bytes;
  segment.end = facts.end;
  segment.checkpoints = hint.checkpoints;
  segment.blocks = hint.blocks;
  segment.controls = [...facts.controls];
  segment.tombstoneBytes = facts.tombstoneBytes;
  segment.forgetfulTo = facts.forgetfulTo;
  segment.compactedBytes = facts.compactedBytes;
  segment.sealedAtWallMs = facts.sealedAtWallMs;
}

/** Reads a segment, and cuts its tail if a crash tore it. */
function scan(options: OpenOptions, segment: Segment): void {
  const { path } = segment.file;
  const size = segment.file.size();
  const scanner = new BatchScanner(segment.file, 0, size);
  const fingerprint = new Fingerprint(options.key);
  for (;;) {
    const step = scanner.next();
    if (step === 'end') break;
    const reason = step === 'batch' ? whyNotNext(segment.end, scanner.cursor.header, scanner.bytes) : scanner.problem;
    if (reason !== '') {
      const tail = { file: path, offset: scanner.offset, bytes: size - scanner.offset, reason };
      return cutTail(options, segment, tail, step === 'torn');
    }
    noteRecords(scanner.cursor, segment, segment.bytes, fingerprint, null);
    segment.add(scanner.cursor.header, scanner.bytes);
  }
  syncFound(segment);
}

/**
 * Cuts the rest of a file, if it may be a tail that a crash tore: a killed process leaves at most one unfinished batch at
 * the very end; a machine that went down may have lost anything since the last sync, in any order.
 */
function cutTail(options: OpenOptions, segment: Segment, tail: TornTail, unfinished: boolean): void {
  const last = !segmentNames(options.disk, options.directory).some((name) => name.firstSeq > segment.name.firstSeq);
  if (wasSynced(options, segment, tail.offset) || (options.sameBoot && !(unfinished && last))) {
    throw damagedFile(tail.file, tail.offset, tail.reason);
  }
  options.onTornTail(tail);
  try {
    segment.file.truncate(tail.offset);
  } catch (error) {
    throw diskFailure('cut', tail.file, tail.offset, error);
  }
  syncFound(segment);
}

/** What was found is what counts from now on: nothing that was cut away before a crash may come back. */
function syncFound(segment: Segment): void {
  try {
    segment.file.syncNow();
  } catch (error) {
    throw diskFailure('sync', segment.file.path, 0, error);
  }
  segment.syncedBytes = segment.bytes;
}

/**
 * Whether what stood in the segment from `offset` on was surely on stable storage: the mark says so, or a hint file of a
 * later segment, since they are made in order. Undefined: the log's first segment, which is not there.
 */
function wasSynced(options: OpenOptions, segment: Segment | undefined, offset: number): boolean {
  const { synced, wasClean, disk, directory } = options;
  if (wasClean) return true;
  const firstSeq = segment?.name.firstSeq ?? 0;
  if (synced !== null && firstSeq < synced.firstSeq) return true;
  if (synced !== null && segment?.name.generation === synced.generation && offset < synced.bytes) return true;
  return segmentNames(disk, directory).some(
    (name) => name.firstSeq > firstSeq && disk.stat(`${directory}/${fileName(name, 'hint')}`) !== null,
  );
}

/** A file whose predecessor ends too early: what is missing may never have reached the disk, or was lost from it. */
function dropBehindGap(options: OpenOptions, segments: SegmentSet, path: string): void {
  const { last, end } = segments;
  if (options.sameBoot || wasSynced(options, last, last?.bytes ?? 0)) {
    throw damagedFile(path, 0, `the log before it ends with seq ${end.seq}, it does not go on from there`);
  }
  tellDropped(options, path);
}

function tellDropped(options: OpenOptions, path: string): void {
  const bytes = options.disk.stat(path)?.bytes ?? 0;
  if (bytes > 0) options.onTornTail({ file: path, offset: 0, bytes, reason: 'the file before it was cut' });
}

/** Unfinished files, and hints whose segment is gone. */
function removeLeftovers(disk: Disk, directory: string, segments: SegmentSet): void {
  const known = new Set(segments.list.map((segment) => fileName(segment.name, 'hint')));
  for (const text of disk.list(directory)) {
    const strayHint = parseFileName(text)?.kind === 'hint' && !known.has(text);
    if (!strayHint && !text.endsWith(UNFINISHED)) continue;
    try {
      disk.remove(`${directory}/${text}`);
    } catch (error) {
      throw diskFailure('remove', `${directory}/${text}`, 0, error);
    }
  }
}
