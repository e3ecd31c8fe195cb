import type { LogPosition, Reign } from '../model/position.ts';

/**
 * A node's copy of the group's state, as the RESP service uses it. One implementation wires the log, the index
 * and the core together (src/replication/node-replica.ts); tests of the RESP service may use a small one in memory.
 */

/** Whether writes are taken now. `hold`: keep the command unanswered and unread until `onGateChange`. */
export type WriteGate =
  | { readonly state: 'open' }
  | { readonly state: 'hold' }
  /** Error text for the client, with Redis' prefix: `READONLY ...`. */
  | { readonly state: 'refuse'; readonly error: string };

/** The last record that one command wrote; replies wait until it is confirmed. */
export type Seq = number;

export interface Replica {
  // --- state
  /** May change at any await, and during `confirmed` callbacks. */
  gate(): WriteGate;
  /** Whether reads may be answered: always on a slave; on a master only under a valid lease. Error text, or null. */
  readRefusal(): string | null;
  /** End of what was written, including what waits for the end of this turn. Replies to reads wait for it. */
  writtenSeq(): Seq;
  /**
   * Everything up to here is held by every in-sync node under this reign, and the lease is valid at this moment; -1 while
   * a master has no valid lease, and nothing may be told to anyone.
   */
  confirmedSeq(): Seq;
  logEnd(): LogPosition;
  /** The log's reigns, oldest first: tells whether an id that a reader names is in this log. */
  history(): readonly Reign[];
  /** A reader that stopped at this seq or later misses no delete by going on; an earlier one starts from nothing. */
  oldestResumable(): Seq;
  /** How many other nodes hold everything up to `seq`, as far as this node knows (WAIT). */
  holders(seq: Seq): number;

  // --- writes; bytes are copied before the call returns; throws HsctlError('disk') when the disk failed
  /** Adds a record to the batch of this turn and returns its seq. The arrays are views: `key` is bytes[keyStart, keyEnd). */
  set(bytes: Uint8Array, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): Seq;
  /**
   * Adds a record as `set` does, and returns the place of its value, which the caller fills before it does anything else:
   * so that a large value that came in pieces is copied once.
   */
  setLater(bytes: Uint8Array, keyStart: number, keyEnd: number, valueBytes: number): Uint8Array;
  /** The same for a delete; returns 0, and writes nothing, if the key does not exist. */
  delete(bytes: Uint8Array, keyStart: number, keyEnd: number): Seq;
  /** Records between begin and end go into one batch: all or nothing on every node. `bytes`: about their length in all. */
  beginAtomic(bytes: number): void;
  endAtomic(): void;

  // --- reads: see writes of this turn too
  /** The value, or null. A view or a copy that stays valid until the caller's turn ends. */
  get(key: Uint8Array): Uint8Array | null;
  /** Length of the value without reading it; -1 if absent. */
  valueLength(key: Uint8Array): number;
  count(): number;
  /** Redis' SCAN guarantee: every key present during the whole iteration comes at least once. Cursor 0 starts and ends. */
  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] };
  /**
   * Confirmed records with seq >= `from`, oldest first, from the compacted log and then the tail: at most `limit`,
   * and none after the one with which keys and values reach `limitBytes`.
   * Resolves to an empty list if there are none yet. Deletes are included (value null). Control records are skipped,
   * but `nextSeq` is past them.
   */
  read(
    from: Seq,
    limit: number,
    limitBytes: number,
  ): Promise<{ readonly entries: readonly LogEntry[]; readonly nextSeq: Seq }>;

  // --- signals; each returns a function that ends the subscription
  /** After `confirmedSeq()` rose, or the lease became valid again. */
  onConfirmed(listener: () => void): () => void;
  /** After a gate that said `hold` no longer does. */
  onGateChange(listener: () => void): () => void;
  /** The reign ended with unconfirmed writes: connections that wait for one must be closed, nobody knows their outcome. */
  onReignLost(listener: () => void): () => void;
}

export interface LogEntry {
  readonly epoch: number;
  readonly seq: Seq;
  readonly key: Uint8Array;
  /** null: deleted. */
  readonly value: Uint8Array | null;
}
