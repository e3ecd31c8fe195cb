import type { HsctlError } from '../../../src/kit/errors.ts';
import { inlineIndexBuilder } from './inline-index-builder.ts';
import { inlineRewriter } from './inline-rewriter.ts';
import { DiskLog } from '../../../src/replication/log/disk-log.ts';
import type { TornTail } from '../../../src/replication/log/open-segments.ts';
import type { StoreOptions } from '../../../src/replication/log/store.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { LogModel, type ModelRecord } from './log-model.ts';

export const STORE = '/store';

/** mulberry32 */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A log on a disk in memory, with what it told. */
export class TestStore {
  readonly disk: MemoryDisk;
  readonly tails: TornTail[] = [];
  readonly troubles: HsctlError[] = [];
  wallMs = 1_000_000;
  log: DiskLog;
  readonly #options: Partial<StoreOptions>;

  /** `latency` as that of a `MemoryDisk`. */
  constructor(options: Partial<StoreOptions> = {}, latency: () => Promise<void> = () => Promise.resolve()) {
    this.disk = new MemoryDisk({ random: seeded(7), latency });
    this.#options = options;
    this.log = this.open();
  }

  /** Opens the store again, for a new process or the present one. */
  open(options: Partial<StoreOptions> = {}): DiskLog {
    const disk = this.disk.mount();
    this.log = DiskLog.open({
      disk,
      directory: STORE,
      segmentBytes: 2000,
      tombstonesMs: 60_000,
      fsyncAlways: false,
      clock: { monotonicMs: () => this.wallMs, wallMs: () => this.wallMs },
      readBackTimers: null,
      random: seeded(11),
      rewriter: inlineRewriter(disk),
      startIndexBuilder: inlineIndexBuilder,
      onTornTail: (tail) => this.tails.push(tail),
      onTrouble: (error) => this.troubles.push(error),
      ...this.#options,
      ...options,
    });
    return this.log;
  }

  append(...records: readonly ModelRecord[]): void {
    this.log.append(LogModel.bytesOf(records, Math.max(1, this.log.end.epoch), this.log.end));
  }

  /** One batch that sets a key. */
  set(key: string, value: string): void {
    this.append({ kind: 'set', key, value });
  }

  get(key: string): string | null {
    const value = this.log.get(Buffer.from(key));
    return value === null ? null : Buffer.from(value).toString();
  }

  /** Names of the log's files of one kind, in order. */
  files(kind: 'log' | 'hint'): string[] {
    return this.disk
      .list(STORE)
      .filter((name) => name.endsWith(`.${kind}`))
      .toSorted()
      .map((name) => `${STORE}/${name}`);
  }
}
