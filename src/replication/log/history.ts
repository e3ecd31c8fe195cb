import type { Reign } from '../../model/position.ts';
import type { ControlRecord } from './segment.ts';

/** What the log tells of its reigns: when each began, and which records its master may have confirmed alone. */
export class History {
  #controls: ControlRecord[] = [];
  #reigns: readonly Reign[] = [];
  #alone = false;
  #aloneTo = 0;

  get reigns(): readonly Reign[] {
    return this.#reigns;
  }

  /** See `LogState.aloneTo`, for a log that ends with `endSeq`. */
  aloneTo(endSeq: number): number {
    return this.#alone ? endSeq : this.#aloneTo;
  }

  add(record: ControlRecord): void {
    this.#controls.push(record);
    if (record.kind === 'reign') {
      this.#reigns = [...this.#reigns, { epoch: record.epoch, firstSeq: record.seq }];
      return;
    }
    if (record.kind === 'together' && this.#alone) this.#aloneTo = record.seq - 1;
    this.#alone = record.kind === 'alone';
  }

  /** Forgets what stands behind `seq`. */
  cut(seq: number): void {
    const kept = this.#controls.filter((record) => record.seq <= seq);
    this.#controls = [];
    this.#reigns = [];
    this.#alone = false;
    this.#aloneTo = 0;
    for (const record of kept) this.add(record);
  }

  /**
   * Seqs of the records up to `seq` that nobody needs any more: those that tell with whom the master confirmed, before
   * the last time that it was alone.
   */
  idle(seq: number): ReadonlySet<number> {
    const records = this.#controls.filter((record) => record.kind !== 'reign' && record.seq <= seq);
    const ended = records.findLastIndex(
      (record, at) => record.kind === 'together' && records[at - 1]?.kind === 'alone',
    );
    return new Set(records.slice(0, Math.max(0, ended - 1)).map((record) => record.seq));
  }

  /** Forgets records that were dropped from the log. */
  forget(seqs: ReadonlySet<number>): void {
    this.#controls = this.#controls.filter((record) => !seqs.has(record.seq));
  }
}
