import type { LogPosition } from '../../model/position.ts';
import type { BatchHeader } from '../../protocol/batch/batch-header.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import { diskFailure } from './disk-failure.ts';
import { EntryList, type SortedEntries } from './entry-list.ts';
import { SHARDS } from './fingerprint.ts';
import { Hint } from './hint-file.ts';
import { type IndexBuilder, entriesOf } from './index-builder.ts';
import { samePosition, takeFacts } from './open-segments.ts';
import { segmentUpTo } from './rescan.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';
import { type Steps, turn } from './turns.ts';

/** Entries that are taken into the index in one turn: about a millisecond's work. */
const TURN_ENTRIES = 8192;
/**
 * Entries that are waited for before they are taken into the index: a table of it is fetched from memory once for all
 * of them.
 */
const ROUND_ENTRIES = 2 * 1024 * 1024;

interface Expected {
  readonly segment: Segment;
  readonly hint: Hint;
  readonly hintBytes: Uint8Array;
  readonly entries: SortedEntries;
  /** How many of the hint's control records lie in batches that came. */
  controls: number;
}

interface Unindexed {
  readonly segment: Segment;
  readonly entries: SortedEntries;
}

/**
 * Complete segments of the master, which come with their hint files: their batches are checked and written as they come, but
 * not parsed. What the index has to know of them is in the hint; it is taken in once the segment is there. Until then the
 * index stands where the log ended before. An index that knows no key yet is built elsewhere, and put in place when it
 * is whole; one that knows some takes the entries in here, table by table and in turns.
 *
 * What came of a segment that was broken off is read back from its file. Nothing else may be appended before all is
 * in the index (`settle`), and nobody is told that the log is complete.
 */
export class Intake {
  readonly #store: Store;
  #expected: Expected | null = null;
  /** Segments of which the index knows nothing yet, oldest first. */
  #unindexed: Unindexed[] = [];
  /** The last complete segment, until all of it is in its file. */
  #unwritten: Segment | null = null;
  #written: Promise<void> = Promise.resolve();
  /** How many entries came since the last round began. */
  #waitingEntries = 0;
  /** Has got the entries of all complete segments since the index was empty. */
  #builder: IndexBuilder | null = null;
  /** The builder was told to finish. */
  #finishing: Promise<void> | null = null;
  /** The last segment, if it was broken off. */
  #broken: Segment | null = null;
  #steps: Steps<void> | null = null;
  #running: Promise<void> | null = null;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The segment to which the next batch belongs; null if none is expected. */
  get segment(): Segment | null {
    return this.#expected?.segment ?? null;
  }

  /** Whether the index knows all that was appended, and no segment is expected. */
  get isSettled(): boolean {
    return this.#expected === null && this.#unwritten === null && this.#isIndexed;
  }

  /** Whether all complete segments are in their files, and there is memory for more. */
  get hasRoom(): boolean {
    const { file } = this.#expected?.segment ?? {};
    return this.#unwritten === null && file?.hasBulkRoom !== false && (this.#builder?.room ?? null) === null;
  }

  /** Resolves once that is so. Rejects as the disk does. */
  async room(): Promise<void> {
    while (!this.hasRoom) {
      const segment = this.#expected?.segment;
      if (this.#unwritten !== null) await this.#written;
      else if (segment?.file.hasBulkRoom === false) await worded(segment, segment.file.bulkRoom());
      else await this.#builder?.room;
    }
  }

  /**
   * The batches that come next are those of the segment to which this hint file belongs. One that is of no use here (damaged, of
   * an index with another secret, of another place in the log) is ignored: the batches are then taken as any others.
   */
  expect(hintBytes: Uint8Array): void {
    const { segments, meta } = this.#store;
    // One that was broken off is read back before others come: it is the log's last until then.
    if (this.#expected !== null || this.#broken !== null || this.#finishing !== null) return;
    const hint = Hint.inMemory(hintBytes, meta.store);
    if (hint === null || !samePosition(hint.facts.base, segments.end)) return;
    const entries = hint.readAll();
    if (entries === null) return;
    // No file may end before the next one begins, even if the process is killed.
    this.writeNow();
    this.#expected = { segment: this.#newSegment(), hint, hintBytes, entries, controls: 0 };
  }

  /** Takes note of a checked batch that was written behind the others of `segment`. */
  take(header: BatchHeader, bytes: number): void {
    const expected = this.#expected!;
    const { segment, hint } = expected;
    const { controls, end } = hint.facts;
    for (; (controls[expected.controls]?.seq ?? Infinity) <= header.lastSeq; expected.controls++) {
      this.#store.history.add(controls[expected.controls]!);
    }
    segment.addShipped(header, bytes);
    if (header.lastSeq >= end.seq) this.#complete(expected, header.end);
  }

  /** Resolves once the index knows everything that was appended; a segment that was expected is no more. Rejects as the disk does. */
  async settle(): Promise<void> {
    this.#breakOff();
    await this.#written;
    await this.#running;
    if (this.#builder !== null) await (this.#finishing ??= this.#finish(this.#builder));
    while (!this.#isIndexed) {
      this.#step();
      await turn();
    }
  }

  /** The same at once. @throws HsctlError('disk') */
  settleNow(): void {
    this.#breakOff();
    this.writeNow();
    if (this.#builder !== null) this.#buildHere();
    while (!this.#isIndexed) this.#step();
  }

  /** All that came is in its file when this returns, so that what is said of the log outlives a kill. @throws HsctlError('disk') */
  writeNow(): void {
    this.#flush(this.#unwritten);
    this.#unwritten = null;
    this.#flush(this.#expected?.segment ?? null);
  }

  /** The log's files are moved away: nothing of this counts any more. */
  forget(): void {
    this.#expected = null;
    this.#unwritten = null;
    this.#written = Promise.resolve();
    this.#broken = null;
    this.#steps = null;
    this.#unindexed = [];
    this.#builder?.abandon();
    this.#builder = null;
  }

  get #isIndexed(): boolean {
    return this.#broken === null && this.#unindexed.length === 0 && this.#builder === null;
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
    this.#writeOut(segment);
    takeFacts(segment, hint);
    segment.shippedHint = hintBytes;
    segment.indexed = false;
    segment.isUnread = true;
    const { index, options, expectedKeys } = this.#store;
    if (index.keys.count === 0 && this.#unindexed.length === 0) {
      this.#builder ??= options.startIndexBuilder(expectedKeys);
    }
    if (this.#builder !== null) return this.#builder.add(segment.id, entries);
    this.#unindexed.push({ segment, entries });
    this.#waitingEntries += facts.entries;
    if (this.#waitingEntries < ROUND_ENTRIES) return;
    this.#waitingEntries = 0;
    this.#running ??= this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** All that came of the segment goes to its file, in the background. */
  #writeOut(segment: Segment): void {
    this.#unwritten = segment;
    const written = segment.file.finishBulk().then(() => {
      if (this.#unwritten === segment) this.#unwritten = null;
    });
    const before = this.#written;
    this.#written = worded(segment, written).then(() => before);
    // Whoever waits for it hears of a failure.
    this.#written.catch(() => undefined);
  }

  #flush(segment: Segment | null): void {
    try {
      segment?.file.flush();
    } catch (error) {
      throw writeFailure(segment!, error);
    }
  }

  #breakOff(): void {
    if (this.#expected === null) return;
    this.#broken = this.#expected.segment;
    this.#expected = null;
    this.#writeOut(this.#broken);
  }

  /** Puts the index in place once it is built. */
  async #finish(builder: IndexBuilder): Promise<void> {
    try {
      const built = await builder.finish();
      if (this.#builder !== builder) return;
      const { index, segments } = this.#store;
      index.keys.adopt(built);
      for (const segment of segments.list) {
        segments.liveBytes[segment.id] = built.liveBytes[segment.id]!;
        if (segment !== this.#broken) segment.indexed = true;
      }
      this.#builder = null;
    } catch (error) {
      if (this.#builder !== builder) return;
      const hint = 'the index was built by the agent itself, which answered nobody meanwhile';
      this.#store.options.onTrouble(new HsctlError('failed', messageOf(error), hint));
      this.#buildHere();
    } finally {
      this.#finishing = null;
    }
  }

  /** Builds at once what the builder has not given yet. */
  #buildHere(): void {
    this.#builder?.abandon();
    this.#builder = null;
    this.#store.buildIndex(this.#broken);
  }

  /** Takes the complete segments that there are into the index, in the background. */
  async #run(): Promise<void> {
    const round = new Set(this.#unindexed);
    while (this.#unindexed.some((each) => round.has(each))) {
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
        index.applyEntries(entriesOf(entries, shard), segment.id);
        done += entries.starts[shard + 1]! - entries.starts[shard]!;
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

async function worded(segment: Segment, written: Promise<void>): Promise<void> {
  try {
    await written;
  } catch (error) {
    throw writeFailure(segment, error);
  }
}

function writeFailure({ file, bytes }: Segment, error: unknown): HsctlError {
  return diskFailure('write', file.path, bytes, error);
}
