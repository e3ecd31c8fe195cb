import type { HsctlError } from '../../src/kit/errors.ts';
import type { LogPosition, LogState } from '../../src/model/position.ts';
import { BatchHeader } from '../../src/protocol/batch/batch-header.ts';
import type { DiskLog } from '../../src/replication/log/disk-log.ts';
import type { IndexKey } from '../../src/replication/log/index-key.ts';
import type { AgentMemory, Log } from '../../src/replication/log/log.ts';
import type { Shipment } from '../../src/replication/log/shipment.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimStore } from './sim-store.ts';

/** The real log on a simulated disk, with a copy of what it holds for the checkers. */
export class MirroredLog implements Log {
  readonly #log: DiskLog;
  readonly #process: SimProcess;
  readonly #mirror: SimStore;
  readonly #header = new BatchHeader();

  constructor(log: DiskLog, process: SimProcess, mirror: SimStore) {
    this.#log = log;
    this.#process = process;
    this.#mirror = mirror;
  }

  get memory(): AgentMemory {
    return this.#log.memory;
  }

  get end(): LogPosition {
    return this.#log.end;
  }

  get appendedBytes(): number {
    return this.#log.appendedBytes;
  }

  get oldestResumable(): number {
    return this.#log.oldestResumable;
  }

  get failure(): HsctlError | null {
    return this.#log.failure;
  }

  get damage(): HsctlError | null {
    return this.#log.damage;
  }

  get count(): number {
    return this.#log.count;
  }

  state(): LogState {
    return this.#log.state();
  }

  /** Where the process dies in the middle of it, the batch may be there or not: the next start tells. */
  append(batch: Uint8Array, own?: boolean): void {
    if (!this.#process.alive) return;
    try {
      this.#log.append(batch, own);
      this.#note(batch);
    } catch (error) {
      if (!this.#process.alive) this.#note(batch);
      throw error;
    }
  }

  sync(): Promise<LogPosition> {
    return this.#log.sync();
  }

  positionAt(seq: number): LogPosition | null {
    return this.#log.positionAt(seq);
  }

  readAfter(from: number, maxBytes: number, room?: Uint8Array): ReturnType<Log['readAfter']> {
    return this.#log.readAfter(from, maxBytes, room);
  }

  bytesAfter(from: number): number {
    return this.#log.bytesAfter(from);
  }

  get indexKey(): IndexKey {
    return this.#log.indexKey;
  }

  takeIndexKey(key: IndexKey, keys: number): void {
    if (this.#process.alive) this.#log.takeIndexKey(key, keys);
  }

  ship(from: number): Shipment | null {
    return this.#log.ship(from);
  }

  expect(hint: Uint8Array): void {
    if (this.#process.alive) this.#log.expect(hint);
  }

  get hasRoom(): boolean {
    return this.#log.hasRoom;
  }

  room(): Promise<void> {
    return this.#log.room();
  }

  get isExpecting(): boolean {
    return this.#log.isExpecting;
  }

  get isSettled(): boolean {
    return this.#log.isSettled;
  }

  settle(): Promise<void> {
    return this.#log.settle();
  }

  async cut(position: LogPosition): Promise<string> {
    this.#mirror.cuttingTo = position.seq;
    const path = await this.#log.cut(position);
    if (path !== '') this.#cutMirror(position.seq);
    return path;
  }

  async reset(): Promise<string> {
    this.#mirror.cuttingTo = 0;
    const path = await this.#log.reset();
    this.#cutMirror(0);
    return path;
  }

  async repair(): Promise<string> {
    this.#mirror.cuttingTo = 0;
    const path = await this.#log.repair();
    this.#cutMirror(0);
    return path;
  }

  markIntact(): void {
    if (this.#process.alive) this.#log.markIntact();
  }

  setConfirmed(seq: number): void {
    this.#log.setConfirmed(seq);
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.#log.get(key);
  }

  valueLength(key: Uint8Array): number {
    return this.#log.valueLength(key);
  }

  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] } {
    return this.#log.scan(cursor, count);
  }

  close(): Promise<void> {
    return this.#log.close();
  }

  #note(batch: Uint8Array): void {
    const { firstSeq, end } = this.#header.read(batch);
    this.#mirror.add({ bytes: batch.slice(), firstSeq, end });
  }

  #cutMirror(seq: number): void {
    this.#mirror.cuttingTo = null;
    if (this.#mirror.end.seq > seq) this.#mirror.cut(seq);
  }
}
