import { HsctlError, type ErrorCode } from '../kit/errors.ts';
import type { ErrorAnswer } from '../model/answers.ts';

/** HTTP status of each code of ours. */
export const HTTP_STATUS: Readonly<Record<ErrorCode, number>> = {
  refused: 409,
  failed: 500,
  timeout: 504,
  usage: 400,
  config: 422,
  unreachable: 503,
  format: 400,
  disk: 507,
};

/** A request that HTTP itself has a status for. */
export class HttpProblem extends HsctlError {
  readonly status: number;

  constructor(status: number, message: string, hint = '') {
    super(status === 403 ? 'refused' : 'usage', message, hint);
    this.status = status;
  }
}

/** What is answered for anything that was thrown. Bugs are not shown to the caller: they go to the log. */
export function errorAnswer(thrown: unknown): { readonly status: number; readonly body: ErrorAnswer } {
  if (!(thrown instanceof HsctlError)) {
    const hint = 'look at the log of the controller';
    return { status: 500, body: { error: { code: 'failed', message: 'the controller failed on this request', hint } } };
  }
  const status = thrown instanceof HttpProblem ? thrown.status : HTTP_STATUS[thrown.code];
  return { status, body: { error: { code: thrown.code, message: thrown.message, hint: thrown.hint } } };
}
