import { HsctlError } from '../../src/kit/errors.ts';
import { LOG_START, type LogPosition, type LogState, type Reign } from '../../src/model/position.ts';
import { BatchBuilder } from '../../src/protocol/batch/batch-builder.ts';
import { BatchCursor } from '../../src/protocol/batch/batch-cursor.ts';
import { checkSingleBatch } from '../../src/protocol/batch/check-batch.ts';
import { OP } from '../../src/protocol/batch/layout.ts';
import { trimmedBatch } from '../../src/protocol/batch/sparse-batch.ts';
import { whyNotNext } from '../../src/replication/log/continuity.ts';
import { BatchOnlyLog } from './batch-only-log.ts';
import type { AgentMemory, Log } from '../../src/replication/log/log.ts';

interface Held {
  readonly bytes: Uint8Array;
  readonly firstSeq: number;
  readonly end: LogPosition;
}

/** A log in memory for tests of what surrounds it: it checks what it is given, and has no index by key. */
export class MemoryLog extends BatchOnlyLog implements Log {
  readonly archives: Uint8Array[] = [];
  readonly memory: AgentMemory = {
    epoch: 0,
    longestGrantMs: 0,
    confirmedAlone: false,
    save(change) {
      Object.assign(this, change);
    },
  };
  readonly count = 0;
  failure: HsctlError | null = null;
  damage: HsctlError | null = null;
  intact = true;
  oldestResumable = 0;
  /** How often it was read from. */
  reads = 0;
  syncs = 0;
  /** `cut` refuses, as it does where compaction dropped what would be needed again. */
  cannotCut = false;
  /** Reading fails from now on. */
  damaged = false;
  /** Set by a test that wants to end a sync, or a cut, itself. */
  holdUntil: Promise<void> = Promise.resolve();
  #held: Held[] = [];
  #history: Reign[] = [];
  #aloneTo = 0;
  readonly #cursor = new BatchCursor();

  get end(): LogPosition {
    return this.#held.at(-1)?.end ?? LOG_START;
  }

  get appendedBytes(): number {
    return this.#held.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  get batches(): readonly Uint8Array[] {
    return this.#held.map(({ bytes }) => bytes);
  }

  /** All batches, one behind the other. */
  get bytes(): Buffer {
    return Buffer.concat(this.#held.map(({ bytes }) => bytes));
  }

  state(): LogState {
    return { end: this.end, history: this.#history, intact: this.intact, aloneTo: this.#aloneTo };
  }

  append(batch: Uint8Array): void {
    const broken = this.failure ?? this.damage;
    if (broken !== null) throw broken;
    const cursor = checkSingleBatch(batch, this.#cursor);
    const { header } = cursor;
    const wrong = whyNotNext(this.end, header, batch);
    if (wrong !== '') throw new HsctlError('format', wrong);
    if (header.sparse) this.intact = false;
    this.#held.push({ bytes: batch.slice(), firstSeq: header.firstSeq, end: header.end });
    while (cursor.next()) {
      if (cursor.op === OP.reign) this.#history = [...this.#history, { epoch: header.epoch, firstSeq: cursor.seq }];
      if (cursor.op === OP.inSync && !cursor.bytes.subarray(cursor.valueStart, cursor.end).includes(0x2c)) {
        this.#aloneTo = header.lastSeq;
      }
    }
  }

  async sync(): Promise<LogPosition> {
    const { end } = this;
    await this.holdUntil;
    this.syncs += 1;
    return end;
  }

  positionAt(seq: number): LogPosition | null {
    if (seq === 0) return LOG_START;
    return this.#held.find(({ end }) => end.seq === seq)?.end ?? null;
  }

  async readAfter(from: number, maxBytes: number): Promise<{ bytes: Uint8Array | null; lastSeq: number }> {
    this.reads += 1;
    if (this.damaged) throw new HsctlError('disk', 'log-1: damaged at offset 0');
    const start = this.#held.findIndex(({ end }) => end.seq > from);
    if (start === -1) return { bytes: null, lastSeq: from };
    const first = this.#held[start]!;
    if (first.firstSeq <= from) {
      return { bytes: trimmedBatch(new BatchCursor().open(first.bytes), from), lastSeq: first.end.seq };
    }
    let total = first.bytes.length;
    let stop = start + 1;
    while (stop < this.#held.length && total + this.#held[stop]!.bytes.length <= maxBytes) {
      total += this.#held[stop]!.bytes.length;
      stop += 1;
    }
    const stretch = this.#held.slice(start, stop);
    return { bytes: Buffer.concat(stretch.map(({ bytes }) => bytes)), lastSeq: stretch.at(-1)!.end.seq };
  }

  bytesAfter(from: number): number {
    return this.#held.reduce((sum, { bytes, end }) => (end.seq > from ? sum + bytes.length : sum), 0);
  }

  async cut(position: LogPosition): Promise<string> {
    await this.holdUntil;
    if (this.cannotCut) throw new HsctlError('refused', 'compacted');
    return this.#keep(this.#held.findIndex(({ end }) => end.seq === position.seq) + 1);
  }

  async reset(): Promise<string> {
    await this.holdUntil;
    this.intact = false;
    return this.#keep(0);
  }

  async repair(): Promise<string> {
    await this.holdUntil;
    this.damage = null;
    this.intact = false;
    return this.#keep(0);
  }

  markIntact(): void {
    this.intact = true;
  }

  setConfirmed(): void {}

  get(): null {
    return null;
  }

  valueLength(): number {
    return -1;
  }

  has(): boolean {
    return false;
  }

  scan(): { next: number; keys: readonly Uint8Array[] } {
    return { next: 0, keys: [] };
  }

  async close(): Promise<void> {}

  #keep(batches: number): string {
    this.archives.push(Buffer.concat(this.#held.slice(batches).map(({ bytes }) => bytes)));
    this.#held = this.#held.slice(0, batches);
    const { seq } = this.end;
    this.#history = this.#history.filter(({ firstSeq }) => firstSeq <= seq);
    return `archive-${this.archives.length}`;
  }
}

/** Makes batches that continue a log. */
export class LogWriter {
  readonly #builder = new BatchBuilder();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  /** Begins a reign; `inSync` is recorded behind it. */
  reign(epoch: number, inSync: readonly string[] = ['a', 'b']): Uint8Array {
    this.#builder.reign('a');
    this.#builder.inSync(inSync);
    return this.#append(epoch);
  }

  /** Appends one batch of `records` records with values of `valueBytes`, under the log's last epoch. */
  write(records: number, valueBytes: number): Uint8Array {
    const bytes = new Uint8Array(8 + valueBytes);
    for (let index = 0; index < records; index += 1) {
      new DataView(bytes.buffer).setFloat64(0, this.#log.end.seq + index);
      bytes.fill(index, 8);
      this.#builder.set(bytes, 0, 8, 8, bytes.length);
    }
    return this.#append(this.#log.end.epoch);
  }

  #append(epoch: number): Uint8Array {
    const { seq, hash } = this.#log.end;
    const batch = this.#builder.finish(epoch, seq + 1, hash);
    this.#log.append(batch);
    return batch;
  }
}
