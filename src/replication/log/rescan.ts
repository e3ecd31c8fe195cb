import { BatchScanner } from './batch-scanner.ts';
import { damagedFile } from './disk-failure.ts';
import { EntryList } from './entry-list.ts';
import type { Fingerprint } from './fingerprint.ts';
import { noteRecords } from './log-index.ts';
import { Segment } from './segment.ts';
import type { Steps } from './turns.ts';

/** About a millisecond's work. */
const PIECE_BYTES = 512 * 1024;

/**
 * What would be known of the segment if its file ended at `to`, a batch's end: read from the file.
 * @throws HsctlError('disk') if it is damaged.
 */
export function* segmentUpTo(segment: Segment, to: number, fingerprint: Fingerprint): Steps<Segment> {
  const result = new Segment(segment.id, segment.name, segment.file, segment.base);
  for (const scanner of batches(segment, 0, to)) {
    noteRecords(scanner.cursor, result, scanner.offset, fingerprint, null);
    const { bytes } = result;
    result.add(scanner.cursor.header, scanner.bytes);
    if (isPiece(bytes, result.bytes)) yield;
  }
  result.syncedBytes = Math.min(segment.syncedBytes, to);
  return result;
}

/**
 * The entries of the segment's batches from `from` (a batch's start) on: read from the file.
 * @throws HsctlError('disk') if it is damaged.
 */
export function* entriesFrom(segment: Segment, from: number, fingerprint: Fingerprint): Steps<EntryList> {
  const scratch = new Segment(segment.id, segment.name, segment.file, segment.base);
  for (const scanner of batches(segment, from, segment.bytes)) {
    noteRecords(scanner.cursor, scratch, scanner.offset, fingerprint, null);
    if (isPiece(scanner.offset, scanner.offset + scanner.bytes.length)) yield;
  }
  return scratch.entries ?? new EntryList();
}

function isPiece(before: number, after: number): boolean {
  return Math.floor(before / PIECE_BYTES) !== Math.floor(after / PIECE_BYTES);
}

function* batches(segment: Segment, from: number, to: number): Generator<BatchScanner> {
  const scanner = new BatchScanner(segment.file, from, to);
  for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
    if (step !== 'batch') throw damagedFile(segment.file.path, scanner.offset, scanner.problem);
    yield scanner;
  }
}
