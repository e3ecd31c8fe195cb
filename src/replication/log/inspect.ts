import { HsctlError } from '../../kit/errors.ts';
import { LOG_START, type LogPosition, type Reign } from '../../model/position.ts';
import { ARCHIVES } from './archive.ts';
import { BatchScanner } from './batch-scanner.ts';
import type { Disk } from './disk.ts';
import { diskFailure } from './disk-failure.ts';
import { History } from './history.ts';
import { segmentNames } from './open-segments.ts';
import { fileName } from './segment.ts';
import { lockOwner } from './store-lock.ts';
import { readMeta } from './store-meta.ts';
import { type LogProblem, type WalkedFile, walkFile, walkLog } from './walk-log.ts';

/**
 * What `hsctl store` tells. All of it is read from the files and nothing is changed; the agent may be running.
 * All throw HsctlError('disk') if there is no store, or it cannot be read.
 */
export interface StoreDescription {
  readonly directory: string;
  /** Random name of the store. */
  readonly store: string;
  /** Process that has the store open; null if none has. */
  readonly usedBy: number | null;
  readonly intact: boolean;
  /** Highest epoch that the agent has seen. */
  readonly epoch: number;
  /** The log cannot be cut before this seq: compaction dropped what was needed there. */
  readonly floor: number;
  readonly end: LogPosition;
  readonly reigns: readonly Reign[];
  /** Last record that the master may have confirmed alone; 0 if there is none. */
  readonly aloneTo: number;
  readonly bytes: number;
  readonly segments: readonly WalkedFile[];
}

/** Describes a store, mostly from hint files: damaged values are not found (`verifyStore` finds them). */
export function describeStore(disk: Disk, directory: string): StoreDescription {
  const meta = metaOf(disk, directory);
  const segments = reading(directory, () => walkLog(disk, directory, meta.store));
  const history = new History();
  for (const segment of segments) for (const record of segment.controls) history.add(record);
  const end = segments.at(-1)?.end ?? LOG_START;
  return {
    directory,
    store: meta.store,
    usedBy: lockOwner(disk, directory),
    intact: meta.intact,
    epoch: meta.epoch,
    floor: meta.floor,
    end,
    reigns: history.reigns,
    aloneTo: history.aloneTo(end.seq),
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    segments,
  };
}

export interface StoreVerdict {
  readonly directory: string;
  readonly usedBy: number | null;
  readonly end: LogPosition;
  readonly bytes: number;
  readonly records: number;
  readonly segments: readonly WalkedFile[];
  /** Empty: every byte is what was written. */
  readonly problems: readonly LogProblem[];
}

/** Reads the whole log and checks every checksum. Takes as long as reading the files does. */
export function verifyStore(disk: Disk, directory: string): StoreVerdict {
  metaOf(disk, directory);
  const segments = reading(directory, () => walkLog(disk, directory, null));
  return {
    directory,
    usedBy: lockOwner(disk, directory),
    end: segments.at(-1)?.end ?? LOG_START,
    bytes: segments.reduce((sum, segment) => sum + segment.bytes, 0),
    records: segments.reduce((sum, segment) => sum + (segment.records ?? 0), 0),
    segments,
    problems: segments.flatMap(({ problem }) => (problem === null ? [] : [problem])),
  };
}

export interface ArchiveDescription {
  readonly path: string;
  /** `tail`: what was cut off the log's end. `log`: a whole log that was moved away. */
  readonly kind: 'tail' | 'log';
  readonly modifiedWallMs: number;
  readonly bytes: number;
  readonly firstSeq: number;
  readonly end: LogPosition;
  readonly records: number;
  readonly problems: readonly LogProblem[];
}

/** Every archive of a store, by name. */
export function listArchives(disk: Disk, directory: string): readonly ArchiveDescription[] {
  metaOf(disk, directory);
  const folder = `${directory}/${ARCHIVES}`;
  return disk
    .list(folder)
    .toSorted()
    .map((name) => reading(`${folder}/${name}`, () => describeArchive(disk, `${folder}/${name}`)));
}

function describeArchive(disk: Disk, path: string): ArchiveDescription {
  const facts = disk.stat(path);
  const whole = facts?.directory === true;
  const files = whole ? walkLog(disk, path, null) : [walkFile(disk, path, null)];
  return {
    path,
    kind: whole ? 'log' : 'tail',
    modifiedWallMs: facts?.modifiedWallMs ?? 0,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    firstSeq: files[0]?.firstSeq ?? 0,
    end: files.at(-1)?.end ?? LOG_START,
    records: files.reduce((sum, file) => sum + (file.records ?? 0), 0),
    problems: files.flatMap(({ problem }) => (problem === null ? [] : [problem])),
  };
}

/** A record of an archive; key and value are views that stay valid until the next one is asked for. */
export interface ArchivedRecord {
  readonly epoch: number;
  readonly seq: number;
  /** As in `OP`. */
  readonly op: number;
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Everything in an archive, in order, up to its end or to where it is damaged. */
export function* archivedRecords(disk: Disk, path: string): Generator<ArchivedRecord> {
  const whole = disk.stat(path)?.directory === true;
  const files = whole ? segmentNames(disk, path).map((name) => `${path}/${fileName(name, 'log')}`) : [path];
  for (const each of files) {
    const file = disk.open(each, 'read');
    try {
      const scanner = new BatchScanner(file, 0, file.size());
      const { cursor } = scanner;
      while (scanner.next() === 'batch') {
        while (cursor.next()) {
          const { op, seq, bytes } = cursor;
          const key = bytes.subarray(cursor.keyStart, cursor.valueStart);
          yield { epoch: cursor.header.epoch, seq, op, key, value: bytes.subarray(cursor.valueStart, cursor.end) };
        }
      }
    } finally {
      file.close();
    }
  }
}

function metaOf(disk: Disk, directory: string): NonNullable<ReturnType<typeof readMeta>> {
  const facts = reading(directory, () => disk.stat(directory));
  const meta = facts?.directory === true ? reading(directory, () => readMeta(disk, directory)) : null;
  if (meta !== null) return meta;
  const what = facts?.directory === false ? 'is a file, not the directory of a store' : 'holds no store';
  throw new HsctlError('disk', `${directory} ${what}`, 'name the directory that "store" in the configuration has');
}

function reading<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const failure = diskFailure('read', path, 0, error);
    const code = (error as { code?: unknown } | null)?.code;
    if (code !== 'EACCES' && code !== 'EPERM') throw failure;
    throw new HsctlError('disk', failure.message, 'run this as root, or as the user of the agent', { cause: error });
  }
}
