import type { HsctlError } from '../kit/errors.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NewEvent, Records } from './ports.ts';

/** What the record becomes, with the event that tells of it. */
export interface RecordStep {
  readonly record: GroupRecord;
  readonly event: NewEvent;
}

/**
 * The record of a group, and its next form while that is on its way to the disk: one at a time.
 *
 * A save that failed may have left all that it wrote: after a crash it would be found as if it had succeeded. So what it
 * should have saved stays on its way, with all that this forbids, until something else was saved in its place.
 */
export class RecordKeeper {
  readonly #records: Records;
  #durable: GroupRecord;
  #saving: GroupRecord | null = null;
  /** What is on its way was refused. */
  #inDoubt = false;
  #waiting: (() => void)[] = [];

  constructor(records: Records, durable: GroupRecord) {
    this.#records = records;
    this.#durable = durable;
  }

  /** What is on the disk: everything that is done follows from it. */
  get durable(): GroupRecord {
    return this.#durable;
  }

  /** What may be on the disk, or may not; null if nothing is on its way there. */
  get saving(): GroupRecord | null {
    return this.#saving;
  }

  /** Saves steps, each made from the one before, as one change. Nothing else may be saved before `onSaved` says what came of it. */
  save(steps: readonly RecordStep[], onSaved: (error: HsctlError | null) => void): void {
    const { record } = steps.at(-1)!;
    const events = steps.map(({ event }) => event);
    this.#saving = record;
    this.#records.save(record, events, (error) => {
      if (error === null) this.#settled(record);
      else this.#inDoubt = true;
      onSaved(error);
      this.#goOn();
    });
  }

  /** If a save was refused, makes certain that nothing of it is on the disk; `onSettled` is told whether that could be done. */
  settle(onSettled: (error: HsctlError | null) => void): void {
    if (!this.#inDoubt) return;
    this.#inDoubt = false;
    this.#records.settle((error) => {
      if (error === null) this.#settled(this.#durable);
      else this.#inDoubt = true;
      onSettled(error);
      this.#goOn();
    });
  }

  /** Runs `task` when nothing is on its way, so that it may save what follows from the record as it is then. */
  async exclusively<Result>(task: () => Result): Promise<Awaited<Result>> {
    while (this.#saving !== null) await this.#outcome();
    return await task();
  }

  /** The same for an operator, who does not wait for a disk to be mended. @throws HsctlError('disk') */
  async exclusivelyNow<Result>(task: () => Result): Promise<Awaited<Result>> {
    while (this.#saving !== null) await (this.#inDoubt ? this.#tryToSettle() : this.#outcome());
    return await task();
  }

  #settled(durable: GroupRecord): void {
    this.#durable = durable;
    this.#saving = null;
  }

  #tryToSettle(): Promise<void> {
    return new Promise((resolve, reject) => this.settle((error) => (error === null ? resolve() : reject(error))));
  }

  #outcome(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #goOn(): void {
    for (const goOn of this.#waiting.splice(0)) goOn();
  }
}
