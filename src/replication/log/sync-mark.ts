import { crc32 } from '../../kit/crc32.ts';
import type { Disk, DiskFile } from './disk.ts';
import type { SegmentName } from './segment.ts';
import { diskFailure } from './disk-failure.ts';

const FILE = 'synced';
const MARK_BYTES = 28;

/** Everything before this place was once on stable storage: damage there is damage, not a torn tail. */
export interface SyncedTo extends SegmentName {
  readonly bytes: number;
}

/**
 * A small file that tells how far the log was synced. It is written after each sync and not synced itself (but
 * before a cut), so after a power failure it may tell of an earlier moment, never of a later one.
 */
export class SyncMark {
  readonly #file: DiskFile;
  readonly path: string;

  constructor(disk: Disk, directory: string) {
    this.path = `${directory}/${FILE}`;
    try {
      this.#file = disk.open(this.path, disk.stat(this.path) === null ? 'create' : 'write');
    } catch (error) {
      throw diskFailure('open', this.path, 0, error);
    }
  }

  /** What the file tells; null if it was never written whole. */
  read(): SyncedTo | null {
    try {
      return parse(this.#file);
    } catch (error) {
      throw diskFailure('read', this.path, 0, error);
    }
  }

  write(mark: SyncedTo): void {
    const bytes = new Uint8Array(MARK_BYTES);
    const view = new DataView(bytes.buffer);
    view.setFloat64(0, mark.firstSeq, true);
    view.setFloat64(8, mark.generation, true);
    view.setFloat64(16, mark.bytes, true);
    view.setUint32(24, crc32(bytes.subarray(0, 24)), true);
    this.#file.write(bytes, 0);
  }

  syncNow(): void {
    this.#file.syncNow();
  }

  close(): void {
    this.#file.close();
  }
}

function parse(file: DiskFile): SyncedTo | null {
  const bytes = new Uint8Array(MARK_BYTES);
  if (file.read(bytes, 0, MARK_BYTES, 0) < MARK_BYTES) return null;
  const view = new DataView(bytes.buffer);
  if (view.getUint32(24, true) !== crc32(bytes.subarray(0, 24))) return null;
  return { firstSeq: view.getFloat64(0, true), generation: view.getFloat64(8, true), bytes: view.getFloat64(16, true) };
}
