/** Patterns as in Redis: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a character that stands for itself. */

const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;
const CARET = 94;
const DASH = 45;
const BACKSLASH = 92;

/** Where the element of the pattern at `at` ends. */
function elementEnd(pattern: Uint8Array, at: number): number {
  const byte = pattern[at];
  if (byte === BACKSLASH) return Math.min(at + 2, pattern.length);
  if (byte !== OPEN) return at + 1;
  let end = at + 1;
  while (end < pattern.length && pattern[end] !== CLOSE) end += pattern[end] === BACKSLASH ? 2 : 1;
  return Math.min(end + 1, pattern.length);
}

/** Whether `byte` is in the class that begins at `at` (its bracket) and ends before `end`. */
function inClass(pattern: Uint8Array, at: number, end: number, byte: number): boolean {
  let place = at + 1;
  const negated = pattern[place] === CARET;
  if (negated) place += 1;
  const last = pattern[end - 1] === CLOSE ? end - 1 : end;
  let found = false;
  while (place < last) {
    if (pattern[place] === BACKSLASH && place + 1 < last) {
      found ||= pattern[place + 1] === byte;
      place += 2;
    } else if (pattern[place + 1] === DASH && place + 2 < last) {
      const one = pattern[place]!;
      const other = pattern[place + 2]!;
      found ||= byte >= Math.min(one, other) && byte <= Math.max(one, other);
      place += 3;
    } else {
      found ||= pattern[place] === byte;
      place += 1;
    }
  }
  return found !== negated;
}

function elementMatches(pattern: Uint8Array, at: number, end: number, byte: number): boolean {
  switch (pattern[at]) {
    case QUESTION:
      return true;
    case OPEN:
      return inClass(pattern, at, end, byte);
    case BACKSLASH:
      return pattern[end - 1] === byte;
    default:
      return pattern[at] === byte;
  }
}

/** Whether all of `text` matches `pattern`. Takes at most as many steps as the product of their lengths. */
export function globMatches(pattern: Uint8Array, text: Uint8Array): boolean {
  let at = 0;
  let place = 0;
  let starAt = -1;
  let starPlace = 0;
  while (place < text.length) {
    if (pattern[at] === STAR) {
      starAt = ++at;
      starPlace = place;
      continue;
    }
    const end = at < pattern.length ? elementEnd(pattern, at) : at;
    if (at < pattern.length && elementMatches(pattern, at, end, text[place]!)) {
      at = end;
      place += 1;
    } else if (starAt >= 0) {
      at = starAt;
      place = ++starPlace;
    } else return false;
  }
  while (pattern[at] === STAR) at += 1;
  return at >= pattern.length;
}
