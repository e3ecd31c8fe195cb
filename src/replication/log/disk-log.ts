import { HsctlError } from '../../kit/errors.ts';
import type { LogPosition, LogState } from '../../model/position.ts';
import { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import { damaged } from '../../protocol/batch/batch-header.ts';
import { checkSingleBatch, checkSinglePayload } from '../../protocol/batch/check-batch.ts';
import { Compactor } from './compaction/compactor.ts';
import { whyNotNext } from './continuity.ts';
import { Damage, diskFailure } from './disk-failure.ts';
import { classBytes } from './fingerprint.ts';
import type { IndexKey } from './index-key.ts';
import { Intake } from './intake.ts';
import type { AgentMemory, Log } from './log.ts';
import { ReadBack } from './read-back.ts';
import type { ReadResult } from './log-reader.ts';
import { RecordReader } from './record-reader.ts';
import { Sealer } from './sealer.ts';
import type { Segment } from './segment.ts';
import type { Shipment } from './shipment.ts';
import { Store, type StoreOptions } from './store.ts';
import { StoreLock } from './store-lock.ts';
import { cutLog, resetLog } from './truncate-log.ts';

/** A segment with more entries than this is complete, whatever its bytes: they are kept in memory until its hint is made. */
const SEGMENT_ENTRIES = 2 * 1024 * 1024;

/** The log on a disk. */
export class DiskLog implements Log {
  readonly #store: Store;
  readonly #records = new RecordReader();
  readonly #cursor = new BatchCursor();
  readonly #intake: Intake;
  readonly #sealer: Sealer;
  readonly #compactor: Compactor;
  readonly #readBack: ReadBack;
  #appendedBytes: number;
  #failure: HsctlError | null = null;
  /** A cut or reset is under way, or the log is closed. */
  #closedTo: string | null = null;

  /**
   * Opens the store, or makes it.
   * @throws HsctlError('refused') if another process has it; HsctlError('disk') if it is damaged or cannot be read.
   */
  static open(options: StoreOptions): DiskLog {
    const { disk, directory } = options;
    try {
      disk.makeDirectory(directory);
    } catch (error) {
      throw diskFailure('make', directory, 0, error);
    }
    const lock = StoreLock.take(disk, directory);
    try {
      return new DiskLog(new Store(options, lock));
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  private constructor(store: Store) {
    this.#store = store;
    this.#intake = new Intake(store);
    this.#sealer = new Sealer(store);
    this.#compactor = new Compactor(store);
    this.#readBack = new ReadBack(store, (thrown) => this.#troubled('read back', thrown));
    this.#appendedBytes = store.segments.bytes;
  }

  get end(): LogPosition {
    return this.#store.segments.end;
  }

  get memory(): AgentMemory {
    return this.#store.meta;
  }

  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get failure(): HsctlError | null {
    return this.#failure;
  }

  get count(): number {
    return this.#store.index.keys.count;
  }

  get oldestResumable(): number {
    return this.#store.segments.list.reduce((seq, segment) => Math.max(seq, segment.forgetfulTo), 0);
  }

  state(): LogState {
    const { history, meta } = this.#store;
    const intact = meta.intact && this.damage === null;
    return { end: this.end, history: history.reigns, intact, aloneTo: history.aloneTo(this.end.seq) };
  }

  append(batch: Uint8Array, own = false): void {
    this.#checkOpen();
    if (own || this.#intake.segment === null) this.#settleNow();
    const expecting = this.#intake.segment;
    const check = expecting === null ? checkSingleBatch : checkSinglePayload;
    const { header } = own ? this.#cursor.open(batch) : check(batch, this.#cursor);
    const wrong = whyNotNext(this.end, header, batch);
    if (wrong !== '') throw damaged(wrong);
    const { meta, index, history } = this.#store;
    try {
      // What a sparse batch leaves out may have been dropped because of records that are still to come.
      if (header.sparse && meta.intact) meta.setIntact(false);
      const segment = expecting ?? this.#writableSegment(batch.length);
      segment.write(batch, expecting !== null);
      if (expecting === null) {
        for (const record of index.apply(this.#cursor, segment, segment.bytes)) history.add(record);
        segment.add(header, batch);
      } else {
        this.#intake.take(header, batch.length);
      }
      this.#appendedBytes += batch.length;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  get indexKey(): IndexKey {
    return this.#store.indexKey;
  }

  takeIndexKey(key: IndexKey, keys: number): void {
    this.#checkOpen();
    if (this.end.seq > 0) throw new Error('invariant broken: the index was to get another key and is not empty');
    this.#store.takeIndexKey(key, keys);
  }

  ship(from: number): Shipment | null {
    return this.#store.ship(from, (error) => this.#seen(error));
  }

  expect(hint: Uint8Array): void {
    this.#checkOpen();
    this.#orFail(() => this.#intake.expect(hint));
  }

  get hasRoom(): boolean {
    return this.#intake.hasRoom;
  }

  room(): Promise<void> {
    return this.#orFailLater(() => this.#intake.room());
  }

  get isExpecting(): boolean {
    return this.#intake.segment !== null;
  }

  get isSettled(): boolean {
    return this.#intake.isSettled;
  }

  async settle(): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    await this.#orFailLater(() => this.#intake.settle());
    if (this.#closedTo === null) this.#readBack.start();
  }

  async sync(): Promise<LogPosition> {
    if (this.#failure !== null) throw this.#failure;
    try {
      const end = await this.#store.syncer.sync();
      this.#tidy();
      return end;
    } catch (error) {
      throw this.#fail(error);
    }
  }

  get damage(): HsctlError | null {
    return this.#store.damage;
  }

  positionAt(seq: number): LogPosition | null {
    try {
      return this.#store.reader.positionAt(seq);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  async readAfter(from: number, maxBytes: number, room?: Uint8Array): Promise<ReadResult> {
    try {
      return await this.#store.reader.readAfter(from, maxBytes, room);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  bytesAfter(from: number): number {
    return this.#store.reader.bytesAfter(from);
  }

  cut(position: LogPosition): Promise<string> {
    return this.#change('is being cut', async () => {
      await this.#intake.settle();
      return cutLog(this.#store, position);
    });
  }

  reset(): Promise<string> {
    return this.#change('is being reset', () => {
      this.#intake.forget();
      return resetLog(this.#store, `log-1-${this.end.seq}`);
    });
  }

  async repair(): Promise<string> {
    if (this.#failure !== null) throw this.#failure;
    if (this.#store.damage === null) throw new Error('invariant broken: the log was to be repaired and is not damaged');
    this.#closedTo = 'is being repaired';
    try {
      await this.#quiet();
      this.#intake.forget();
      const path = resetLog(this.#store, 'damaged-log');
      this.#compactor.noteCut(0);
      this.#store.damage = null;
      return path;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#closedTo = null;
    }
  }

  markIntact(): void {
    const { meta } = this.#store;
    if (meta.intact) return;
    this.#orFail(() => this.#intake.writeNow());
    // Sparse batches may have come: what they left out was dropped because of records up to here.
    meta.setFloor(Math.max(meta.floor, this.end.seq));
    meta.setIntact(true);
  }

  setConfirmed(seq: number): void {
    this.#compactor.setConfirmed(seq);
  }

  /**
   * Rewrites one run of segments, if one is due, and resolves to whether it did. Done by itself whenever a segment is
   * complete; here for those who want to wait for it.
   */
  async compact(): Promise<boolean> {
    this.#checkOpen();
    await this.#sealer.run();
    return this.#closedTo === null && this.#compactor.compact();
  }

  get(key: Uint8Array): Uint8Array | null {
    const { index, segments } = this.#store;
    if (!index.find(key)) return null;
    const { segment, offset, size } = index.keys;
    try {
      return this.#records.value(segments.byId(segment), offset, classBytes(size), key);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  valueLength(key: Uint8Array): number {
    const { index, segments } = this.#store;
    if (!index.find(key)) return -1;
    const { segment, offset } = index.keys;
    try {
      return this.#records.valueLength(segments.byId(segment), offset, key);
    } catch (error) {
      throw this.#seen(error);
    }
  }

  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] } {
    const { index, segments } = this.#store;
    const keys: Uint8Array[] = [];
    try {
      const next = index.keys.scan(cursor, count, (segment, offset) => {
        keys.push(this.#records.key(segments.byId(segment), offset));
      });
      return { next, keys };
    } catch (error) {
      throw this.#seen(error);
    }
  }

  async close(): Promise<void> {
    this.#closedTo = 'is closed';
    try {
      await this.#quiet();
      this.#intake.forget();
      if (this.#failure !== null || this.damage !== null) return;
      await this.#store.syncer.sync();
      await this.#sealer.run();
      this.#store.meta.setClean();
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#store.close();
    }
  }

  /** Runs a change of the whole log, while nothing else changes it. */
  async #change(what: string, change: () => string | Promise<string>): Promise<string> {
    this.#checkOpen();
    this.#closedTo = what;
    try {
      await this.#quiet();
      const path = await change();
      this.#compactor.noteCut(this.end.seq);
      return path;
    } catch (error) {
      throw this.#fail(error);
    } finally {
      this.#closedTo = null;
    }
  }

  #checkOpen(): void {
    const wrong = this.#failure ?? this.damage;
    if (wrong !== null) throw wrong;
    if (this.#closedTo !== null) throw new Error(`invariant broken: the log is changed while it ${this.#closedTo}`);
  }

  /** Resolves once nothing goes on in the background. */
  async #quiet(): Promise<void> {
    await Promise.all([this.#compactor.stop(), this.#sealer.idle(), this.#readBack.stop()]);
  }

  /** The segment that takes the next batch: the last one, or a new one. */
  #writableSegment(bytes: number): Segment {
    const { segments, options } = this.#store;
    const { last } = segments;
    if (last === undefined || last.sealedAtWallMs !== null) return this.#store.addSegment();
    const full = last.bytes + bytes > options.segmentBytes || (last.entries?.count ?? 0) > SEGMENT_ENTRIES;
    if (!full || last.bytes === 0) return last;
    last.sealedAtWallMs = options.clock.wallMs();
    return this.#store.addSegment();
  }

  #settleNow(): void {
    if (!this.#intake.isSettled) this.#orFail(() => this.#intake.settleNow());
  }

  #orFail(work: () => void): void {
    try {
      work();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  async #orFailLater(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #fail(error: unknown): unknown {
    if (error instanceof Damage) return this.#seen(error);
    if (error instanceof HsctlError && error.code === 'disk') this.#failure ??= error;
    return error;
  }

  /** A read failed: reads may go on, and writes too, unless what is on the disk is not what was written. */
  #seen(error: unknown): unknown {
    if (!(error instanceof Damage)) return error;
    try {
      this.#store.noteDamage(error);
    } catch (failure) {
      return this.#fail(failure);
    }
    return error;
  }

  /** Hint files for complete segments, and compaction, in the background. */
  #tidy(): void {
    if (this.#closedTo !== null || this.damage !== null || !this.#sealer.due) return;
    this.#tidyUp().catch((error: unknown) => this.#troubled('tidy up in', error));
  }

  #troubled(action: string, error: unknown): void {
    this.#seen(error);
    this.#store.options.onTrouble(diskFailure(action, this.#store.options.directory, 0, error));
  }

  async #tidyUp(): Promise<void> {
    await this.#sealer.run();
    if (this.#closedTo === null && this.isSettled) this.#readBack.start();
    while (this.#closedTo === null && (await this.#compactor.compact()));
  }
}
