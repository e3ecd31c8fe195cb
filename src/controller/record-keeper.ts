import type { HsctlError } from '../kit/errors.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NewEvent, Records } from './ports.ts';

/** What the record becomes, with the event that tells of it. */
export interface RecordStep {
  readonly record: GroupRecord;
  readonly event: NewEvent;
}

/** The record of a group, and its next form while that is on its way to the disk: one at a time. */
export class RecordKeeper {
  readonly #records: Records;
  #durable: GroupRecord;
  #saving: GroupRecord | null = null;
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
      this.#saving = null;
      if (error === null) this.#durable = record;
      onSaved(error);
      for (const goOn of this.#waiting.splice(0)) goOn();
    });
  }

  /** Runs `task` when nothing is on its way, so that it may save what follows from the record as it is then. */
  async exclusively<Result>(task: () => Result): Promise<Awaited<Result>> {
    while (this.#saving !== null) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return await task();
  }
}
