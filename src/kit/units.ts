import { HsctlError } from './errors.ts';

/**
 * Durations, sizes and rates as people write them. Only whole numbers with a unit, so that what is written is
 * exactly what is meant: `1m30s`, `500ms`, `64KiB`, `100MiB/s`. Formatting gives the shortest such text, and
 * parsing it gives the same number again.
 */

const DURATION_UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
] as const;

const SIZE_UNITS = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
  ['B', 1],
] as const;

/** What each unit's text looks like, for schemas that editors read. */
export const DURATION_PATTERN = '^(?=.)([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$';
export const SIZE_PATTERN = '^[0-9]+(B|KiB|MiB|GiB|TiB)?$';
export const RATE_PATTERN = '^([0-9]+(B|KiB|MiB|GiB|TiB)/s|unlimited)$';

const duration = new RegExp(DURATION_PATTERN);
const size = new RegExp(SIZE_PATTERN);

export const DURATION_HINT = 'write whole numbers with units, largest first: 250ms, 5s, 1m30s, 2h or 1d';
export const SIZE_HINT = 'write a whole number with a unit: 64KiB, 100MiB or 4GiB (plain digits are bytes)';
export const RATE_HINT = 'write a size per second, like 100MiB/s, or "unlimited"';

/** Milliseconds. @throws HsctlError('usage') */
export function parseDuration(text: string): number {
  if (!duration.test(text)) throw mismatch(text, 'a duration', DURATION_HINT);
  let milliseconds = 0;
  for (const [, digits, unit] of text.matchAll(/([0-9]+)([a-z]+)/g)) {
    const factor = DURATION_UNITS.find(([name]) => name === unit)?.[1] ?? Number.NaN;
    milliseconds += Number(digits) * factor;
  }
  return bounded(milliseconds, text, 'a duration');
}

/** The shortest text of `milliseconds` (0 or more), which is rounded to a whole number first: `1m30s`. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  let text = '';
  for (const [unit, factor] of DURATION_UNITS) {
    const count = Math.floor(rest / factor);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * factor;
  }
  return text || '0s';
}

/** Bytes. @throws HsctlError('usage') */
export function parseSize(text: string): number {
  const unit = size.exec(text);
  if (unit === null) throw mismatch(text, 'a size', SIZE_HINT);
  const factor = SIZE_UNITS.find(([name]) => name === unit[1])?.[1] ?? 1;
  return bounded(Number.parseInt(text, 10) * factor, text, 'a size');
}

/** Exact text of `bytes` (a whole number, 0 or more), in the largest unit that divides it: `64KiB`, `1000B`. */
export function formatSize(bytes: number): string {
  const [unit, factor] = SIZE_UNITS.find(([, each]) => bytes >= each && bytes % each === 0) ?? ['B', 1];
  return `${bytes / factor}${unit}`;
}

/** Bytes per second, or null for `unlimited`. @throws HsctlError('usage') */
export function parseRate(text: string): number | null {
  if (text === 'unlimited') return null;
  if (!text.endsWith('/s')) throw mismatch(text, 'a rate', RATE_HINT);
  const amount = text.slice(0, -'/s'.length);
  if (!size.test(amount) || /[0-9]$/.test(amount)) throw mismatch(text, 'a rate', RATE_HINT);
  return parseSize(amount);
}

/** Exact text of a rate in bytes per second; null is `unlimited`. */
export function formatRate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? 'unlimited' : `${formatSize(bytesPerSecond)}/s`;
}

function bounded(value: number, text: string, what: string): number {
  if (!Number.isSafeInteger(value)) {
    throw new HsctlError('usage', `${quoted(text)} is too large for ${what}`, 'write a smaller one');
  }
  return value;
}

function mismatch(text: string, what: string, hint: string): HsctlError {
  return new HsctlError('usage', `${quoted(text)} is not ${what}`, hint);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text);
}
