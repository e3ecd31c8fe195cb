import type { HsctlError } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import type { BatchHeader } from '../../protocol/batch/batch-header.ts';
import { ENTRY_WORDS, EntryList, type SortedEntries } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import { Hint } from './hint-file.ts';
import { samePosition, takeFacts } from './open-segments.ts';
import { segmentUpTo } from './rescan.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';
import { type Steps, turn } from './turns.ts';
import { type Passage, type PassageTaker, WriteBehind } from './write-behind.ts';

/** Entries that are taken into the index in one turn: about a millisecond's work. */
const TURN_ENTRIES = 8192;

interface Expected {
  readonly segment: Segment;
  readonly hint: Hint;
  readonly hintBytes: Uint8Array;
  readonly entries: SortedEntries;
  /** How many of the hint's control records lie in batches that are in the file. */
  controls: number;
  /** Where the log ends, and the file, once all that was taken is in it. */
  end: LogPosition;
  bytes: number;
  readonly onHeld: OnHeld;
}

/** The log's end has moved on in the background; or the disk refused, and it will not. */
export type OnHeld = (failure: HsctlError | null) => void;

interface Unindexed {
  readonly segment: Segment;
  readonly entries: SortedEntries;
}

/**
 * Complete segments of the master, which come with their hint files: their batches are checked as they come, and written in
 * the background, but not parsed; the log's end moves on with what is in the file. What the index has to know of them is in the hint; it is taken in once the segment is there, table
 * by table and in turns. Until then the index stands where the log ended before.
 *
 * What came of a segment that was broken off is read back from its file. Nothing else may be appended before all is
 * in the index (`settle`), and nobody is told that the log is complete.
 */
export class Intake implements PassageTaker {
  readonly #store: Store;
  readonly #onFailure: (error: unknown) => HsctlError;
  readonly #behind = new WriteBehind(this);
  #expected: Expected | null = null;
  /** Segments of which the index knows nothing yet, oldest first. */
  #unindexed: Unindexed[] = [];
  /** The last segment, if it was broken off. */
  #broken: Segment | null = null;
  #steps: Steps<void> | null = null;
  #running: Promise<void> | null = null;

  /** `onFailure`: takes note of a write that failed in the background, and words it. */
  constructor(store: Store, onFailure: (error: unknown) => HsctlError) {
    this.#store = store;
    this.#onFailure = onFailure;
  }

  /** Behind which position of a segment that comes whole the next batch belongs; null if none is expected. */
  get end(): LogPosition | null {
    const expected = this.#expected;
    return expected === null || expected.end.seq >= expected.hint.facts.end.seq ? null : expected.end;
  }

  /** Whether the index knows all that was appended, and no segment is expected. */
  get isSettled(): boolean {
    return this.#expected === null && this.#isIndexed;
  }

  /** Whether `take` may hold up the caller; `onHeld` is called when that may be over. */
  get isFull(): boolean {
    return this.#behind.isFull;
  }

  /**
   * The batches that come next are those of the segment to which this hint file belongs. One that is of no use here (damaged, of
   * an index with another secret, of another place in the log) is ignored: the batches are then taken as any others.
   */
  expect(hintBytes: Uint8Array, onHeld: OnHeld): void {
    const { segments, meta } = this.#store;
    this.#behind.flushNow();
    if (this.#expected !== null) return;
    const hint = Hint.inMemory(hintBytes, meta.store);
    if (hint === null || !samePosition(hint.facts.base, segments.end)) return;
    const entries = hint.readAll();
    if (entries === null) return;
    const { end } = segments;
    this.#expected = { segment: this.#newSegment(), hint, hintBytes, entries, controls: 0, end, bytes: 0, onHeld };
  }

  /** Takes a checked batch that continues the log at `end`. @throws HsctlError('disk') */
  take(header: BatchHeader, batch: Uint8Array): void {
    const expected = this.#expected!;
    const { firstSeq, lastSeq, forgetful, end } = header;
    const position = expected.bytes;
    expected.end = end;
    expected.bytes += batch.length;
    const passage = { bytes: batch.length, firstSeq, lastSeq, forgetful, end };
    this.#behind.add(expected.segment, position, batch, passage);
  }

  /** Takes note of a batch that is in the file, behind the others. */
  written(passage: Passage): void {
    const expected = this.#expected!;
    const { segment, hint, onHeld } = expected;
    const { controls, end } = hint.facts;
    for (; (controls[expected.controls]?.seq ?? Infinity) <= passage.lastSeq; expected.controls++) {
      this.#store.history.add(controls[expected.controls]!);
    }
    segment.addShipped(passage, passage.bytes);
    if (passage.lastSeq >= end.seq) this.#complete(expected, passage.end);
    onHeld(null);
  }

  failed(error: unknown): void {
    const failure = this.#onFailure(error);
    this.#expected?.onHeld(failure);
  }

  /** Resolves once the index knows everything that was appended; a segment that was expected is no more. Rejects as the disk does. */
  async settle(): Promise<void> {
    await this.#behind.idle();
    this.#breakOff();
    await this.#running;
    while (!this.#isIndexed) {
      this.#step();
      await turn();
    }
  }

  /** The same at once. @throws HsctlError('disk') */
  settleNow(): void {
    this.#behind.flushNow();
    this.#breakOff();
    while (!this.#isIndexed) this.#step();
  }

  /** Resolves once nothing is being written; what waits is. */
  async idle(): Promise<void> {
    await this.#behind.idle();
  }

  /** The log's files are moved away: nothing of this counts any more. */
  forget(): void {
    this.#behind.forget();
    this.#expected = null;
    this.#broken = null;
    this.#steps = null;
    this.#unindexed = [];
  }

  get #isIndexed(): boolean {
    return this.#broken === null && this.#unindexed.length === 0;
  }

  #newSegment(): Segment {
    const { segments, options } = this.#store;
    const { last } = segments;
    if (last !== undefined && last.bytes > 0) last.sealedAtWallMs ??= options.clock.wallMs();
    const segment = last !== undefined && last.bytes === 0 ? last : this.#store.addSegment();
    segment.entries = null;
    return segment;
  }

  #complete(expected: Expected, end: LogPosition): void {
    const { segment, hint, hintBytes, entries } = expected;
    const { facts } = hint;
    if (segment.bytes !== facts.bytes || !samePosition(end, facts.end)) return this.#breakOff();
    this.#expected = null;
    takeFacts(segment, hint);
    segment.shippedHint = hintBytes;
    segment.indexed = false;
    this.#unindexed.push({ segment, entries });
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  #breakOff(): void {
    if (this.#expected === null) return;
    this.#broken = this.#expected.segment;
    this.#expected = null;
  }

  /** Takes complete segments into the index in the background. */
  async #run(): Promise<void> {
    while (this.#unindexed.length > 0) {
      await turn();
      if (this.#unindexed.length > 0) this.#step();
    }
  }

  #step(): void {
    this.#steps ??= this.#unindexed.length > 0 ? this.#index(this.#unindexed.slice()) : this.#readBack(this.#broken!);
    try {
      if (this.#steps.next().done === true) this.#steps = null;
    } catch (error) {
      this.#steps = null;
      throw error;
    }
  }

  /** Table by table: each stays in the processor's cache while the entries of all these segments go into it. */
  *#index(round: readonly Unindexed[]): Steps<void> {
    const { index } = this.#store;
    let done = 0;
    for (let shard = 0; shard < SHARDS; shard++) {
      for (const { segment, entries } of round) {
        const { words, starts } = entries;
        index.applyEntries(words.subarray(starts[shard]! * ENTRY_WORDS, starts[shard + 1]! * ENTRY_WORDS), segment.id);
        done += starts[shard + 1]! - starts[shard]!;
      }
      if (done < TURN_ENTRIES) continue;
      done = 0;
      yield;
    }
    for (const { segment } of round) segment.indexed = true;
    this.#unindexed.splice(0, round.length);
  }

  *#readBack(segment: Segment): Steps<void> {
    const { index, segments, fingerprint } = this.#store;
    const kept = yield* segmentUpTo(segment, segment.bytes, fingerprint);
    segments.swapLast(kept);
    kept.entries ??= new EntryList();
    for (const words of kept.entries.chunks) index.applyEntries(words, kept.id);
    this.#broken = null;
  }
}
