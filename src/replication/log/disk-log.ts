import type { Clock } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { Random } from '../../kit/random.ts';
import { type LogPosition, type LogState } from '../../model/position.ts';
import { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import { damaged } from '../../protocol/batch/batch-header.ts';
import { checkSingleBatch } from '../../protocol/batch/check-batch.ts';
import { archivePath, moveLog, writeArchive } from './archive.ts';
import { whyNotNext } from './continuity.ts';
import { type TailStart, prepareCut } from './cut-tail.ts';
import type { Disk } from './disk.ts';
import { diskFailure } from './disk-failure.ts';
import { Fingerprint, classBytes } from './fingerprint.ts';
import { History } from './history.ts';
import { loadIndex } from './load-index.ts';
import type { AgentMemory, Log } from './log.ts';
import { LogIndex } from './log-index.ts';
import { LogReader, type ReadResult } from './log-reader.ts';
import { type TornTail, openSegments } from './open-segments.ts';
import { RecordReader } from './record-reader.ts';
import { Sealer } from './sealer.ts';
import { Segment, fileName } from './segment.ts';
import { SegmentSet } from './segment-set.ts';
import { StoreLock } from './store-lock.ts';
import { StoreMeta } from './store-meta.ts';
import { SyncMark } from './sync-mark.ts';
import { Syncer } from './syncer.ts';

export interface DiskLogOptions {
  readonly disk: Disk;
  /** Absolute path of the store; made if it is not there. */
  readonly directory: string;
  /** A segment that has this many bytes is complete. */
  readonly segmentBytes: number;
  /** Whether every confirmation waits for a sync: then the log stays intact when the machine goes down. */
  readonly fsyncAlways: boolean;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of what a crash left unfinished at the log's end, after it was cut off. */
  readonly onTornTail: (tail: TornTail) => void;
  /** Told of an error of the work in the background, which does not stop the log. */
  readonly onTrouble: (error: HsctlError) => void;
}

/** A segment with more entries than this is complete, whatever its bytes: they are kept in memory until its hint is made. */
const SEGMENT_ENTRIES = 2 * 1024 * 1024;

/** The log on a disk. */
export class DiskLog implements Log {
  readonly memory: AgentMemory;
  readonly #options: DiskLogOptions;
  readonly #lock: StoreLock;
  readonly #meta: StoreMeta;
  readonly #mark: SyncMark;
  readonly #segments = new SegmentSet();
  readonly #fingerprint: Fingerprint;
  readonly #history = new History();
  readonly #reader = new LogReader(this.#segments);
  readonly #records = new RecordReader();
  readonly #cursor = new BatchCursor();
  readonly #syncer: Syncer;
  readonly #sealer: Sealer;
  #index: LogIndex;
  #generation = 0;
  #appendedBytes: number;
  #failure: HsctlError | null = null;
  #cutting = false;

  /**
   * Opens the store, or makes it.
   * @throws HsctlError('refused') if another process has it; HsctlError('disk') if it is damaged or cannot be read.
   */
  static open(options: DiskLogOptions): DiskLog {
    const { disk, directory } = options;
    try {
      disk.makeDirectory(directory);
    } catch (error) {
      throw diskFailure('make', directory, 0, error);
    }
    const lock = StoreLock.take(disk, directory);
    try {
      return new DiskLog(options, lock);
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(options: DiskLogOptions, lock: StoreLock) {
    const { disk, directory } = options;
    this.#options = options;
    this.#lock = lock;
    const meta = StoreMeta.open(disk, directory, options.fsyncAlways, options.random);
    this.#meta = meta;
    this.memory = meta;
    this.#mark = new SyncMark(disk, directory);
    this.#fingerprint = new Fingerprint(meta.key);
    this.#index = new LogIndex(meta.key, this.#segments.liveBytes);
    this.#syncer = new Syncer(disk, directory, this.#segments, this.#mark);
    this.#sealer = new Sealer({ disk, directory, store: meta.store, segments: this.#segments });
    if (meta.movingTo !== null) this.#finishMove(meta.movingTo);
    this.#load();
    this.#appendedBytes = this.#segments.bytes;
  }

  get end(): LogPosition {
    return this.#segments.end;
  }

  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get failure(): HsctlError | null {
    return this.#failure;
  }

  get count(): number {
    return this.#index.keys.count;
  }

  get oldestResumable(): number {
    return this.#segments.list.reduce((seq, segment) => Math.max(seq, segment.forgetfulTo), 0);
  }

  state(): LogState {
    return {
      end: this.end,
      history: this.#history.reigns,
      intact: this.#meta.intact,
      aloneTo: this.#history.aloneTo(this.end.seq),
    };
  }

  append(batch: Uint8Array): void {
    if (this.#failure !== null) throw this.#failure;
    if (this.#cutting) throw new Error('invariant broken: an append while the log is being cut');
    const { header } = checkSingleBatch(batch, this.#cursor);
    const wrong = whyNotNext(this.end, header, batch);
    if (wrong !== '') throw damaged(wrong);
    try {
      if (header.sparse && this.#meta.intact) this.#meta.setIntact(false);
      const segment = this.#writableSegment(batch.length);
      this.#write(segment, batch);
      for (const record of this.#index.apply(this.#cursor, segment, segment.bytes)) this.#history.add(record);
      segment.add(header, batch);
      this.#appendedBytes += batch.length;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async sync(): Promise<LogPosition> {
    if (this.#failure !== null) throw this.#failure;
    try {
      const end = await this.#syncer.sync();
      this.#seal();
      return end;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  positionAt(seq: number): LogPosition | null {
    return this.#reader.positionAt(seq);
  }

  readAfter(from: number, maxBytes: number): Promise<ReadResult> {
    return this.#reader.readAfter(from, maxBytes);
  }

  bytesAfter(from: number): number {
    return this.#reader.bytesAfter(from);
  }

  async cut(position: LogPosition): Promise<string> {
    const tail = this.#tailBehind(position);
    if (tail === null) return '';
    this.#cutting = true;
    try {
      await this.#syncer.sync();
      await this.#sealer.idle();
      const path = await this.#archiveTail(position, tail);
      const prepared = await prepareCut(this.#cutContext(), tail);
      this.#reader.noteCut();
      prepared.commit();
      this.#history.cut(position.seq);
      return path;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#cutting = false;
    }
  }

  async reset(): Promise<string> {
    this.#cutting = true;
    try {
      await this.#sealer.idle();
      const { disk, directory } = this.#options;
      const path = archivePath(disk, directory, `log-1-${this.end.seq}`);
      this.#meta.beginMove(path);
      this.#reader.noteCut();
      this.#segments.clear();
      this.#index = new LogIndex(this.#meta.key, this.#segments.liveBytes);
      this.#history.cut(0);
      this.#finishMove(path);
      return path;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#cutting = false;
    }
  }

  markIntact(): void {
    if (this.#meta.intact) return;
    // Sparse batches may have come since: what they left out was dropped because of records that came after them.
    this.#meta.setFloor(Math.max(this.#meta.floor, this.end.seq));
    this.#meta.setIntact(true);
  }

  setConfirmed(_seq: number): void {}

  get(key: Uint8Array): Uint8Array | null {
    if (!this.#index.find(key)) return null;
    const { segment, offset, size } = this.#index.keys;
    return this.#records.value(this.#segments.byId(segment), offset, classBytes(size), key);
  }

  valueLength(key: Uint8Array): number {
    if (!this.#index.find(key)) return -1;
    const { segment, offset } = this.#index.keys;
    return this.#records.valueLength(this.#segments.byId(segment), offset, key);
  }

  has(key: Uint8Array): boolean {
    return this.#index.find(key);
  }

  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] } {
    const keys: Uint8Array[] = [];
    const next = this.#index.keys.scan(cursor, count, (segment, offset) => {
      keys.push(this.#records.key(this.#segments.byId(segment), offset));
    });
    return { next, keys };
  }

  async close(): Promise<void> {
    try {
      await this.#sealer.idle();
      if (this.#failure === null) {
        await this.sync();
        await this.#sealer.idle();
        this.#meta.setClean();
      }
    } finally {
      this.#segments.clear();
      this.#mark.close();
      this.#lock.release();
    }
  }

  #load(): void {
    const { disk, directory } = this.#options;
    const { store, key, sameBoot } = this.#meta;
    const { onTornTail } = this.#options;
    const synced = this.#mark.read();
    const hints = openSegments({ disk, directory, store, key, sameBoot, synced, onTornTail }, this.#segments);
    try {
      const { list } = this.#segments;
      loadIndex(this.#index, list, hints, this.#fingerprint);
      for (const segment of list) {
        this.#generation = Math.max(this.#generation, segment.name.generation);
        for (const record of segment.controls) this.#history.add(record);
      }
    } finally {
      for (const hint of hints.values()) hint.close();
    }
    for (const segment of this.#segments.list.slice(0, -1)) segment.sealedAtWallMs ??= this.#options.clock.wallMs();
  }

  /** The segment that takes the next batch: the last one, or a new one. */
  #writableSegment(bytes: number): Segment {
    const { last } = this.#segments;
    if (last !== undefined && last.sealedAtWallMs === null) {
      const full = last.bytes + bytes > this.#options.segmentBytes || (last.entries?.count ?? 0) > SEGMENT_ENTRIES;
      if (!full || last.bytes === 0) return last;
      last.sealedAtWallMs = this.#options.clock.wallMs();
    }
    this.#generation += 1;
    const name = { firstSeq: this.end.seq + 1, generation: this.#generation };
    const path = `${this.#options.directory}/${fileName(name, 'log')}`;
    try {
      const file = this.#options.disk.open(path, 'create');
      const segment = new Segment(this.#segments.takeId(), name, file, this.end);
      this.#segments.push(segment);
      this.#syncer.namesChanged = true;
      return segment;
    } catch (error) {
      throw diskFailure('make', path, 0, error);
    }
  }

  #write(segment: Segment, batch: Uint8Array): void {
    try {
      segment.file.write(batch, segment.bytes);
    } catch (error) {
      throw diskFailure('write', segment.file.path, segment.bytes, error);
    }
  }

  #fail(error: unknown): unknown {
    if (error instanceof HsctlError && error.code === 'disk') this.#failure ??= error;
    return error;
  }

  #seal(): void {
    this.#sealer.run().catch((error: unknown) => {
      this.#options.onTrouble(diskFailure('write a hint file in', this.#options.directory, 0, error));
    });
  }

  /** Where the tail begins, or null if there is none. */
  #tailBehind(position: LogPosition): TailStart | null {
    const known = this.positionAt(position.seq);
    if (known === null || known.epoch !== position.epoch || known.hash !== position.hash) {
      throw cannotCut(position, 'the log has no batch that ends there');
    }
    if (position.seq === this.end.seq) return null;
    if (position.seq < this.#meta.floor) {
      throw cannotCut(position, `records up to ${this.#meta.floor} were compacted`);
    }
    const { list } = this.#segments;
    const index = list.findIndex((segment) => segment.end.seq > position.seq);
    const segment = list[index]!;
    return { segment, offset: this.#reader.offsetBehind(segment, position.seq), later: list.slice(index + 1) };
  }

  async #archiveTail(position: LogPosition, tail: TailStart): Promise<string> {
    const { disk, directory } = this.#options;
    const path = archivePath(disk, directory, `tail-${position.seq + 1}-${this.end.seq}.log`);
    const parts = [{ segment: tail.segment, from: tail.offset }];
    for (const segment of tail.later) parts.push({ segment, from: 0 });
    await writeArchive(disk, directory, path, parts);
    return path;
  }

  #cutContext(): Parameters<typeof prepareCut>[0] {
    const { disk, directory } = this.#options;
    return {
      disk,
      directory,
      store: this.#meta.store,
      segments: this.#segments,
      index: this.#index,
      fingerprint: this.#fingerprint,
      syncer: this.#syncer,
    };
  }

  #finishMove(path: string): void {
    this.#syncer.lower({ firstSeq: 0, generation: 0 }, 0);
    moveLog(this.#options.disk, this.#options.directory, path);
    this.#meta.endMove();
  }
}

function cannotCut(position: LogPosition, why: string): HsctlError {
  return new HsctlError(
    'refused',
    `the log cannot be cut behind ${position.epoch}-${position.seq}: ${why}`,
    'move the whole log to an archive and copy the state from the peer',
  );
}
