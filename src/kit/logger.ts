import type { Clock } from './clock.ts';

/** Logging as the rest of the code sees it; `telemetry/logger.ts` makes the real one. Pure code takes none. */

/** Values that go with a message, each under its own key. Errors are written with their message and cause. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  /** Something that an operator should look at some time. */
  warn(message: string, fields?: LogFields): void;
  /** Something that an operator should look at now. */
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` (the group, the node) to every line. */
  child(fields: LogFields): Logger;
}

/** A logger that drops everything. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** Subjects that one `RateLimitedWarnings` remembers; more of them than this share the oldest one's fate and are forgotten. */
const SUBJECTS_LIMIT = 1000;

interface Subject {
  lastMs: number;
  suppressed: number;
}

/**
 * Warnings that somebody outside can cause at any rate (refused connections, bad requests): each subject is logged
 * once a period at most, with the number of those that were left out since.
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
    const known = this.#subjects.get(subject);
    if (known !== undefined && nowMs - known.lastMs < this.#periodMs) {
      known.suppressed += 1;
      return;
    }
    const suppressed = known?.suppressed ?? 0;
    this.#subjects.delete(subject);
    if (this.#subjects.size >= SUBJECTS_LIMIT) {
      const [oldest] = this.#subjects.keys();
      if (oldest !== undefined) this.#subjects.delete(oldest);
    }
    this.#subjects.set(subject, { lastMs: nowMs, suppressed: 0 });
    this.#logger.warn(message, suppressed > 0 ? { ...fields, suppressed } : fields);
  }
}
