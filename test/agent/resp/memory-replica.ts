import type { LogPosition, Reign } from '../../../src/model/position.ts';
import type { LogEntry, Replica, WriteGate } from '../../../src/replication/replica.ts';

type Listener = () => void;

class Listeners {
  readonly #all = new Set<Listener>();

  readonly add = (listener: Listener): (() => void) => {
    this.#all.add(listener);
    return () => this.#all.delete(listener);
  };

  call(): void {
    for (const listener of this.#all) listener();
  }

  get count(): number {
    return this.#all.size;
  }
}

/** A replica in memory whose confirmations, gates and reigns are in the hands of the test. */
export class MemoryReplica implements Replica {
  /** Confirm each turn's records at the turn's end; else `confirm` does. */
  automatic = true;
  gateState: WriteGate = { state: 'open' };
  refusal: string | null = null;
  holderCount = 1;
  resumableFrom = 0;
  reigns: Reign[] = [{ epoch: 1, firstSeq: 1 }];
  records: LogEntry[] = [];
  /** How often a transaction was begun, and whether one is open. */
  atomic = { begun: 0, depth: 0 };
  /** Thrown by the next write. */
  failure: Error | null = null;
  readonly #values = new Map<string, Uint8Array>();
  #written = 0;
  #confirmed = 0;
  #scheduled = false;
  readonly #onConfirmed = new Listeners();
  readonly #onGateChange = new Listeners();
  readonly #onReignLost = new Listeners();
  readonly onConfirmed = this.#onConfirmed.add;
  readonly onGateChange = this.#onGateChange.add;
  readonly onReignLost = this.#onReignLost.add;

  get listenerCount(): number {
    return this.#onConfirmed.count + this.#onGateChange.count + this.#onReignLost.count;
  }

  confirm(seq = this.#written): void {
    this.#confirmed = seq;
    this.#onConfirmed.call();
  }

  setGate(gate: WriteGate): void {
    this.gateState = gate;
    this.#onGateChange.call();
  }

  loseReign(): void {
    this.#onReignLost.call();
  }

  /** Cuts the log behind `seq` and begins another reign there. */
  fork(seq: number, epoch: number): void {
    this.records = this.records.filter((record) => record.seq <= seq);
    this.#written = this.#confirmed = seq;
    this.reign(epoch);
  }

  /** Begins a reign by a control record. */
  reign(epoch: number): void {
    this.reigns = [
      ...this.reigns.filter((reign) => reign.firstSeq <= this.#written),
      { epoch, firstSeq: this.#written + 1 },
    ];
    this.#written += 1;
    this.#afterWrite();
  }

  gate(): WriteGate {
    return this.gateState;
  }

  readRefusal(): string | null {
    return this.refusal;
  }

  writtenSeq(): number {
    return this.#written;
  }

  confirmedSeq(): number {
    return this.#confirmed;
  }

  logEnd(): LogPosition {
    return { epoch: this.reigns.at(-1)?.epoch ?? 0, seq: this.#written, hash: 0 };
  }

  history(): readonly Reign[] {
    return this.reigns;
  }

  oldestResumable(): number {
    return this.resumableFrom;
  }

  holders(seq: number): number {
    return seq <= this.#confirmed ? this.holderCount : 0;
  }

  set(bytes: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): number {
    if (this.failure !== null) throw this.failure;
    const key = bytes.slice(keyStart, keyEnd);
    const value = bytes.slice(valueStart, valueEnd);
    this.#values.set(name(key), value);
    return this.#append(key, value);
  }

  setLater(bytes: Uint8Array, keyStart: number, keyEnd: number, valueBytes: number): Uint8Array {
    if (this.failure !== null) throw this.failure;
    const key = bytes.slice(keyStart, keyEnd);
    const value = new Uint8Array(valueBytes);
    this.#values.set(name(key), value);
    this.#append(key, value);
    return value;
  }

  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): number {
    if (this.failure !== null) throw this.failure;
    const key = bytes.slice(keyStart, keyEnd);
    return this.#values.delete(name(key)) ? this.#append(key, null) : 0;
  }

  beginAtomic(): void {
    if (this.atomic.depth !== 0) throw new Error('nested');
    this.atomic.begun += 1;
    this.atomic.depth = 1;
  }

  endAtomic(): void {
    this.atomic.depth = 0;
  }

  get(key: Uint8Array): Uint8Array | null {
    return this.#values.get(name(key)) ?? null;
  }

  valueLength(key: Uint8Array): number {
    return this.#values.get(name(key))?.length ?? -1;
  }

  count(): number {
    return this.#values.size;
  }

  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] } {
    const keys = [...this.#values.keys()].map((key) => Buffer.from(key, 'latin1'));
    const next = cursor + count;
    return { next: next >= keys.length ? 0 : next, keys: keys.slice(cursor, next) };
  }

  /** As a log does: control records are passed over, a little at a time. */
  read(
    from: number,
    limit: number,
    limitBytes: number,
  ): Promise<{ readonly entries: readonly LogEntry[]; readonly nextSeq: number }> {
    const entries: LogEntry[] = [];
    let bytes = 0;
    let nextSeq = from;
    for (const record of this.records) {
      if (record.seq < from || record.seq > this.#confirmed) continue;
      if (entries.length >= limit || bytes >= limitBytes) break;
      entries.push(record);
      bytes += record.key.length + (record.value?.length ?? 0);
      nextSeq = record.seq + 1;
    }
    if (entries.length === 0) nextSeq = Math.max(from, this.#confirmed + 1);
    return Promise.resolve({ entries, nextSeq });
  }

  #append(key: Uint8Array, value: Uint8Array | null): number {
    this.#written += 1;
    this.records.push({ epoch: this.reigns.at(-1)?.epoch ?? 0, seq: this.#written, key, value });
    this.#afterWrite();
    return this.#written;
  }

  #afterWrite(): void {
    if (!this.automatic || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.confirm();
    });
  }
}

function name(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
