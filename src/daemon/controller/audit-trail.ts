import type { AuditEntry } from '../../api/controller-service.ts';
import type { NewEvent, Records } from '../../controller/ports.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Logger } from '../../kit/logger.ts';

/** The same entry is noted once in this time, so that nobody can wash events away by asking again and again. */
const PERIOD_MS = 60_000;
/** Entries that are told apart in that time; beyond them nothing is noted but in the log. */
const ENTRIES_LIMIT = 100;

/** What operators asked for without success, and what changed no record, as events; what changed one is noted with it. */
export class AuditTrail {
  readonly #records: Pick<Records, 'append'>;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #notedAtMs = new Map<string, number>();

  constructor(records: Pick<Records, 'append'>, clock: Clock, logger: Logger) {
    this.#records = records;
    this.#clock = clock;
    this.#logger = logger;
  }

  /** `epoch` is that of the group at present. */
  note({ group, operator, action, refused, result }: AuditEntry, epoch: number): void {
    const message = `${operator}: ${action}: ${result}`;
    this.#logger.info(message, { group });
    if (!this.#isDue(`${group} ${message}`)) return;
    const rule = refused ? 'refused' : 'operator';
    const wallMs = this.#clock.wallMs();
    const event: NewEvent = { group, wallMs, kind: 'operator', rule, epoch, node: null, message, phasesMs: null };
    this.#records.append([event]);
  }

  #isDue(entry: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, notedAtMs] of this.#notedAtMs) {
      if (nowMs - notedAtMs < PERIOD_MS) break;
      this.#notedAtMs.delete(key);
    }
    if (this.#notedAtMs.has(entry) || this.#notedAtMs.size >= ENTRIES_LIMIT) return false;
    this.#notedAtMs.set(entry, nowMs);
    return true;
  }
}
