import type { NewEvent, Records } from '../../controller/ports.ts';
import type { GroupEvent } from '../../model/event.ts';
import type { GroupRecord } from '../../model/group-record.ts';

/** Records that tell whoever follows the events of each new one, and remember the newest of each group. */
export class WatchedRecords implements Records {
  readonly #records: Records;
  readonly #listeners = new Set<() => void>();
  /** Of each group, as far as it was asked for or came since. */
  readonly #newest = new Map<string, GroupEvent | null>();

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

  /** The newest event of a group; null if there is none. From memory, as every look at the status wants it of every group. */
  lastEvent(group: string): GroupEvent | null {
    const known = this.#newest.get(group);
    if (known !== undefined) return known;
    const [found = null] = this.#records.events({ group, limit: 1 });
    this.#newest.set(group, found);
    return found;
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
    for (const event of events) this.#newest.set(event.group, event);
    for (const listener of this.#listeners) listener();
    return events;
  }
}
