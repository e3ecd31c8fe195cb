/** Bytes that the protocol is made of, and small readers of bytes. */

export const CR = 13;
export const LF = 10;
export const EMPTY = new Uint8Array(0);

const ZERO = 48;
const NINE = 57;
const MINUS = 45;

/** `byte` as a capital letter, if it is a small one. */
export function upper(byte: number): number {
  return byte >= 97 && byte <= 122 ? byte - 32 : byte;
}

/** The bytes as text, a character each: for names, numbers and messages, and reversible whatever the bytes are. */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/**
 * The decimal integer that is written in `bytes[start, end)`, or null: no sign but a minus, no leading zeros, no
 * spaces, and nothing beyond 2^53.
 */
export function integerIn(bytes: Uint8Array, start: number, end: number): number | null {
  const negative = start < end && bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  const digits = end - first;
  if (digits < 1 || digits > 16) return null;
  if (bytes[first] === ZERO) return digits === 1 && !negative ? 0 : null;
  let value = 0;
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < ZERO || byte > NINE) return null;
    value = value * 10 + (byte - ZERO);
  }
  if (value > Number.MAX_SAFE_INTEGER) return null;
  return negative ? -value : value;
}
