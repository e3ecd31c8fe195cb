import { HsctlError } from '../../src/kit/errors.ts';
import { LOG_START, type LogPosition, type LogState } from '../../src/model/position.ts';
import { BatchCursor } from '../../src/protocol/batch/batch-cursor.ts';
import { checkSingleBatch } from '../../src/protocol/batch/check-batch.ts';
import { OP } from '../../src/protocol/batch/layout.ts';
import { whyNotNext } from '../../src/replication/log/continuity.ts';
import { History } from '../../src/replication/log/history.ts';
import { BatchOnlyLog } from '../replication/batch-only-log.ts';
import type { AgentMemory, Log } from '../../src/replication/log/log.ts';
import { controlRecord } from '../../src/replication/log/segment.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { SimProcess } from './sim-process.ts';

/** One batch as it stands on the disk. */
export interface StoredBatch {
  readonly bytes: Uint8Array;
  readonly firstSeq: number;
  readonly end: LogPosition;
}

/** What the checkers want to know of a store. */
export interface StoreWatch {
  appended(store: SimStore, batch: StoredBatch): void;
  /** A tail was archived and cut; `kept` is the end now. */
  cut(store: SimStore, tail: readonly StoredBatch[], kept: LogPosition): void;
  /** The machine lost power, and with it this tail. */
  lost(store: SimStore, tail: readonly StoredBatch[]): void;
}

/**
 * What one node has on its disk: the batches of its log and the few values beside it. It outlives the process; when the
 * machine loses its power, some of what was not synced is gone.
 */
export class SimStore {
  readonly node: string;
  readonly syncsAlways: boolean;
  batches: StoredBatch[] = [];
  /** So many batches are on stable storage. */
  syncedBatches = 0;
  epoch = 0;
  longestGrantMs = 0;
  confirmedAlone = false;
  intact = false;
  archives = 0;
  /** With a real log: a cut to here is under way. */
  cuttingTo: number | null = null;
  /** What a read would find wrong; null if nothing. It stays until the store is made anew. */
  damage: HsctlError | null = null;
  /** The disk refuses everything until it is mended. */
  broken = false;
  /** Factor on the time that a sync takes. */
  slowness = 1;
  readonly #watch: StoreWatch;

  constructor(node: string, syncsAlways: boolean, watch: StoreWatch) {
    this.node = node;
    this.syncsAlways = syncsAlways;
    this.#watch = watch;
  }

  get end(): LogPosition {
    return this.batches.at(-1)?.end ?? LOG_START;
  }

  /** Position of the record: the epoch under which `seq` stands in this log, or null if it has none. */
  epochAt(seq: number): number | null {
    return this.batchOf(seq)?.end.epoch ?? null;
  }

  batchOf(seq: number): StoredBatch | null {
    let low = 0;
    let high = this.batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.batches[middle]!.end.seq < seq) low = middle + 1;
      else high = middle;
    }
    const batch = this.batches[low];
    return batch !== undefined && seq >= 1 && batch.firstSeq <= seq ? batch : null;
  }

  add(batch: StoredBatch): void {
    this.batches.push(batch);
    this.#watch.appended(this, batch);
  }

  /** Cuts behind the batch that ends at `seq`. */
  cut(seq: number): void {
    const keep = seq === 0 ? 0 : this.batches.findIndex(({ end }) => end.seq === seq) + 1;
    const tail = this.batches.splice(keep);
    this.syncedBatches = Math.min(this.syncedBatches, keep);
    this.archives += 1;
    this.#watch.cut(this, tail, this.end);
  }

  /** A store that was not closed in order may lack what was confirmed, unless each confirmation waited for the disk. */
  losePower(random: SeededRandom): void {
    const unsynced = this.batches.length - this.syncedBatches;
    const keep = this.syncedBatches + random.int(unsynced + 1);
    this.syncedBatches = keep;
    if (!this.syncsAlways) this.intact = false;
    this.#loseBatches(keep);
  }

  /** Everything behind `seq` is gone. */
  lose(seq: number): void {
    this.#loseBatches(this.batches.findLastIndex(({ end }) => end.seq <= seq) + 1);
  }

  #loseBatches(keep: number): void {
    const tail = this.batches.splice(keep);
    if (tail.length > 0) this.#watch.lost(this, tail);
  }
}

/** The log of one run of an agent over its store. */
export class SimLog extends BatchOnlyLog implements Log {
  readonly store: SimStore;
  readonly memory: AgentMemory;
  readonly #process: SimProcess;
  readonly #random: SeededRandom;
  readonly #cursor = new BatchCursor();
  #history = new History();
  #values = new Map<string, Uint8Array>();
  #appendedBytes = 0;
  #failure: HsctlError | null = null;
  #cutting = false;

  constructor(store: SimStore, process: SimProcess, random: SeededRandom) {
    super();
    this.store = store;
    this.#process = process;
    this.#random = random;
    this.memory = new SimMemory(store, process);
    this.#load();
  }

  get end(): LogPosition {
    return this.store.end;
  }

  get appendedBytes(): number {
    return this.#appendedBytes;
  }

  get oldestResumable(): number {
    return 0;
  }

  get failure(): HsctlError | null {
    return this.#failure;
  }

  get damage(): HsctlError | null {
    return this.store.damage;
  }

  get count(): number {
    return this.#values.size;
  }

  state(): LogState {
    const { end, intact } = this.store;
    return { end, history: this.#history.reigns, intact, aloneTo: this.#history.aloneTo(end.seq) };
  }

  append(batch: Uint8Array): void {
    this.#check();
    const cursor = checkSingleBatch(batch, this.#cursor);
    const { header } = cursor;
    const wrong = whyNotNext(this.end, header, batch);
    if (wrong !== '') throw new HsctlError('format', wrong);
    if (this.#cutting) throw new Error('invariant broken: an append while the log is being cut');
    if (!this.#process.effect()) return;
    const stored = { bytes: batch.slice(), firstSeq: header.firstSeq, end: header.end };
    this.#index(stored);
    this.store.add(stored);
  }

  async sync(): Promise<LogPosition> {
    this.#check();
    const { store } = this;
    const { end } = this;
    const { archives } = store;
    const batches = store.batches.length;
    await this.#later(this.#random.spread(0.2, 4) * store.slowness);
    this.#check();
    // A cut in between took some of it away.
    if (store.archives !== archives) return this.sync();
    store.syncedBatches = Math.max(store.syncedBatches, batches);
    return end;
  }

  positionAt(seq: number): LogPosition | null {
    if (seq === 0) return LOG_START;
    const batch = this.store.batchOf(seq);
    return batch?.end.seq === seq ? batch.end : null;
  }

  async readAfter(from: number, maxBytes: number): Promise<{ bytes: Uint8Array | null; lastSeq: number }> {
    await this.#later(this.#random.spread(0.05, 2));
    const start = this.store.batches.findIndex(({ end }) => end.seq > from);
    const first = this.store.batches[start];
    if (first === undefined || first.firstSeq !== from + 1) return { bytes: null, lastSeq: from };
    const taken: StoredBatch[] = [first];
    let bytes = first.bytes.length;
    for (const batch of this.store.batches.slice(start + 1)) {
      bytes += batch.bytes.length;
      if (bytes > maxBytes) break;
      taken.push(batch);
    }
    return { bytes: Buffer.concat(taken.map((batch) => batch.bytes)), lastSeq: taken.at(-1)!.end.seq };
  }

  bytesAfter(from: number): number {
    let bytes = 0;
    for (let at = this.store.batches.length - 1; at >= 0; at -= 1) {
      const batch = this.store.batches[at]!;
      if (batch.end.seq <= from) break;
      bytes += batch.bytes.length;
    }
    return bytes;
  }

  async cut(position: LogPosition): Promise<string> {
    this.#check();
    const known = this.positionAt(position.seq);
    if (known === null || known.epoch !== position.epoch || known.hash !== position.hash)
      throw new HsctlError('refused', 'the log has no batch that ends there');
    if (position.seq === this.end.seq) return '';
    return this.#cutTo(position.seq);
  }

  async reset(): Promise<string> {
    this.#check();
    const path = await this.#cutTo(0);
    this.store.intact = false;
    return path;
  }

  async repair(): Promise<string> {
    if (this.#failure !== null) throw this.#failure;
    const path = await this.#cutTo(0);
    if (this.#process.alive) {
      this.store.intact = false;
      this.store.damage = null;
    }
    return path;
  }

  markIntact(): void {
    if (this.#process.alive) this.store.intact = true;
  }

  setConfirmed(): void {}

  get(key: Uint8Array): Uint8Array | null {
    return this.#values.get(nameOf(key)) ?? null;
  }

  valueLength(key: Uint8Array): number {
    return this.get(key)?.length ?? -1;
  }

  scan(): { next: number; keys: readonly Uint8Array[] } {
    return { next: 0, keys: [...this.#values.keys()].map((name) => Buffer.from(name, 'latin1')) };
  }

  async close(): Promise<void> {}

  async #cutTo(seq: number): Promise<string> {
    this.#cutting = true;
    await this.#later(this.#random.spread(0.5, 20));
    this.#cutting = false;
    if (this.#process.effect()) {
      this.store.cut(seq);
      this.#load();
    }
    return `archive-${this.store.node}-${this.store.archives}`;
  }

  #load(): void {
    this.#history = new History();
    this.#values = new Map();
    for (const batch of this.store.batches) this.#index(batch);
  }

  #index(batch: StoredBatch): void {
    const cursor = this.#cursor.open(batch.bytes);
    this.#appendedBytes += batch.bytes.length;
    while (cursor.next()) {
      const { op, bytes, keyStart, valueStart, end } = cursor;
      if (op === OP.set) this.#values.set(nameOf(bytes.subarray(keyStart, valueStart)), bytes.slice(valueStart, end));
      else if (op === OP.delete) this.#values.delete(nameOf(bytes.subarray(keyStart, valueStart)));
      else this.#history.add(controlRecord(cursor));
    }
  }

  /** Resolves when the disk is done; never if the process died meanwhile. */
  #later(delayMs: number): Promise<void> {
    const { world } = this.#process.machine;
    return new Promise((resolve) => {
      world.after(delayMs, () => this.#process.run(resolve));
    });
  }

  #check(): void {
    if (this.store.broken) this.#failure ??= new HsctlError('disk', 'write: no space left on device');
    const wrong = this.#failure ?? this.damage;
    if (wrong !== null) throw wrong;
  }
}

class SimMemory implements AgentMemory {
  readonly #store: SimStore;
  readonly #process: SimProcess;

  constructor(store: SimStore, process: SimProcess) {
    this.#store = store;
    this.#process = process;
  }

  get epoch(): number {
    return this.#store.epoch;
  }

  get longestGrantMs(): number {
    return this.#store.longestGrantMs;
  }

  get confirmedAlone(): boolean {
    return this.#store.confirmedAlone;
  }

  save(change: Parameters<AgentMemory['save']>[0]): void {
    if (this.#store.broken) throw new HsctlError('disk', 'write: no space left on device');
    if (!this.#process.effect()) return;
    this.#store.epoch = change.epoch ?? this.#store.epoch;
    this.#store.longestGrantMs = change.longestGrantMs ?? this.#store.longestGrantMs;
    this.#store.confirmedAlone = change.confirmedAlone ?? this.#store.confirmedAlone;
  }
}

function nameOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}
