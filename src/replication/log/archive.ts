import type { Disk, DiskFile } from './disk.ts';
import { diskFailure } from './disk-failure.ts';
import { type Segment, parseFileName } from './segment.ts';

/** Folder of the store in which what was cut off is kept. */
export const ARCHIVES = 'archives';
const CHUNK_BYTES = 1024 * 1024;

/** Part of a segment's file. */
export interface FilePart {
  readonly segment: Segment;
  readonly from: number;
}

/** A path in the archive folder that is not taken. */
export function archivePath(disk: Disk, directory: string, name: string): string {
  const folder = `${directory}/${ARCHIVES}`;
  try {
    disk.makeDirectory(folder);
    disk.syncDirectory(directory);
  } catch (error) {
    throw diskFailure('make', folder, 0, error);
  }
  for (let number = 1; ; number++) {
    const path = `${folder}/${name}${number === 1 ? '' : `-${number}`}`;
    if (disk.stat(path) === null) return path;
  }
}

/** Copies parts of segments, one behind the other, to a new archive file, which is durable when this resolves. */
export async function writeArchive(
  disk: Disk,
  directory: string,
  path: string,
  parts: readonly FilePart[],
): Promise<void> {
  let file: DiskFile | null = null;
  let at = 0;
  try {
    file = disk.open(path, 'create');
    for (const { segment, from } of parts) {
      for (let position = from; position < segment.bytes;) {
        const chunk = new Uint8Array(Math.min(CHUNK_BYTES, segment.bytes - position));
        const got = await segment.file.readLater(chunk, 0, chunk.length, position);
        if (got === 0) throw new Error(`${segment.file.path} ends at byte ${position}`);
        file.write(chunk.subarray(0, got), at);
        at += got;
        position += got;
      }
    }
    await file.sync();
    disk.syncDirectory(`${directory}/${ARCHIVES}`);
  } catch (error) {
    throw diskFailure('write', path, at, error);
  } finally {
    file?.close();
  }
}

/** Moves all files of a log into the folder `to`. May be repeated after a crash. */
export function moveLog(disk: Disk, directory: string, to: string): void {
  try {
    disk.makeDirectory(to);
    for (const text of disk.list(directory)) {
      if (parseFileName(text) !== null) disk.rename(`${directory}/${text}`, `${to}/${text}`);
    }
    disk.syncDirectory(to);
    disk.syncDirectory(`${directory}/${ARCHIVES}`);
    disk.syncDirectory(directory);
  } catch (error) {
    throw diskFailure('move the log to', to, 0, error);
  }
}
