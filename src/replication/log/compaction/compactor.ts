import { HsctlError } from '../../../kit/errors.ts';
import { diskFailure } from '../disk-failure.ts';
import { ENTRY_WORDS, isTombstone } from '../entry-list.ts';
import { Hint } from '../hint-file.ts';
import { WAVE_ENTRIES } from '../log-index.ts';
import { removeSegment, takeHint } from '../open-segments.ts';
import { Segment, type SegmentName } from '../segment.ts';
import type { Store } from '../store.ts';
import { turn } from '../turns.ts';
import { UNFINISHED } from '../write-durably.ts';
import { type Run, type SegmentFacts, chooseRun, isUrgent } from './choose-run.ts';
import { MOVE_WORDS, type RewriteInput, type RewriteJob, type RewriteResult } from './rewriter.ts';

/** While nothing is urgent, a rewrite reads and writes no faster. */
const BYTES_PER_SECOND = 64 * 1024 * 1024;
/** Moves that are taken into the index in one turn. */
const TURN_MOVES = 4096;

/**
 * Rewrites segments of which much is no longer of use, one run at a time.
 *
 * A record is dropped because of a later one. So the result takes the place of the run only when everything that was in
 * the log at the moment of the decision is confirmed and on stable storage, and from then on the log cannot be cut before
 * that place (the floor). Until then an abort costs nothing: the files are named as unfinished.
 */
export class Compactor {
  readonly #store: Store;
  #running: Promise<boolean> | null = null;
  #abort: AbortController | null = null;
  #confirmedSeq = 0;
  #onConfirmed: (() => void) | null = null;
  readonly #hurry = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  constructor(store: Store) {
    this.#store = store;
  }

  /** See `Log.setConfirmed`. */
  setConfirmed(seq: number): void {
    this.#confirmedSeq = seq;
    this.#onConfirmed?.();
  }

  /** The log was cut behind `seq`: nothing that comes there now was confirmed. */
  noteCut(seq: number): void {
    this.#confirmedSeq = Math.min(this.#confirmedSeq, seq);
  }

  /**
   * Rewrites one run, if one is due; resolves to whether it did. Rejects as the disk does; then nothing has changed.
   * While one is being rewritten: sees whether that has become urgent.
   */
  compact(): Promise<boolean> {
    if (this.#running !== null) {
      this.#hurryIfUrgent(this.#facts());
      return this.#running;
    }
    const abort = new AbortController();
    this.#abort = abort;
    this.#running = this.#compact(abort.signal).finally(() => {
      this.#running = null;
      this.#abort = null;
    });
    return this.#running;
  }

  /** Ends what is under way, either way, and resolves once nothing is. */
  async stop(): Promise<void> {
    this.#abort?.abort();
    await this.#running?.catch(() => undefined);
  }

  async #compact(signal: AbortSignal): Promise<boolean> {
    const facts = this.#facts();
    const run = chooseRun(facts, this.#store.options.segmentBytes);
    if (run === null) return false;
    const inputs = this.#store.segments.list.slice(run.from, run.to);
    const name = this.#store.nextName(inputs[0]!.firstSeq);
    this.#hurry[0] = 0;
    this.#hurryIfUrgent(facts);
    const job = this.#jobFor(run, inputs, name);
    let decidedAt = inputs.at(-1)!.end.seq;
    const answer = (input: number, entries: Uint32Array): Promise<Uint8Array> => {
      decidedAt = this.#store.segments.end.seq;
      return Promise.resolve(this.#whichLive(inputs[input]!.id, entries));
    };
    try {
      const result = await this.#store.options.rewriter(job, answer, signal);
      if (!(await this.#untilSafe(decidedAt, signal))) return false;
      await this.#install(inputs, name, job, result, decidedAt);
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      this.#removeUnfinished(job);
    }
  }

  #hurryIfUrgent(facts: readonly SegmentFacts[]): void {
    if (isUrgent(facts, this.#store.options.segmentBytes)) Atomics.store(this.#hurry, 0, 1);
  }

  #facts(): readonly SegmentFacts[] {
    const { segments, options } = this.#store;
    const forgetBefore = options.clock.wallMs() - options.tombstonesMs;
    return segments.list.map((segment) => {
      const { bytes, compactedBytes, sealedAtWallMs } = segment;
      const liveBytes = segments.liveBytes[segment.id]!;
      const expired = compactedBytes !== null && sealedAtWallMs !== null && sealedAtWallMs < forgetBefore;
      return {
        bytes,
        usefulBytes: usefulBytes(segment, liveBytes),
        expiredBytes: expired ? segment.tombstoneBytes : 0,
        ready: segment.isSealed && segment.indexed && segment.end.seq <= this.#confirmedSeq,
      };
    });
  }

  #jobFor(run: Run, inputs: readonly Segment[], name: SegmentName): RewriteJob {
    const { meta, options, history } = this.#store;
    const forgetBefore = options.clock.wallMs() - options.tombstonesMs;
    const input = (segment: Segment): RewriteInput => ({
      logPath: this.#store.path(segment.name, 'log'),
      hintPath: this.#store.path(segment.name, 'hint'),
      base: segment.base,
      bytes: segment.bytes,
      dropsDeletes: run.from === 0 && (segment.sealedAtWallMs ?? Infinity) < forgetBefore,
    });
    return {
      store: meta.store,
      key: meta.key,
      inputs: inputs.map(input),
      logPath: this.#store.path(name, 'log') + UNFINISHED,
      hintPath: this.#store.path(name, 'hint') + UNFINISHED,
      sealedAtWallMs: Math.max(...inputs.map((segment) => segment.sealedAtWallMs ?? 0)),
      idleControls: [...history.idle(this.#confirmedSeq)],
      bytesPerSecond: BYTES_PER_SECOND,
      hurry: this.#hurry,
    };
  }

  /** Sets are of use where the index points, deletes while the key is absent. */
  #whichLive(id: number, entries: Uint32Array): Uint8Array {
    const { keys } = this.#store.index;
    const live = new Uint8Array(entries.length / ENTRY_WORDS);
    for (let number = 0; number < live.length; number++) {
      const at = number * ENTRY_WORDS;
      if (number % WAVE_ENTRIES === 0) {
        keys.approach(entries, at, Math.min(at + WAVE_ENTRIES * ENTRY_WORDS, entries.length), ENTRY_WORDS);
      }
      const known = keys.find(entries[at]!, entries[at + 1]!, entries[at + 2]!);
      const is = isTombstone(entries[at + 2]!)
        ? !known
        : known && keys.segment === id && keys.offset === entries[at + 3]!;
      live[number] = is ? 1 : 0;
    }
    return live;
  }

  /** Whether everything up to `seq` became confirmed and durable, before the work was called off. */
  async #untilSafe(seq: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return false;
    await this.#store.syncer.sync();
    while (this.#confirmedSeq < seq && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#onConfirmed = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    this.#onConfirmed = null;
    return !signal.aborted;
  }

  async #install(
    inputs: readonly Segment[],
    name: SegmentName,
    job: RewriteJob,
    result: RewriteResult,
    decidedAt: number,
  ): Promise<void> {
    const { disk, directory } = this.#store.options;
    const { segments, meta } = this.#store;
    await meta.raiseFloor(decidedAt);
    const segment = await this.#openNew(name, job, inputs);
    segments.register(segment);
    for (const part of result.moves) await this.#moveAll(part, inputs, segment);
    segments.replace(inputs, segment);
    this.#store.history.forget(
      new Set(job.idleControls.filter((seq) => seq <= segment.end.seq && seq >= segment.firstSeq)),
    );
    for (const former of inputs) removeSegment(disk, directory, former.name);
  }

  /** Gives the new files their names: from here on a start takes them instead of the old ones. */
  async #openNew(name: SegmentName, job: RewriteJob, inputs: readonly Segment[]): Promise<Segment> {
    const { disk, directory } = this.#store.options;
    const logPath = this.#store.path(name, 'log');
    const hintPath = this.#store.path(name, 'hint');
    try {
      disk.rename(job.hintPath, hintPath);
      disk.rename(job.logPath, logPath);
      await disk.syncDirectoryLater(directory);
      const segment = new Segment(this.#store.segments.takeId(), name, disk.open(logPath, 'write'), inputs[0]!.base);
      const hint = Hint.open(disk, hintPath, job.store);
      if (hint === null) throw new HsctlError('disk', `${hintPath} cannot be read back`, 'check the disk');
      takeHint(segment, hint);
      hint.close();
      return segment;
    } catch (error) {
      throw diskFailure('put in place', logPath, 0, error);
    }
  }

  async #moveAll(moves: Uint32Array, inputs: readonly Segment[], to: Segment): Promise<void> {
    const from = inputs.map(({ id }) => id);
    const turnWords = TURN_MOVES * MOVE_WORDS;
    for (let at = 0; at < moves.length; at += turnWords) {
      this.#store.index.applyMoves(moves.subarray(at, at + turnWords), from, to.id);
      await turn();
    }
  }

  #removeUnfinished(job: RewriteJob): void {
    const { disk } = this.#store.options;
    for (const path of [job.hintPath, job.logPath]) if (disk.stat(path) !== null) disk.remove(path);
  }
}

/** How much of a segment is still of use, at most; `liveBytes`: of records to which the index points. */
function usefulBytes({ bytes, compactedBytes, indexed }: Segment, liveBytes: number): number {
  if (!indexed) return bytes;
  // All that a compaction left was of use then. Deletes elsewhere may be outdated, for all that is known.
  return compactedBytes === null ? liveBytes : bytes - (compactedBytes - liveBytes);
}
