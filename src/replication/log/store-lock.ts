import { HsctlError } from '../../kit/errors.ts';
import type { Disk } from './disk.ts';
import { diskFailure } from './disk-failure.ts';
import { readWhole } from './write-durably.ts';

const FILE = 'lock';
const LIMIT_BYTES = 256;

/**
 * Keeps a second agent off the store: a file with the pid of the owner and when that process started. What a
 * killed agent left is taken over.
 */
export class StoreLock {
  readonly #disk: Disk;
  readonly #path: string;

  private constructor(disk: Disk, path: string) {
    this.#disk = disk;
    this.#path = path;
  }

  /** @throws HsctlError('refused') if a living process has the store. */
  static take(disk: Disk, directory: string): StoreLock {
    const path = `${directory}/${FILE}`;
    const own = `${disk.pid} ${disk.processStart(disk.pid) ?? ''}`;
    if (!tryToMake(disk, path, own)) {
      const found = contentOf(disk, path);
      if (isAlive(disk, found)) throw busy(directory, found);
      setAside(disk, path, found, directory);
      if (!tryToMake(disk, path, own)) throw busy(directory, contentOf(disk, path));
    }
    return new StoreLock(disk, path);
  }

  release(): void {
    this.#disk.remove(this.#path);
  }
}

/** The living process that has the store, or null. */
export function lockOwner(disk: Disk, directory: string): number | null {
  const content = contentOf(disk, `${directory}/${FILE}`);
  return isAlive(disk, content) ? Number(content.split(' ')[0]) : null;
}

function tryToMake(disk: Disk, path: string, content: string): boolean {
  try {
    const file = disk.open(path, 'create');
    try {
      file.write(new TextEncoder().encode(content), 0);
    } finally {
      file.close();
    }
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false;
    throw diskFailure('make', path, 0, error);
  }
}

function contentOf(disk: Disk, path: string): string {
  return new TextDecoder().decode(readWhole(disk, path, LIMIT_BYTES) ?? new Uint8Array(0));
}

function isAlive(disk: Disk, content: string): boolean {
  const [pid, start] = content.split(' ');
  return start !== undefined && start !== '' && disk.processStart(Number(pid)) === start;
}

/**
 * Takes a stale lock out of the way. Renaming has one winner; who finds that it took the fresh lock of another that
 * was quicker puts it back.
 */
function setAside(disk: Disk, path: string, stale: string, directory: string): void {
  const aside = `${path}.${disk.pid}.tmp`;
  try {
    disk.rename(path, aside);
  } catch (error) {
    throw diskFailure('take over', path, 0, error);
  }
  const taken = contentOf(disk, aside);
  if (taken === stale) return disk.remove(aside);
  disk.rename(aside, path);
  throw busy(directory, taken);
}

function busy(directory: string, content: string): HsctlError {
  const pid = content.split(' ')[0];
  return new HsctlError('refused', `the store ${directory} is in use by process ${pid}`, 'stop the other agent first');
}
