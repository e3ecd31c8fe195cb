import type { HsctlError } from '../../kit/errors.ts';
import type { LogPosition, LogState } from '../../model/position.ts';
import type { IndexKey } from './index-key.ts';
import type { Shipment } from './shipment.ts';

/**
 * The group's log on this node's disk, with the index from key to place: the store is the log, compacted.
 * Implemented by `DiskLog` (disk-log.ts) and, for the simulator, over a simulated disk: all file access goes
 * through a small `Disk` interface of this folder.
 */
export interface Log {
  state(): LogState;
  readonly end: LogPosition;
  /** Bytes appended since the log was made: to tell distances, not file sizes. */
  readonly appendedBytes: number;

  /**
   * Appends a complete batch, made here or received; checks that it continues the log (seq, epoch not lower, hash)
   * and its checksums, unless it is `own`: made by this process just now. It is in the file (page cache) and in the index
   * when this returns.
   * @throws HsctlError('format') if the batch is damaged or does not fit; nothing was written.
   * @throws HsctlError('disk') if the disk refused; the log takes no further appends.
   */
  append(batch: Uint8Array, own?: boolean): void;
  /** Resolves once everything appended before the call is on stable storage, with the end that is durable. */
  sync(): Promise<LogPosition>;

  /** The position at a batch boundary, or null if `seq` is none, or was compacted away. */
  positionAt(seq: number): LogPosition | null;
  /**
   * The raw bytes of whole batches behind `from` (a seq; records > from only), as many as fit `maxBytes` (at least one
   * batch), and the seq that they reach. Null bytes: nothing newer. Older parts may come back compacted (sparse), and so
   * does the first batch if `from` is in the middle of one. Checked before they are given. `room`: memory that may be
   * used for them.
   * @throws HsctlError('disk') if the bytes on disk are damaged: file and offset.
   */
  readAfter(
    from: number,
    maxBytes: number,
    room?: Uint8Array,
  ): Promise<{ readonly bytes: Uint8Array | null; readonly lastSeq: number }>;
  /** A reader that stopped behind this seq misses nothing by going on; one that stopped earlier may miss deletes. */
  readonly oldestResumable: number;
  /** About how many bytes `readAfter` will give in all from there. */
  bytesAfter(from: number): number;

  // --- complete segments, sent and taken whole
  /** What a slave's index must have in common with this one's so that it can take segments whole. */
  readonly indexKey: IndexKey;
  /** Takes over the index key of the master, who has so many keys. Only while the log is empty. @throws HsctlError('disk') */
  takeIndexKey(key: IndexKey, keys: number): void;
  /** The complete segment that begins right behind `from`, to be sent whole; null if none does. To be closed. */
  ship(from: number): Shipment | null;
  /**
   * The batches that are appended next are those of the segment of the master whose hint file this is: they need not be parsed.
   * What they hold is found by key once the segment is complete, or `settle` was called.
   */
  expect(hint: Uint8Array): void;
  /** Whether there is room in memory for more of such segments, and every one that is complete is in its file. */
  readonly hasRoom: boolean;
  /** Resolves once that is so. */
  room(): Promise<void>;
  /** Whether the next batch belongs to such a segment. */
  readonly isExpecting: boolean;
  /** Whether everything that was appended is found by key, and no segment is expected. */
  readonly isSettled: boolean;
  /** Resolves once that is so; a segment that was expected is no more. An append in other ways does the same at once. */
  settle(): Promise<void>;

  /**
   * Cuts everything behind `position` (a batch boundary), after saving it to an archive file, whose path is returned; ''
   * if there is nothing behind it. No append may come before it is done.
   * @throws HsctlError('refused') if the log has no such position, or compaction dropped records that were still needed
   * there; then `reset` is the way.
   */
  cut(position: LogPosition): Promise<string>;
  /** Moves the whole log to an archive and starts from nothing. Returns the archive's path. */
  reset(): Promise<string>;
  /**
   * What was found on the disk that is not what was written there, when the store was opened or by a read; null if nothing
   * was. The log takes no appends then, and what it tells of itself may be less than what it held.
   */
  readonly damage: HsctlError | null;
  /** Moves a damaged log to an archive and starts from nothing. Returns the archive's path. */
  repair(): Promise<string>;
  /** The log has all that the master has: it counts as intact from now on. A sparse batch from a master ends that again. */
  markIntact(): void;

  // --- reads by key
  get(key: Uint8Array): Uint8Array | null;
  valueLength(key: Uint8Array): number;
  readonly count: number;
  scan(cursor: number, count: number): { readonly next: number; readonly keys: readonly Uint8Array[] };

  /** Everything up to here may count as never to be cut again: compaction needs to know. */
  setConfirmed(seq: number): void;
  /** Durable values beside the log. */
  readonly memory: AgentMemory;
  /** Why the log takes no more appends; null while it does. */
  readonly failure: HsctlError | null;

  close(): Promise<void>;
}

/** Small durable values of the agent that do not belong in the log. Written and synced before `save` returns. */
export interface AgentMemory {
  /** Highest epoch seen. */
  readonly epoch: number;
  /** Longest time for which this node may have granted a lease, in milliseconds. */
  readonly longestGrantMs: number;
  /** Whether this node has acknowledged records alone that no other is known to hold. */
  readonly confirmedAlone: boolean;
  save(change: { readonly epoch?: number; readonly longestGrantMs?: number; readonly confirmedAlone?: boolean }): void;
}
