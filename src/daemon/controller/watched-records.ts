import type { NewEvent, Records } from '../../controller/ports.ts';
import type { GroupEvent } from '../../model/event.ts';
import type { GroupRecord } from '../../model/group-record.ts';

/** Records that tell whoever follows the events of each new one. */
export class WatchedRecords implements Records {
  readonly #records: Records;
  readonly #listeners = new Set<() => void>();

  constructor(records: Records) {
    this.#records = records;
  }

  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  save(record: GroupRecord, events: readonly NewEvent[]): readonly GroupEvent[] {
    return this.#tell(this.#records.save(record, events));
  }

  append(events: readonly NewEvent[]): readonly GroupEvent[] {
    return this.#tell(this.#records.append(events));
  }

  load(): Map<string, GroupRecord> {
    return this.#records.load();
  }

  events(query: { group?: string; afterId?: number; limit: number }): readonly GroupEvent[] {
    return this.#records.events(query);
  }

  longestGrantMs(): number {
    return this.#records.longestGrantMs();
  }

  saveLongestGrantMs(durationMs: number): void {
    this.#records.saveLongestGrantMs(durationMs);
  }

  close(): void {
    this.#records.close();
  }

  #tell(events: readonly GroupEvent[]): readonly GroupEvent[] {
    for (const listener of this.#listeners) listener();
    return events;
  }
}
