import type { Clock, Scheduler } from '../../kit/clock.ts';
import type { HsctlError } from '../../kit/errors.ts';
import type { Random } from '../../kit/random.ts';
import { HINT_LIMIT_BYTES } from '../../protocol/link/frames.ts';
import { moveLog } from './archive.ts';
import type { Rewriter } from './compaction/rewriter.ts';
import type { Disk } from './disk.ts';
import { Damage, damagedFile, diskFailure } from './disk-failure.ts';
import { Fingerprint } from './fingerprint.ts';
import { History } from './history.ts';
import { Hint } from './hint-file.ts';
import type { StartIndexBuilder } from './index-builder.ts';
import { loadIndex } from './load-index.ts';
import type { IndexKey } from './index-key.ts';
import { LogIndex } from './log-index.ts';
import { LogReader } from './log-reader.ts';
import { type TornTail, openSegments } from './open-segments.ts';
import { Segment, type SegmentName, fileName } from './segment.ts';
import { SegmentSet } from './segment-set.ts';
import { Shipment } from './shipment.ts';
import type { StoreLock } from './store-lock.ts';
import { StoreMeta } from './store-meta.ts';
import { SyncMark } from './sync-mark.ts';
import { Syncer } from './syncer.ts';
import { walkLog } from './walk-log.ts';

export interface StoreOptions {
  readonly disk: Disk;
  /** Absolute path of the store; made if it is not there. */
  readonly directory: string;
  /** A segment that has this many bytes is complete. */
  readonly segmentBytes: number;
  /** How long a delete is remembered at least, for slaves that come back late. */
  readonly tombstonesMs: number;
  /** Whether every confirmation waits for a sync: then the log stays intact when the machine goes down. */
  readonly fsyncAlways: boolean;
  readonly clock: Clock;
  /** Timers for reading back what came whole, in the background; null: it is not. */
  readonly readBackTimers: Scheduler | null;
  /** Makes the store's name and secret. */
  readonly random: Random;
  /** Who rewrites segments: `threadRewriter` in a daemon. */
  readonly rewriter: Rewriter;
  /** Who builds the index of a log that starts from nothing: `threadIndexBuilder` in a daemon. */
  readonly startIndexBuilder: StartIndexBuilder;
  /** Whether a damaged store is opened as well, as one that only `repair` can make use of; else that is an error. */
  readonly opensDamaged?: boolean;
  /** Told of what a crash left unfinished at the log's end, after it was cut off. */
  readonly onTornTail: (tail: TornTail) => void;
  /** Told of an error of the work in the background, which does not stop the log. */
  readonly onTrouble: (error: HsctlError) => void;
}

/** The parts of an open log: what its operations, each in a file of its own, work on. */
export class Store {
  readonly options: StoreOptions;
  readonly meta: StoreMeta;
  readonly segments = new SegmentSet();
  fingerprint: Fingerprint;
  readonly history = new History();
  readonly reader = new LogReader(this.segments);
  readonly syncer: Syncer;
  index: LogIndex;
  /** About how many keys will come from a master to a log that starts from nothing. */
  expectedKeys = 0;
  /** What was found to be damaged; nothing of the log is known then if that was when it was opened. */
  damage: Damage | null = null;
  readonly #lock: StoreLock;
  readonly #mark: SyncMark;
  #generation = 0;

  /** @throws HsctlError('disk') if the log is damaged or cannot be read. */
  constructor(options: StoreOptions, lock: StoreLock) {
    const { disk, directory } = options;
    this.options = options;
    this.#lock = lock;
    const { fsyncAlways, random, opensDamaged = false } = options;
    this.meta = opensDamaged
      ? StoreMeta.openDamaged(disk, directory, fsyncAlways, random)
      : StoreMeta.open(disk, directory, fsyncAlways, random);
    this.#mark = new SyncMark(disk, directory);
    this.syncer = new Syncer(disk, directory, this.segments, this.#mark);
    this.fingerprint = new Fingerprint(this.meta.key);
    this.index = new LogIndex(this.meta.key, this.segments);
    if (this.meta.movingTo !== null) this.moveAway(this.meta.movingTo);
    try {
      this.#load();
    } catch (error) {
      this.forgetAll();
      if (!opensDamaged || !(error instanceof Damage)) throw error;
      this.noteDamage(error);
    }
  }

  /** Remembers, over a restart too, that the log is damaged. @throws HsctlError('disk') if that cannot be written. */
  noteDamage(damage: Damage): void {
    this.damage ??= damage;
    this.meta.setDamaged('log');
  }

  /** Name of the next file; a later one wins over those made before for the same records. */
  nextName(firstSeq: number): SegmentName {
    this.#generation += 1;
    return { firstSeq, generation: this.#generation };
  }

  path(name: SegmentName, kind: 'log' | 'hint'): string {
    return `${this.options.directory}/${fileName(name, kind)}`;
  }

  /** Begins a segment behind the log's end. */
  addSegment(): Segment {
    const { end } = this.segments;
    const name = this.nextName(end.seq + 1);
    const path = this.path(name, 'log');
    try {
      const file = this.options.disk.open(path, 'create');
      const segment = new Segment(this.segments.takeId(), name, file, end);
      this.segments.push(segment);
      this.syncer.namesChanged = true;
      return segment;
    } catch (error) {
      throw diskFailure('make', path, 0, error);
    }
  }

  /** See `Log.ship`. */
  ship(from: number, seen: (error: unknown) => unknown): Shipment | null {
    const segment = this.segments.covering(from + 1);
    if (segment === undefined || segment.firstSeq !== from + 1 || !segment.isSealed) return null;
    const hint = this.path(segment.name, 'hint');
    const shipment = new Shipment(this.options.disk, segment, hint, this.reader.watchCuts(), seen);
    if (shipment.hintBytes <= HINT_LIMIT_BYTES) return shipment;
    shipment.close();
    return null;
  }

  get indexKey(): IndexKey {
    const { store, key } = this.meta;
    return { store, key };
  }

  /** Gives the empty index, for which about so many keys will come, another key. @throws HsctlError('disk') */
  takeIndexKey({ store, key }: IndexKey, keys: number): void {
    this.expectedKeys = keys;
    if (store === this.meta.store) return;
    this.meta.setIndexKey(store, key);
    this.fingerprint = new Fingerprint(key);
    this.index = new LogIndex(key, this.segments);
  }

  /** Builds the index anew, from the hints of all segments but one. @throws HsctlError('disk') */
  buildIndex(except: Segment | null): void {
    const { disk } = this.options;
    const { store, key } = this.meta;
    const list = this.segments.list.filter((segment) => segment !== except);
    const hints = new Map<Segment, Hint>();
    this.segments.liveBytes.fill(0);
    this.index = new LogIndex(key, this.segments);
    try {
      for (const segment of list) {
        const { shippedHint } = segment;
        const hint = shippedHint
          ? Hint.inMemory(shippedHint, store)
          : Hint.open(disk, this.path(segment.name, 'hint'), store);
        if (hint !== null) hints.set(segment, hint);
      }
      loadIndex(this.index, list, hints, this.fingerprint);
    } finally {
      for (const hint of hints.values()) hint.close();
    }
    for (const segment of list) segment.indexed = true;
  }

  /** Forgets everything that is in memory of the log. */
  forgetAll(): void {
    this.reader.noteCut();
    this.segments.clear();
    this.index = new LogIndex(this.meta.key, this.segments);
    this.history.cut(0);
  }

  /** Moves the log's files to an archive; `meta.beginMove` came before it, so that it is done even after a crash. */
  moveAway(path: string): void {
    this.syncer.lower({ firstSeq: 0, generation: 0 }, 0);
    moveLog(this.options.disk, this.options.directory, path);
    this.meta.endMove();
  }

  close(): void {
    this.segments.clear();
    this.#mark.close();
    this.#lock.release();
  }

  #load(): void {
    const { disk, directory, onTornTail, clock } = this.options;
    if (this.meta.damaged !== null) this.#readThrough(this.meta.damaged);
    const { store, key, sameBoot, wasClean } = this.meta;
    const synced = this.#mark.read();
    const hints = openSegments({ disk, directory, store, key, sameBoot, wasClean, synced, onTornTail }, this.segments);
    const { list } = this.segments;
    try {
      loadIndex(this.index, list, hints, this.fingerprint);
    } finally {
      for (const hint of hints.values()) hint.close();
    }
    for (const segment of list) {
      this.#generation = Math.max(this.#generation, segment.name.generation);
      for (const record of segment.controls) this.history.add(record);
    }
    for (const segment of list.slice(0, -1)) segment.sealedAtWallMs ??= clock.wallMs();
  }
  /** Damage was found at an earlier time: the log is used again only if every byte of it is what was written. */
  #readThrough(damaged: 'log' | 'memory'): void {
    const { disk, directory } = this.options;
    if (damaged === 'memory') throw damagedFile(`${directory}/meta.json`, 0, 'what it told of the log is lost');
    for (const { problem } of walkLog(disk, directory, null)) {
      if (problem !== null) throw damagedFile(problem.file, problem.offset, problem.what);
    }
    this.meta.setDamaged(null);
  }
}
