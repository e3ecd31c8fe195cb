import { z } from 'zod';
import { HsctlError } from '../kit/errors.ts';

/** Runs a parser inside a codec; the hint of the `HsctlError` that it throws becomes the issue's message, the remedy. */
export function read<Value>(context: z.core.ParsePayload, input: unknown, parse: () => Value): Value {
  try {
    return parse();
  } catch (thrown) {
    if (!(thrown instanceof HsctlError)) throw thrown;
    context.issues.push({ code: 'custom', input, message: thrown.hint });
    return z.NEVER;
  }
}
