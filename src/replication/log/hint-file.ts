import { z } from 'zod';
import { crc32 } from '../../kit/crc32.ts';
import { HsctlError } from '../../kit/errors.ts';
import { BLOCK_BYTES, BlockSums } from './block-sums.ts';
import { Checkpoints } from './checkpoints.ts';
import type { Disk, DiskFile } from './disk.ts';
import { ENTRY_WORDS, type SortedEntries } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import type { Segment } from './segment.ts';

/**
 * A hint file tells what a full scan of its segment would find, so that a start need not read the values: facts,
 * checkpoints, checksums of blocks, entries of the index by table. It is written once the segment is complete and on
 * stable storage; that it is there says so.
 *
 *   0  8 bytes  "HSHINT1\n"
 *   8  u32      length of the facts
 *  12  u32      CRC-32 of the facts
 *  16  facts as JSON, and spaces up to a multiple of 16
 *  ..  f64 offsets, f64 seqs of the checkpoints; u32 checksums of blocks; u32 starts of tables; u32 x 4 entries,
 *      each part from a multiple of 16 on
 */
const MAGIC = new TextEncoder().encode('HSHINT1\n');
const PREFIX_BYTES = 16;
const FACTS_LIMIT_BYTES = 64 * 1024 * 1024;
/** Tables whose entries are read and checked together. */
export const GROUP_SHARDS = 64;

const count = z.number().int().nonnegative();
const position = z.strictObject({ epoch: count, seq: count, hash: count });
const factsSchema = z.strictObject({
  store: z.string(),
  bytes: count,
  base: position,
  end: position,
  controls: z.array(z.strictObject({ seq: count, epoch: count, kind: z.enum(['reign', 'alone', 'together']) })),
  tombstoneBytes: count,
  forgetfulTo: count,
  compactedBytes: count.nullable(),
  sealedAtWallMs: z.number(),
  checkpoints: count,
  entries: count,
  /** Checksum of everything between facts and entries, and of the entries of each group of tables. */
  tablesCrc: count,
  groupCrcs: z.array(count).length(SHARDS / GROUP_SHARDS),
});
export type HintFacts = z.infer<typeof factsSchema>;

/** The parts of the hint file for a complete segment. `store`: its id, since fingerprints are of one store. */
export function encodeHint(segment: Segment, entries: SortedEntries, store: string): readonly Uint8Array[] {
  const offsets = Float64Array.from(segment.checkpoints.offsets);
  const seqs = Float64Array.from(segment.checkpoints.seqs);
  const tables = [offsets, seqs, segment.blocks.toArray(), entries.starts].map(padded);
  const groupCrcs: number[] = [];
  for (let shard = 0; shard < SHARDS; shard += GROUP_SHARDS) groupCrcs.push(crc32(asBytes(group(entries, shard))));
  const facts: HintFacts = {
    store,
    bytes: segment.bytes,
    base: segment.base,
    end: segment.end,
    controls: [...segment.controls],
    tombstoneBytes: segment.tombstoneBytes,
    forgetfulTo: segment.forgetfulTo,
    compactedBytes: segment.compactedBytes,
    sealedAtWallMs: segment.sealedAtWallMs ?? 0,
    checkpoints: offsets.length,
    entries: entries.words.length / ENTRY_WORDS,
    tablesCrc: tables.reduce((sum, table) => crc32(table, sum), 0),
    groupCrcs,
  };
  const json = padded(new TextEncoder().encode(JSON.stringify(facts)), 32);
  const prefix = new Uint8Array(PREFIX_BYTES);
  prefix.set(MAGIC);
  const view = new DataView(prefix.buffer);
  view.setUint32(8, json.length, true);
  view.setUint32(12, crc32(json), true);
  return [prefix, json, ...tables, asBytes(entries.words)];
}

function group(entries: SortedEntries, shard: number): Uint32Array {
  const { starts, words } = entries;
  return words.subarray(starts[shard]! * ENTRY_WORDS, starts[shard + GROUP_SHARDS]! * ENTRY_WORDS);
}

/** Where the bytes of a hint file come from. */
interface HintSource extends Pick<DiskFile, 'path' | 'read' | 'close'> {
  /** Words that stand in memory as they are; null if they do not. */
  view?(from: number, words: number): Uint32Array | null;
}

/** An opened hint file: everything but the entries is in memory. */
export class Hint {
  readonly facts: HintFacts;
  readonly checkpoints = new Checkpoints();
  readonly blocks: BlockSums;
  readonly starts: Uint32Array;
  readonly #file: HintSource;
  readonly #entriesAt: number;

  private constructor(file: HintSource, facts: HintFacts, tablesAt: number) {
    this.#file = file;
    this.facts = facts;
    const blocks = Math.ceil(facts.bytes / BLOCK_BYTES);
    const lengths = [facts.checkpoints * 8, facts.checkpoints * 8, blocks * 4, (SHARDS + 1) * 4];
    const whole = new Uint8Array(lengths.reduce((sum, length) => sum + roundUp(length), 0));
    readFully(file, whole, tablesAt);
    if (crc32(whole) !== facts.tablesCrc) throw new HsctlError('format', 'its tables are damaged');
    let at = 0;
    const part = (length: number): ArrayBuffer => {
      const bytes = whole.buffer.slice(at, at + length);
      at += roundUp(length);
      return bytes;
    };
    this.checkpoints.offsets.push(...new Float64Array(part(lengths[0]!)));
    this.checkpoints.seqs.push(...new Float64Array(part(lengths[1]!)));
    this.blocks = new BlockSums(new Uint32Array(part(lengths[2]!)), facts.bytes);
    this.starts = new Uint32Array(part(lengths[3]!));
    this.#entriesAt = tablesAt + at;
  }

  /** Opens a hint file; null if there is none, if it is damaged or of another store: then the segment has to be read. */
  static open(disk: Disk, path: string, store: string): Hint | null {
    if (disk.stat(path) === null) return null;
    return Hint.#from(() => disk.open(path, 'read'), store);
  }

  /** The same for a hint file that is in memory. */
  static inMemory(bytes: Uint8Array, store: string): Hint | null {
    return Hint.#from(() => sourceOf(bytes), store);
  }

  static #from(open: () => HintSource, store: string): Hint | null {
    let file: HintSource | null = null;
    try {
      file = open();
      const prefix = new Uint8Array(PREFIX_BYTES);
      readFully(file, prefix, 0);
      if (MAGIC.some((byte, at) => prefix[at] !== byte)) throw new HsctlError('format', 'it is no hint file');
      const view = new DataView(prefix.buffer);
      const length = view.getUint32(8, true);
      if (length > FACTS_LIMIT_BYTES) throw new HsctlError('format', 'its facts are too long');
      const json = new Uint8Array(length);
      readFully(file, json, PREFIX_BYTES);
      if (crc32(json) !== view.getUint32(12, true)) throw new HsctlError('format', 'its facts are damaged');
      const facts = factsSchema.parse(JSON.parse(new TextDecoder().decode(json)));
      if (facts.store !== store) throw new HsctlError('format', 'it is of another store');
      return new Hint(file, facts, PREFIX_BYTES + length);
    } catch {
      file?.close();
      return null;
    }
  }

  /** All entries, for a hint in memory a view of it if they stand so that there can be one; null if they are damaged. */
  readAll(): SortedEntries | null {
    const { starts } = this;
    if (
      starts[SHARDS] !== this.facts.entries ||
      starts.some((start, shard) => shard > 0 && start < starts[shard - 1]!)
    ) {
      return null;
    }
    const words = this.#read(0, this.facts.entries);
    if (words === null) return null;
    const entries = { words, starts };
    for (let shard = 0; shard < SHARDS; shard += GROUP_SHARDS) {
      if (!this.#isWhole(group(entries, shard), shard)) return null;
    }
    return entries;
  }

  /** Entries of the tables from `shard` on, `GROUP_SHARDS` of them; null if they are damaged. */
  readGroup(shard: number): Uint32Array | null {
    const words = this.#read(this.starts[shard]!, this.starts[shard + GROUP_SHARDS]!);
    return words !== null && this.#isWhole(words, shard) ? words : null;
  }

  /** Entries [from, to), unchecked; null if the file is too short. */
  #read(from: number, to: number): Uint32Array | null {
    const at = this.#entriesAt + from * ENTRY_WORDS * 4;
    const view = this.#file.view?.(at, (to - from) * ENTRY_WORDS) ?? null;
    if (view !== null) return view;
    const words = new Uint32Array((to - from) * ENTRY_WORDS);
    const bytes = asBytes(words);
    return this.#file.read(bytes, 0, bytes.length, at) === bytes.length ? words : null;
  }

  #isWhole(words: Uint32Array, shard: number): boolean {
    return crc32(asBytes(words)) === this.facts.groupCrcs[shard / GROUP_SHARDS];
  }

  close(): void {
    this.#file.close();
  }
}

function sourceOf(whole: Uint8Array): HintSource {
  return {
    path: 'the hint',
    read(into, offset, length, from) {
      const part = whole.subarray(from, from + length);
      into.set(part, offset);
      return part.length;
    },
    view(from, words) {
      const at = whole.byteOffset + from;
      const fits = at % 4 === 0 && from + 4 * words <= whole.length;
      return fits ? new Uint32Array(whole.buffer, at, words) : null;
    },
    close: () => undefined,
  };
}

function readFully(file: HintSource, into: Uint8Array, at: number): void {
  if (file.read(into, 0, into.length, at) < into.length) throw new HsctlError('format', `${file.path} is too short`);
}

function roundUp(length: number): number {
  return (length + 15) & ~15;
}

function asBytes(array: Uint32Array | Float64Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function padded(array: Uint32Array | Float64Array | Uint8Array, filler = 0): Uint8Array {
  const bytes = new Uint8Array(roundUp(array.byteLength)).fill(filler);
  bytes.set(asBytes(array));
  return bytes;
}
