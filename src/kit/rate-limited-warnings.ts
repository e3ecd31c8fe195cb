import type { Clock } from './clock.ts';
import type { LogFields, Logger } from './logger.ts';

/** Subjects that are told apart at a time; all further ones count as one. */
const SUBJECTS_LIMIT = 100;
const OTHERS = 'others';

interface Subject {
  lastMs: number;
  suppressed: number;
}

/**
 * Warnings that somebody outside can cause at any rate (refused connections, bad requests): each subject is logged
 * once a period at most, with the number of those that were left out since its last line. However many subjects
 * there are, lines and memory stay bounded.
 */
export class RateLimitedWarnings {
  readonly #logger: Logger;
  readonly #clock: Clock;
  readonly #periodMs: number;
  /** In the order of their last line, oldest first. */
  readonly #subjects = new Map<string, Subject>();

  constructor(logger: Logger, clock: Clock, periodMs = 60_000) {
    this.#logger = logger;
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  /** Logs `message` unless the same `subject` (say, the address that was refused) was logged within the period. */
  warn(subject: string, message: string, fields: LogFields = {}): void {
    const nowMs = this.#clock.monotonicMs();
    const name = this.#nameFor(subject, nowMs);
    const known = this.#subjects.get(name);
    if (known !== undefined && nowMs - known.lastMs < this.#periodMs) {
      known.suppressed += 1;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    this.#subjects.delete(name);
    this.#subjects.set(name, { lastMs: nowMs, suppressed: 0 });
    this.#logger.warn(message, suppressed > 0 ? { ...fields, suppressed } : fields);
  }

  /** The subject itself if there is room for it, made if need be by forgetting one whose period is over. */
  #nameFor(subject: string, nowMs: number): string {
    if (this.#subjects.has(subject) || this.#subjects.size < SUBJECTS_LIMIT) return subject;
    for (const [name, { lastMs }] of this.#subjects) {
      if (name === OTHERS) continue;
      if (nowMs - lastMs < this.#periodMs) break;
      this.#subjects.delete(name);
      return subject;
    }
    return OTHERS;
  }
}
