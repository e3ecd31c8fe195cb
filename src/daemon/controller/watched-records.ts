import type { NewEvent, Records, Saved } from '../../controller/ports.ts';
import type { HsctlError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { GroupEvent } from '../../model/event.ts';
import type { GroupRecord } from '../../model/group-record.ts';

/** Records that tell whoever follows the events of each new one, and remember the newest of each group. */
export class WatchedRecords implements Records {
  readonly #records: Records;
  readonly #logger: Logger;
  readonly #listeners = new Set<() => void>();
  /** Of each group, as far as it was asked for or came since. */
  readonly #newest = new Map<string, GroupEvent | null>();

  #isTelling = false;

  constructor(records: Records, logger: Logger) {
    this.#records = records;
    this.#logger = logger;
  }

  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  save(record: GroupRecord, events: readonly NewEvent[], onSaved: Saved): void {
    this.#records.save(record, events, (error, saved) => {
      this.#note(saved);
      onSaved(error, saved);
    });
  }

  /** Nobody waits for these: that they are lost is for the log. */
  append(events: readonly NewEvent[]): void {
    this.#records.append(events, (error, saved) => {
      this.#note(saved);
      if (error !== null) this.#logger.error(error.message, { hint: error.hint });
    });
  }

  settle(onSettled: (error: HsctlError | null) => void): void {
    this.#records.settle(onSettled);
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

  #note(events: readonly GroupEvent[]): void {
    if (events.length === 0) return;
    for (const event of events) this.#newest.set(event.group, event);
    // Many decisions become durable at once: whoever follows is told when all of them are.
    if (this.#isTelling) return;
    this.#isTelling = true;
    queueMicrotask(() => {
      this.#isTelling = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
