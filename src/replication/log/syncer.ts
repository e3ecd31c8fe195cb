import type { LogPosition } from '../../model/position.ts';
import { diskFailure } from './disk-failure.ts';
import type { Disk } from './disk.ts';
import type { Segment } from './segment.ts';
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
    if (this.namesChanged) this.#syncNames();
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
    this.tell(segment);
  }

  /** Notes on disk how far the segment is synced. */
  tell(segment: Segment): void {
    try {
      this.#mark.write({ ...segment.name, bytes: segment.syncedBytes });
    } catch (error) {
      throw diskFailure('write the sync mark for', segment.file.path, segment.syncedBytes, error);
    }
  }

  /** Makes sure that nothing behind the segment's synced bytes counts as synced after a crash. */
  lower(segment: Segment): void {
    this.tell(segment);
    try {
      this.#mark.syncNow();
    } catch (error) {
      throw diskFailure('sync the mark for', segment.file.path, segment.syncedBytes, error);
    }
  }

  #syncNames(): void {
    this.namesChanged = false;
    try {
      this.#disk.syncDirectory(this.#directory);
    } catch (error) {
      throw diskFailure('sync', this.#directory, 0, error);
    }
  }
}
