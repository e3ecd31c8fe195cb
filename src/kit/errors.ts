/**
 * The errors that hsctl raises on purpose. Each says what was found and, in `hint`, what would do.
 * Anything else that is thrown is a bug and is reported as one.
 */

/** Exit codes of the command line, also the severity of an error. */
export const EXIT = { done: 0, failed: 1, usage: 2, unreachable: 3 } as const;

/** Every code an `HsctlError` may carry, with the exit code that the command line gives for it. */
export const ERROR_CODES = {
  /** A request was understood and refused, because a guard blocks it. */
  refused: EXIT.failed,
  /** Something outside (a program, a disk, a peer) failed. */
  failed: EXIT.failed,
  /** The same, but because time ran out. */
  timeout: EXIT.failed,
  /** Wrong flags or arguments. */
  usage: EXIT.usage,
  /** The configuration is wrong. */
  config: EXIT.usage,
  /** Nobody answers where a daemon should. */
  unreachable: EXIT.unreachable,
  /** Bytes that are not what the format says. */
  format: EXIT.failed,
  /** The disk failed, is full or holds damaged data. */
  disk: EXIT.failed,
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error that an operator can act on: one line of what is wrong, one line of what to do. */
export class HsctlError extends Error {
  override readonly name = 'HsctlError';
  readonly code: ErrorCode;
  /** What would do, as one sentence; empty where nothing can be advised. */
  readonly hint: string;

  constructor(code: ErrorCode, message: string, hint = '', options: { cause?: unknown } = {}) {
    super(message, options);
    this.code = code;
    this.hint = hint;
  }
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Throws a bug report when an invariant of ours does not hold. */
export function assert(holds: unknown, invariant: string): asserts holds {
  if (!holds) throw new Error(`invariant broken: ${invariant}`);
}
