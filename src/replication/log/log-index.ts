import type { BatchCursor } from '../../protocol/batch/batch-cursor.ts';
import { BATCH_HEADER_BYTES, OP } from '../../protocol/batch/layout.ts';
import { MOVE_WORDS } from './compaction/rewriter.ts';
import { ENTRY_WORDS, entryMark, isTombstone, markSize } from './entry-list.ts';
import { Fingerprint, type FingerprintKey, classBytes, sizeClass } from './fingerprint.ts';
import { KeyIndex } from './key-index.ts';
import { type ControlRecord, type Segment, controlRecord } from './segment.ts';

/** Who wants to know of each set and delete. */
interface EntryTaker {
  takeEntry(a: number, b: number, mark: number, offset: number, id: number): void;
}

const NONE: readonly ControlRecord[] = [];

/**
 * Walks a batch at `offset` of the segment and adds its sets and deletes to the segment's entries, its control records
 * and tombstones to their account, and gives each entry to `taker`. Returns the control records.
 */
export function noteRecords(
  cursor: BatchCursor,
  segment: Segment,
  offset: number,
  fingerprint: Fingerprint,
  taker: EntryTaker | null,
): readonly ControlRecord[] {
  const { bytes } = cursor;
  const { entries, id } = segment;
  const shift = offset + BATCH_HEADER_BYTES - cursor.end;
  const before = segment.controls.length;
  while (cursor.next()) {
    const { op, start, end } = cursor;
    if (op > OP.delete) {
      segment.controls.push(controlRecord(cursor));
      continue;
    }
    fingerprint.take(bytes, cursor.keyStart, cursor.valueStart);
    const tombstone = op === OP.delete;
    if (tombstone) segment.tombstoneBytes += end - start;
    const mark = entryMark(fingerprint.c, sizeClass(end - start), tombstone);
    entries?.push(fingerprint.a, fingerprint.b, mark, start + shift);
    taker?.takeEntry(fingerprint.a, fingerprint.b, mark, start + shift, id);
  }
  return segment.controls.length === before ? NONE : segment.controls.slice(before);
}

/** Entries that are looked up together: the processor does not wait for more places at once. */
export const WAVE_ENTRIES = 64;

/** The index as the log fills and asks it, with the account of what is still of use in each segment. */
export class LogIndex {
  readonly keys = new KeyIndex();
  /** Entries of one segment that wait to be taken in. */
  readonly #wave = new Uint32Array(WAVE_ENTRIES * ENTRY_WORDS);
  #waveWords = 0;
  readonly #segments: { readonly liveBytes: Float64Array };
  readonly #fingerprint: Fingerprint;

  constructor(key: FingerprintKey, segments: { readonly liveBytes: Float64Array }) {
    this.#fingerprint = new Fingerprint(key);
    this.#segments = segments;
  }

  /** Finds the record of a key; its place is in `keys`. */
  find(key: Uint8Array): boolean {
    const fingerprint = this.#fingerprint;
    fingerprint.take(key, 0, key.length);
    return this.keys.find(fingerprint.a, fingerprint.b, fingerprint.c);
  }

  /** Takes in the records of a batch at `offset` of the segment; the cursor is before the first. Returns the control records. */
  apply(cursor: BatchCursor, segment: Segment, offset: number): readonly ControlRecord[] {
    const controls = noteRecords(cursor, segment, offset, this.#fingerprint, this);
    this.#applyWave(segment.id);
    return controls;
  }

  /** Takes in an entry of the segment, soon: with others, as `apply` says. */
  takeEntry(a: number, b: number, mark: number, offset: number, id: number): void {
    const words = this.#wave;
    const at = this.#waveWords;
    words[at] = a;
    words[at + 1] = b;
    words[at + 2] = mark;
    words[at + 3] = offset;
    this.#waveWords = at + ENTRY_WORDS;
    if (this.#waveWords === words.length) this.#applyWave(id);
  }

  #applyWave(id: number): void {
    const end = this.#waveWords;
    this.#waveWords = 0;
    this.#applyRange(this.#wave, 0, end, id);
  }

  /** The index is far larger than the processor's caches: waiting for many places of it at once takes as long as for one. */
  #applyRange(words: Uint32Array, from: number, end: number, id: number): void {
    this.keys.approach(words, from, end, ENTRY_WORDS);
    for (let at = from; at < end; at += ENTRY_WORDS) {
      this.applyEntry(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, id);
    }
  }

  /** Takes in sorted entries of a segment. */
  applyEntries(words: Uint32Array, id: number): void {
    for (let from = 0; from < words.length; from += WAVE_ENTRIES * ENTRY_WORDS) {
      this.#applyRange(words, from, Math.min(from + WAVE_ENTRIES * ENTRY_WORDS, words.length), id);
    }
  }

  applyEntry(a: number, b: number, mark: number, offset: number, id: number): void {
    const { keys } = this;
    if (isTombstone(mark)) {
      keys.delete(a, b, mark);
    } else {
      keys.set(a, b, mark, id, offset, markSize(mark));
      this.#account(id, classBytes(markSize(mark)));
    }
    if (keys.segment !== 0) this.#account(keys.segment, -classBytes(keys.size));
  }

  /**
   * Takes in that records were copied from the segments `from` to the segment `to`: `moves` has `MOVE_WORDS` for each, as a
   * rewriter gives them. A key that has got another record meanwhile keeps that.
   */
  applyMoves(moves: Uint32Array, from: readonly number[], to: number): void {
    const { keys } = this;
    for (let at = 0; at < moves.length; at += MOVE_WORDS) {
      if (at % (WAVE_ENTRIES * MOVE_WORDS) === 0) {
        keys.approach(moves, at, Math.min(at + WAVE_ENTRIES * MOVE_WORDS, moves.length), MOVE_WORDS);
      }
      const mark = moves[at + 2]!;
      const size = markSize(mark);
      const former = from[moves[at + 4]!]!;
      if (!keys.move(moves[at]!, moves[at + 1]!, mark, former, moves[at + 5]!, to, moves[at + 3]!, size)) continue;
      this.#account(former, -classBytes(keys.size));
      this.#account(to, classBytes(size));
    }
  }

  #account(id: number, bytes: number): void {
    const { liveBytes } = this.#segments;
    liveBytes[id] = liveBytes[id]! + bytes;
  }
}
