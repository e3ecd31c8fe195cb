import { BatchScanner } from './batch-scanner.ts';
import { damagedFile } from './disk-failure.ts';
import { EntryList } from './entry-list.ts';
import type { Fingerprint } from './fingerprint.ts';
import { noteRecords } from './log-index.ts';
import { Segment } from './segment.ts';

const TURN_BYTES = 1024 * 1024;

/** Lets everything else that is due have its turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * What would be known of the segment if its file ended at `to`, a batch's end: read from the file, in turns.
 * @throws HsctlError('disk') if it is damaged.
 */
export async function segmentUpTo(segment: Segment, to: number, fingerprint: Fingerprint): Promise<Segment> {
  const result = new Segment(segment.id, segment.name, segment.file, segment.base);
  const scanner = new BatchScanner(segment.file, 0, to);
  let pauseAt = TURN_BYTES;
  for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
    if (step !== 'batch') throw damagedFile(segment.file.path, scanner.offset, scanner.problem);
    noteRecords(scanner.cursor, result, result.bytes, fingerprint, null);
    result.add(scanner.cursor.header, scanner.bytes);
    if (result.bytes < pauseAt) continue;
    pauseAt = result.bytes + TURN_BYTES;
    await turn();
  }
  result.syncedBytes = Math.min(segment.syncedBytes, to);
  return result;
}

/** The entries of the segment's batches from `from` (a batch's start) on. */
export function entriesOf(segment: Segment, fingerprint: Fingerprint, from = 0): EntryList {
  const scratch = new Segment(segment.id, segment.name, segment.file, segment.base);
  const scanner = new BatchScanner(segment.file, from, segment.bytes);
  for (let step = scanner.next(); step !== 'end'; step = scanner.next()) {
    if (step !== 'batch') throw damagedFile(segment.file.path, scanner.offset, scanner.problem);
    noteRecords(scanner.cursor, scratch, scanner.offset, fingerprint, null);
  }
  return scratch.entries ?? new EntryList();
}
