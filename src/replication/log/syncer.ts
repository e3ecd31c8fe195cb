import type { LogPosition } from '../../model/position.ts';
import { diskFailure } from './disk-failure.ts';
import type { Disk } from './disk.ts';
import type { Segment, SegmentName } from './segment.ts';
import type { SegmentSet } from './segment-set.ts';
import type { SyncMark } from './sync-mark.ts';

/** Brings what was appended to stable storage, in the order of the segments; calls during a sync share the next one. */
export class Syncer {
  /** Names of new segments are not durable yet. */
  namesChanged = false;
  readonly #disk: Disk;
  readonly #directory: string;
  readonly #segments: SegmentSet;
  readonly #mark: SyncMark;
  #running: Promise<LogPosition> | null = null;
  #next: Promise<LogPosition> | null = null;

  constructor(disk: Disk, directory: string, segments: SegmentSet, mark: SyncMark) {
    this.#disk = disk;
    this.#directory = directory;
    this.#segments = segments;
    this.#mark = mark;
  }

  /** See `Log.sync`. */
  sync(): Promise<LogPosition> {
    if (this.#running === null) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<LogPosition> {
    this.#next = null;
    const running = this.#syncAll().finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #syncAll(): Promise<LogPosition> {
    const { end } = this.#segments;
    if (this.namesChanged) await this.#syncNames();
    for (const segment of this.#segments.list) {
      if (segment.syncedBytes < segment.bytes) await this.#syncOne(segment);
    }
    return end;
  }

  async #syncOne(segment: Segment): Promise<void> {
    const { bytes } = segment;
    segment.hold();
    try {
      await segment.file.sync();
    } catch (error) {
      throw diskFailure('sync', segment.file.path, segment.syncedBytes, error);
    } finally {
      segment.release();
    }
    if (segment.dropped) return;
    segment.syncedBytes = Math.min(bytes, segment.bytes);
    this.#tell(segment.name, segment.syncedBytes);
  }

  /** Sees to it that after a crash nothing behind this place counts as once synced; all before it must be. */
  lower(name: SegmentName, bytes: number): void {
    this.#tell(name, bytes);
    try {
      this.#mark.syncNow();
    } catch (error) {
      throw diskFailure('sync', this.#mark.path, 0, error);
    }
  }

  /** Notes on disk how far the log is synced. */
  #tell(name: SegmentName, bytes: number): void {
    try {
      this.#mark.write({ ...name, bytes });
    } catch (error) {
      throw diskFailure('write', this.#mark.path, 0, error);
    }
  }

  async #syncNames(): Promise<void> {
    this.namesChanged = false;
    try {
      await this.#disk.syncDirectoryLater(this.#directory);
    } catch (error) {
      throw diskFailure('sync', this.#directory, 0, error);
    }
  }
}
