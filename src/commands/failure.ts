import { ERROR_CODES, HsctlError, messageOf } from '../kit/errors.ts';
import type { Paint } from './render/paint.ts';
import { UsageFault } from './usage-fault.ts';

/** What an operator sees of an error, and the exit code. */
export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/**
 * Why in one line, what to do in the next; no stack traces, unless `debug` asks for them. Faults in the command's
 * words count as wrong usage; everything else that is not ours is a bug and is called one.
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
  if (thrown instanceof HsctlError) return thrown;
  if (thrown instanceof UsageFault)
    return { code: 'usage', message: thrown.message, hint: `see "hsctl ${command} --help"` };
  if (thrown instanceof Error && 'syscall' in thrown) {
    return { code: 'failed', message: thrown.message, hint: 'the system refused that; mend it and try again' };
  }
  return {
    code: 'failed',
    message: `this is a bug: ${messageOf(thrown)}`,
    hint: 'run it again with HSCTL_DEBUG=1 and report what it says',
  };
}

function stackOf(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
}
