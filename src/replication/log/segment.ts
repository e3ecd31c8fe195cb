import type { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import type { BatchHeader } from '../../protocol/batch/batch-header.ts';
import { OP } from '../../protocol/batch/layout.ts';
import type { LogPosition } from '../../model/position.ts';
import { BLOCK_BYTES, BlockSums } from './block-sums.ts';
import { Checkpoints } from './checkpoints.ts';
import { damagedFile, diskFailure } from './disk-failure.ts';
import type { DiskFile } from './disk.ts';
import { EntryList } from './entry-list.ts';

/** A record that tells of the reign rather than of a key. */
export interface ControlRecord {
  readonly seq: number;
  readonly epoch: number;
  /** `reign`: begins. `alone`, `together`: with whom the master confirms from here. */
  readonly kind: 'reign' | 'alone' | 'together';
}

/** One file of the log and what is known of it. */
export class Segment {
  /** Number in the index, 1 to 65535; free again once the segment is gone. */
  readonly id: number;
  readonly name: SegmentName;
  readonly file: DiskFile;
  /** The log's end before the segment's first batch. */
  readonly base: LogPosition;
  end: LogPosition;
  bytes = 0;
  checkpoints = new Checkpoints();
  blocks = new BlockSums();
  /** Kept until the hint file is written; null too where the hint came with the segment from the master. */
  entries: EntryList | null = new EntryList();
  /** The hint file that came with the segment, until it is written. */
  shippedHint: Uint8Array | null = null;
  /** Whether it came whole, and was not read back since. */
  isUnread = false;
  /** Whether it was sent whole to a slave. */
  wasShipped = false;
  /** Whether the index knows its records. */
  indexed = true;
  controls: ControlRecord[] = [];
  /** Bytes of deletes. */
  tombstoneBytes = 0;
  /** Bytes of sets, as the index accounts them, that a compaction put in; null if none made this segment. */
  compactedBytes: number | null = null;
  /** Last seq of the last batch from which old deletes were dropped; 0 if there is none. */
  forgetfulTo = 0;
  /** When the last batch was added, by the wall clock; null while batches are being added. */
  sealedAtWallMs: number | null = null;
  /** Everything before this offset is on stable storage. */
  syncedBytes = 0;
  /** Reads under way that do not want the file closed. */
  readers = 0;
  dropped = false;

  constructor(id: number, name: SegmentName, file: DiskFile, base: LogPosition) {
    this.id = id;
    this.name = name;
    this.file = file;
    this.base = base;
    this.end = base;
  }

  get firstSeq(): number {
    return this.base.seq + 1;
  }

  /** Whether it is complete and has a hint file. */
  get isSealed(): boolean {
    return this.sealedAtWallMs !== null && this.entries === null && this.shippedHint === null;
  }

  /** Writes a batch behind the others; `add` takes note of it. One of many may stay in memory. @throws HsctlError('disk') */
  write(batch: Uint8Array, ofMany: boolean): void {
    try {
      if (ofMany) this.file.writeBulk(batch, this.bytes);
      else this.file.write(batch, this.bytes);
    } catch (error) {
      throw diskFailure('write', this.file.path, this.bytes, error);
    }
  }

  /**
   * Checks whole blocks that were read from `from` on, the last one of the file as far as it goes.
   * @throws Damage that says where.
   */
  checkBlocks(bytes: Uint8Array, from: number): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
      const block = (from + at) / BLOCK_BYTES;
      if (this.blocks.matches(block, bytes.subarray(at, at + BLOCK_BYTES))) continue;
      throw damagedFile(this.file.path, from + at, `the checksum of block ${block} is wrong`);
    }
  }

  /** Takes note of a batch that was written behind the others. */
  add(header: BatchHeader, bytes: Uint8Array): void {
    this.blocks.extend(bytes);
    this.addShipped(header, bytes.length);
  }

  /** The same where the checksums of blocks are known already, or will be. */
  addShipped(header: BatchHeader, bytes: number): void {
    this.checkpoints.note(this.bytes, header.firstSeq);
    this.bytes += bytes;
    this.end = header.end;
    if (header.forgetful) this.forgetfulTo = header.lastSeq;
  }

  /** Closes the file as soon as nobody reads it. */
  drop(): void {
    this.dropped = true;
    if (this.readers === 0) this.file.close();
  }

  /** Keeps the file open until `release`. */
  hold(): void {
    this.readers += 1;
  }

  release(): void {
    this.readers -= 1;
    if (this.dropped && this.readers === 0) this.file.close();
  }
}

/** The control record at which the cursor stands. */
export function controlRecord(cursor: BatchCursor): ControlRecord {
  const { epoch } = cursor.header;
  if (cursor.op === OP.reign) return { seq: cursor.seq, epoch, kind: 'reign' };
  const comma = cursor.bytes.indexOf(44, cursor.valueStart);
  const alone = comma < 0 || comma >= cursor.end;
  return { seq: cursor.seq, epoch, kind: alone ? 'alone' : 'together' };
}

export interface SegmentName {
  readonly firstSeq: number;
  /** Rises with every file that the store makes: of two files with the same records, the later one counts. */
  readonly generation: number;
}

const NAME = /^(\d{16})-(\d{8})\.(log|hint)$/;

/** Name of a segment's file or of its hint file. */
export function fileName(name: SegmentName, kind: 'log' | 'hint'): string {
  return `${String(name.firstSeq).padStart(16, '0')}-${String(name.generation).padStart(8, '0')}.${kind}`;
}

export function parseFileName(text: string): (SegmentName & { readonly kind: 'log' | 'hint' }) | null {
  const parts = NAME.exec(text);
  if (parts === null) return null;
  return { firstSeq: Number(parts[1]), generation: Number(parts[2]), kind: parts[3] === 'log' ? 'log' : 'hint' };
}
