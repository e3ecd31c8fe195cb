import { diskFailure } from './disk-failure.ts';
import type { Disk, DiskFile } from './disk.ts';

/** Suffix of files that are being written; what is left of them after a crash is removed. */
export const UNFINISHED = '.tmp';

/**
 * Writes a small file so that, whatever happens, it holds either its former or its new content.
 * @throws HsctlError('disk')
 */
export function writeDurably(disk: Disk, directory: string, name: string, parts: readonly Uint8Array[]): void {
  const path = `${directory}/${name}`;
  try {
    writeUnfinished(disk, path, parts);
    disk.rename(path + UNFINISHED, path);
    disk.syncDirectory(directory);
  } catch (error) {
    throw diskFailure('write', path, 0, error);
  }
}

/**
 * The same without holding up the caller for what the disk takes. `stillWanted` is asked once the file would take its
 * place: if not, because somebody wrote it anew meanwhile, it stays as it is then.
 */
export async function writeDurablyLater(
  disk: Disk,
  directory: string,
  name: string,
  part: Uint8Array,
  stillWanted: () => boolean,
): Promise<void> {
  const path = `${directory}/${name}`;
  // Another name than the one that `writeDurably` uses meanwhile.
  const later = `${path}.later${UNFINISHED}`;
  try {
    const file = createAnew(disk, later);
    try {
      file.write(part, 0);
      await file.sync();
    } finally {
      file.close();
    }
    if (!stillWanted()) return disk.remove(later);
    disk.rename(later, path);
    await disk.syncDirectoryLater(directory);
  } catch (error) {
    throw diskFailure('write', path, 0, error);
  }
}

function createAnew(disk: Disk, path: string): DiskFile {
  if (disk.stat(path) !== null) disk.remove(path);
  return disk.open(path, 'create');
}

/** Writes and syncs the file under its unfinished name. */
function writeUnfinished(disk: Disk, path: string, parts: readonly Uint8Array[]): void {
  const file = createAnew(disk, path + UNFINISHED);
  try {
    let at = 0;
    for (const part of parts) {
      file.write(part, at);
      at += part.length;
    }
    file.syncNow();
  } finally {
    file.close();
  }
}

/** All of a small file, or null if it is not there. */
export function readWhole(disk: Disk, path: string, limitBytes: number): Uint8Array | null {
  const facts = disk.stat(path);
  if (facts === null) return null;
  try {
    const file = disk.open(path, 'read');
    try {
      const bytes = new Uint8Array(Math.min(facts.bytes, limitBytes));
      return bytes.subarray(0, file.read(bytes, 0, bytes.length, 0));
    } finally {
      file.close();
    }
  } catch (error) {
    throw diskFailure('read', path, 0, error);
  }
}
