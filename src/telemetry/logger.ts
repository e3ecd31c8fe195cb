import { destination, pino, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import { HsctlError } from '../kit/errors.ts';
import type { LogFields, Logger } from '../kit/logger.ts';
import { readableLine } from './readable-line.ts';

/** Least urgent first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Lines that wait for a reader (journald, a pipe) beyond this are dropped: a stuck log must not stop the service. */
const QUEUE_LIMIT_BYTES = 4 * 2 ** 20;

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Whether people read it, line by line, rather than journald. */
  readonly forPeople: boolean;
  readonly colours: boolean;
}

/** What the flags and the environment ask for. `--log-level` goes before `HSCTL_LOG`. @throws HsctlError('usage') */
export function loggerOptions(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): LoggerOptions {
  const wanted = flag ?? (env['HSCTL_LOG'] || 'info');
  const level = LOG_LEVELS.find((each) => each === wanted);
  if (level === undefined) {
    throw new HsctlError(
      'usage',
      `${JSON.stringify(wanted)} is not a log level`,
      `use one of ${LOG_LEVELS.join(', ')}`,
    );
  }
  return { level, forPeople: isTerminal, colours: isTerminal && !env['NO_COLOR'] };
}

/**
 * The logger of this process, to be made once: JSON lines on stdout for journald, readable lines on a terminal.
 * `level` is that of the command line, if one was given. @throws HsctlError('usage')
 */
export function makeLogger({ name, level }: { readonly name: string; readonly level?: string | undefined }): Logger {
  const options = loggerOptions(level, process.env, process.stdout.isTTY);
  // On a terminal the order among other output counts, elsewhere that nobody waits for a reader.
  const output = destination({ fd: 1, sync: options.forPeople, maxLength: QUEUE_LIMIT_BYTES });
  return createLogger(options, output).child({ name });
}

/** A logger that writes its lines to `output`. */
export function createLogger(options: LoggerOptions, output: DestinationStream): Logger {
  const target = options.forPeople
    ? { write: (line: string) => output.write(readableLine(line, options.colours)) }
    : output;
  const root = pino(
    {
      level: options.level,
      // journald adds process and host by itself.
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: 'message',
      errorKey: 'error',
    },
    target,
  );
  return wrap(root);
}

function wrap(log: Pino): Logger {
  return {
    debug: (message, fields = {}) => log.debug(fields, message),
    info: (message, fields = {}) => log.info(fields, message),
    warn: (message, fields = {}) => log.warn(fields, message),
    error: (message, fields = {}) => log.error(fields, message),
    child: (fields: LogFields) => wrap(log.child(fields)),
  };
}
