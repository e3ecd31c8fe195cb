import { ERROR_CODES, EXIT, HsctlError, messageOf } from '../kit/errors.ts';
import type { Paint } from './render/paint.ts';

const OCLIF_ADVICE = 'See more help with --help';

/** What an operator sees of an error, and the exit code. */
export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/**
 * Why in one line, what to do in the next; no stack traces, unless `debug` asks for them. Errors of the command line's
 * parser count as wrong usage; everything else that is not ours is a bug and is called one.
 */
export function describeFailure(thrown: unknown, command: string, paint: Paint, debug: boolean): Failure {
  const { code, message, hint } = explain(thrown, command);
  const lines = [`${paint('bad', 'hsctl:')} ${message}`];
  if (hint !== '') lines.push(`  ${hint}`);
  if (debug && thrown instanceof Error) {
    lines.push(thrown.stack ?? '');
    if (thrown.cause !== undefined) lines.push(`caused by: ${stackOf(thrown.cause)}`);
  }
  return { lines, exitCode: ERROR_CODES[code] };
}

function explain(thrown: unknown, command: string): Pick<HsctlError, 'code' | 'message' | 'hint'> {
  if (thrown instanceof HsctlError)
    return { code: thrown.code, message: plainMessage(thrown.message), hint: thrown.hint };
  if (thrown instanceof Error && isUsageError(thrown)) {
    return { code: 'usage', message: lowerFirst(plainMessage(thrown.message)), hint: `see "hsctl ${command} --help"` };
  }
  if (thrown instanceof Error && 'syscall' in thrown) {
    return { code: 'failed', message: thrown.message, hint: 'the system refused that; mend it and try again' };
  }
  return {
    code: 'failed',
    message: `this is a bug: ${messageOf(thrown)}`,
    hint: 'run it again with HSCTL_DEBUG=1 and report what it says',
  };
}

/** The parser's own errors carry exit code 2 in `oclif`. */
function isUsageError(thrown: Error): boolean {
  if (!('oclif' in thrown)) return false;
  const { oclif } = thrown;
  return typeof oclif === 'object' && oclif !== null && 'exit' in oclif && oclif.exit === EXIT.usage;
}

/** Without what oclif's parser wraps around a message: a heading, line breaks and an advice of its own. */
function plainMessage(message: string): string {
  if (!message.endsWith(OCLIF_ADVICE)) return message;
  const lines = message
    .slice(0, -OCLIF_ADVICE.length)
    .replace(/^The following errors? occurred:/, '')
    .replace(/^Parsing (--[\w-]+)/, '$1:')
    .split('\n')
    .map((line) => line.trim().replace(/ {2,}/g, ': '))
    .filter((line) => line !== '');
  return lines.join(' ');
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
