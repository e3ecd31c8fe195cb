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
