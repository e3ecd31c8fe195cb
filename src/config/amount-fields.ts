import { z } from 'zod';
import { HsctlError, messageOf } from '../kit/errors.ts';
import {
  DURATION_HINT,
  DURATION_PATTERN,
  RATE_HINT,
  RATE_PATTERN,
  SIZE_HINT,
  SIZE_PATTERN,
  formatDuration,
  formatRate,
  formatSize,
  parseDuration,
  parseRate,
  parseSize,
} from '../kit/units.ts';
import { read } from './text-codec.ts';

/** Durations, sizes and rates of the file, as zod codecs between its text and the numbers in use. */

/** A duration of the file, milliseconds in use. */
export function duration(leastMs: number, mostMs: number) {
  const range = `write a duration from ${formatDuration(leastMs)} to ${formatDuration(mostMs)}`;
  return z.codec(z.string(DURATION_HINT).meta({ pattern: DURATION_PATTERN }), z.number(), {
    decode: (text, context) => read(context, text, () => inRange(parseDuration(text), leastMs, mostMs, range)),
    encode: formatDuration,
  });
}

/** A duration of whole seconds, seconds in use. */
export function wholeSeconds(leastS: number, mostS: number) {
  const range = `write whole seconds from ${leastS}s to ${formatDuration(mostS * 1000)}`;
  return z.codec(z.string(DURATION_HINT).meta({ pattern: DURATION_PATTERN }), z.number(), {
    decode: (text, context) =>
      read(context, text, () => {
        const milliseconds = parseDuration(text);
        if (milliseconds % 1000 !== 0) throw new HsctlError('config', 'not whole seconds', range);
        return inRange(milliseconds / 1000, leastS, mostS, range);
      }),
    encode: (seconds) => formatDuration(seconds * 1000),
  });
}

/** A size of the file (text with a unit, or plain bytes), bytes in use. */
export function size(leastBytes: number, mostBytes: number) {
  const range = `write a size from ${formatSize(leastBytes)} to ${formatSize(mostBytes)}`;
  const text = z.union([z.string().meta({ pattern: SIZE_PATTERN }), z.int().nonnegative()], SIZE_HINT);
  return z.codec(text, z.number(), {
    decode: (found, context) =>
      read(context, found, () => inRange(parseSize(String(found)), leastBytes, mostBytes, range)),
    encode: (bytes): string | number => formatSize(bytes),
  });
}

/** A rate of the file, bytes per second in use; null is unlimited. */
export function rate(leastBytes: number) {
  const range = `write at least ${formatRate(leastBytes)}, or "unlimited"`;
  return z.codec(z.string(RATE_HINT).meta({ pattern: RATE_PATTERN }), z.number().nullable(), {
    decode: (text, context) =>
      read(context, text, () => {
        const found = parseRate(text);
        return found === null ? null : inRange(found, leastBytes, Number.MAX_SAFE_INTEGER, range);
      }),
    encode: formatRate,
  });
}

/** `always`, or the milliseconds between two fsyncs. */
export function fsync() {
  const remedy = 'write "always", or a duration from 1ms to 10s, like 100ms';
  const pattern = `^always$|${DURATION_PATTERN}`;
  return z.codec(z.string(remedy).meta({ pattern }), z.union([z.literal('always'), z.number()]), {
    decode: (text, context) =>
      read(context, text, (): 'always' | number => {
        if (text === 'always') return text;
        try {
          return inRange(parseDuration(text), 1, 10_000, remedy);
        } catch (thrown) {
          throw new HsctlError('config', messageOf(thrown), remedy);
        }
      }),
    encode: (value) => (value === 'always' ? value : formatDuration(value)),
  });
}

function inRange(value: number, least: number, most: number, remedy: string): number {
  if (value < least || value > most) throw new HsctlError('config', 'out of range', remedy);
  return value;
}
