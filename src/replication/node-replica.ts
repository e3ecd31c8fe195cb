import { BatchBuilder } from '../protocol/batch/batch-builder.ts';
import { BatchCursor } from '../protocol/batch/batch-cursor.ts';
import { OP } from '../protocol/batch/layout.ts';
import { PendingKeys } from '../protocol/batch/pending-keys.ts';
import type { LogPosition, Reign } from '../model/position.ts';
import type { Log } from './log/log.ts';
import type { LogEntry, Replica, Seq, WriteGate } from './replica.ts';

/**
 * The node's replica: the log, and the batch that this turn of the event loop fills. What arrives in one turn becomes
 * one batch at its end, which goes to the log first and then, the same bytes, to whoever follows; so this node's log
 * always holds what others have of it.
 */

/** What the replica asks of the agent's core. */
export interface ReplicaControl {
  /** Epoch of this node's own reign, if it has begun one; else null. */
  reignEpoch(): number | null;
  gate(): WriteGate;
  readRefusal(): string | null;
  /** Up to here every in-sync node holds the log. */
  confirmedSeq(): Seq;
  /** Whether a reply may go out at this very moment. */
  mayReply(): boolean;
  /** How much of the log the other node has confirmed. */
  slaveSeq(): Seq;
  /** Records were appended to the log; they are held by this node, and wait for the slave. */
  appended(): void;
  onDiskFailure(error: unknown): void;
}

const OPEN: WriteGate = { state: 'open' };
/** Read from the log at once for a follower. */
const READ_BYTES = 256 * 1024;

export class NodeReplica implements Replica {
  readonly #log: Log;
  readonly #control: ReplicaControl;
  readonly #builder = new BatchBuilder();
  readonly #pending = new PendingKeys(this.#builder);
  readonly #confirmedListeners = new Set<() => void>();
  readonly #gateListeners = new Set<() => void>();
  readonly #lostListeners = new Set<() => void>();
  readonly #onBatch: (batch: Uint8Array) => boolean;
  readonly #endOfTurn: (task: () => void) => void;
  #flushPlanned = false;
  /** Writes are taken in this turn: not asked for each of them again. What counts is checked at each reply. */
  #open = false;
  /** Somebody was told to hold a write, and waits to hear that it need not. */
  #holding = false;
  #told: Seq = 0;
  /** Somebody was told that nothing is confirmed, for want of a lease, and waits for its return. */
  #lapsed = false;

  /**
   * `onBatch` gets each batch that this node has made, after it was appended; false: its bytes are not needed any more.
   * `endOfTurn` runs a task when everything that has arrived by now was taken.
   */
  constructor(
    log: Log,
    control: ReplicaControl,
    onBatch: (batch: Uint8Array) => boolean,
    endOfTurn: (task: () => void) => void,
  ) {
    this.#log = log;
    this.#control = control;
    this.#onBatch = onBatch;
    this.#endOfTurn = endOfTurn;
  }

  // --- state

  gate(): WriteGate {
    if (this.#open) return OPEN;
    const gate = this.#control.gate();
    this.#open = gate.state === 'open' && this.#flushPlanned;
    if (gate.state === 'hold') this.#holding = true;
    return gate;
  }

  readRefusal(): string | null {
    return this.#control.readRefusal();
  }

  /** On a slave nothing is waited for: its reads show what it has. */
  writtenSeq(): Seq {
    return this.#control.reignEpoch() === null ? this.confirmedSeq() : this.#log.end.seq + this.#builder.count;
  }

  /** Nothing is confirmed to anyone while this node reigns without a valid lease: -1. */
  confirmedSeq(): Seq {
    if (this.#control.reignEpoch() === null || this.#control.mayReply()) return this.#control.confirmedSeq();
    this.#lapsed = true;
    return -1;
  }

  logEnd(): LogPosition {
    return this.#log.end;
  }

  history(): readonly Reign[] {
    return this.#log.state().history;
  }

  oldestResumable(): Seq {
    return this.#log.oldestResumable;
  }

  holders(seq: Seq): number {
    return this.#control.slaveSeq() >= seq ? 1 : 0;
  }

  // --- writes

  set(bytes: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): Seq {
    if (this.#builder.full) this.flush();
    this.#builder.set(bytes, keyStart, keyEnd, valueStart, valueEnd);
    return this.#added();
  }

  setLater(bytes: Uint8Array, keyStart: number, keyEnd: number, valueBytes: number): Uint8Array {
    if (this.#builder.full) this.flush();
    const value = this.#builder.setLater(bytes, keyStart, keyEnd, valueBytes);
    this.#added();
    return value;
  }

  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): Seq {
    const key = bytes.subarray(keyStart, keyEnd);
    if (this.valueLength(key) < 0) return 0;
    if (this.#builder.full) this.flush();
    this.#builder.delete(bytes, keyStart, keyEnd);
    return this.#added();
  }

  beginAtomic(bytes: number): void {
    if (this.#builder.full) this.flush();
    this.#builder.beginAtomic(bytes);
  }

  endAtomic(): void {
    this.#builder.endAtomic();
  }

  /** Appends the first record of a reign, and the one that names its in-sync nodes. @throws HsctlError('disk') */
  appendReign(master: string): void {
    this.flush();
    this.#builder.reign(master);
    this.flush();
  }

  /** Appends the record that names the nodes with which this master confirms from here. Returns its seq. @throws HsctlError('disk') */
  appendInSync(members: readonly string[]): Seq {
    this.flush();
    this.#builder.inSync(members);
    this.flush();
    return this.#log.end.seq;
  }

  /** Ends the batch of this turn: to the log, then to the followers. */
  flush(): void {
    this.#flushPlanned = this.#open = false;
    if (this.#builder.count === 0 || this.#builder.atomic) return;
    const { end } = this.#log;
    const epoch = this.#control.reignEpoch();
    this.#pending.clear();
    const batch = this.#builder.finish(epoch ?? 0, end.seq + 1, end.hash);
    // The reign ended within this turn: whoever wrote these records has lost its connection and knows nothing.
    if (epoch === null) return;
    try {
      this.#log.append(batch, true);
    } catch (error) {
      this.#control.onDiskFailure(error);
      return;
    }
    if (!this.#onBatch(batch)) this.#builder.recycle();
    this.#control.appended();
  }

  #added(): Seq {
    if (!this.#flushPlanned) {
      this.#flushPlanned = true;
      this.#endOfTurn(() => this.flush());
    }
    return this.#log.end.seq + this.#builder.count;
  }

  // --- reads

  get(key: Uint8Array): Uint8Array | null {
    const pending = this.#pending.find(key);
    if (pending !== undefined) return pending;
    try {
      return this.#log.get(key);
    } catch (error) {
      throw this.#cannotRead(error);
    }
  }

  valueLength(key: Uint8Array): number {
    const pending = this.#pending.find(key);
    if (pending !== undefined) return pending === null ? -1 : pending.length;
    try {
      return this.#log.valueLength(key);
    } catch (error) {
      throw this.#cannotRead(error);
    }
  }

  count(): number {
    this.flush();
    return this.#log.count;
  }

  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] } {
    this.flush();
    try {
      return this.#log.scan(cursor, count);
    } catch (error) {
      throw this.#cannotRead(error);
    }
  }

  async read(from: Seq, limit: number, limitBytes: number): Promise<{ entries: LogEntry[]; nextSeq: Seq }> {
    const confirmedSeq = this.#control.confirmedSeq();
    const entries: LogEntry[] = [];
    const cursor = new BatchCursor();
    let nextSeq = from;
    let bytesTaken = 0;
    while (nextSeq <= confirmedSeq) {
      const { bytes, lastSeq } = await this.#readAfter(nextSeq - 1);
      if (bytes === null) break;
      for (let at = 0; at < bytes.length; at = cursor.end) {
        cursor.open(bytes, at);
        while (cursor.next()) {
          if (cursor.seq < nextSeq || cursor.seq > confirmedSeq) continue;
          if (entries.length === limit || (bytesTaken >= limitBytes && entries.length > 0)) return { entries, nextSeq };
          nextSeq = cursor.seq + 1;
          if (cursor.op !== OP.set && cursor.op !== OP.delete) continue;
          bytesTaken += cursor.end - cursor.keyStart;
          entries.push(entryAt(cursor));
        }
      }
      nextSeq = Math.max(nextSeq, Math.min(lastSeq, confirmedSeq) + 1);
      if (entries.length > 0 && (entries.length >= limit || bytesTaken >= limitBytes)) break;
    }
    return { entries, nextSeq };
  }

  async #readAfter(seq: Seq): ReturnType<Log['readAfter']> {
    try {
      return await this.#log.readAfter(seq, READ_BYTES);
    } catch (error) {
      throw this.#cannotRead(error);
    }
  }

  /** Whoever asked is told what is wrong, and so is the agent. */
  #cannotRead(error: unknown): unknown {
    this.#control.onDiskFailure(error);
    return error;
  }

  // --- signals

  onConfirmed(listener: () => void): () => void {
    return subscribe(this.#confirmedListeners, listener);
  }

  onGateChange(listener: () => void): () => void {
    return subscribe(this.#gateListeners, listener);
  }

  onReignLost(listener: () => void): () => void {
    return subscribe(this.#lostListeners, listener);
  }

  /** To be called whenever more may have been confirmed; tells those who wait if it was. */
  confirmedMayHaveRisen(): void {
    const seq = this.confirmedSeq();
    if (seq === -1) return;
    // An operator gave up what was confirmed: what takes its place has to be told anew.
    if (seq < this.#told) this.#told = seq;
    if (seq === this.#told && !this.#lapsed) return;
    this.#lapsed = false;
    this.#told = seq;
    this.#log.setConfirmed(seq);
    for (const listener of this.#confirmedListeners) listener();
  }

  /**
   * To be called whenever the gate may have changed; tells those who hold writes once they need not. What they were told
   * counts, not what anybody else has noticed since: a lease may lapse and be renewed between two looks.
   */
  gateMayHaveChanged(): void {
    this.#open = false;
    if (!this.#holding || this.#control.gate().state === 'hold') return;
    this.#holding = false;
    for (const listener of this.#gateListeners) listener();
  }

  /** The reign ended: records of this turn that are not in the log yet are dropped, and waiting clients with them. */
  reignLost(): void {
    this.#open = false;
    this.#builder.endAtomic();
    this.flush();
    this.#told = Math.min(this.#told, this.#log.end.seq);
    for (const listener of this.#lostListeners) listener();
  }
}

function entryAt(cursor: BatchCursor): LogEntry {
  const { bytes, op, seq, keyStart, valueStart, end, header } = cursor;
  return {
    epoch: header.epoch,
    seq,
    key: bytes.subarray(keyStart, valueStart),
    value: op === OP.delete ? null : bytes.subarray(valueStart, end),
  };
}

function subscribe(listeners: Set<() => void>, listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
