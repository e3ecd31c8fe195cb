import { isIP } from 'node:net';
import { z } from 'zod';
import { ENDPOINT_HINT, formatEndpoint, isHost, parseEndpoint } from '../kit/address.ts';
import { HsctlError } from '../kit/errors.ts';
import type { Endpoint } from './config.ts';
import { closest, quote } from './problem.ts';
import { read } from './text-codec.ts';

/**
 * The kinds of value that the file holds beside amounts, as zod schemas or codecs. The error message of each is the
 * remedy; what was found is told by whoever formats the problem.
 */

/** A section with these keys and no others. */
export function section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const keys = Object.keys(shape);
  return z.strictObject(shape, {
    // One line for each unknown key, in the order of the issue's keys.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => unknownKey(key, keys)).join('\n')
        : `write a section of ${keys.join(', ')}`,
  });
}

/** For sections that come in several types: the remedy where `type` is none of `types`, or there is no section at all. */
export function unknownType(types: readonly string[]) {
  return {
    error: ({ input }: { readonly input?: unknown }): string => {
      if (!isSection(input)) return `write a section whose type is one of ${types.join(', ')}`;
      const meant = typeof input['type'] === 'string' ? closest(input['type'], types) : null;
      return `${meant === null ? '' : `did you mean ${quote(meant)}? `}use one of ${types.join(', ')}`;
    },
  };
}

/** Whether a value of the file is a section at all. */
export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unknownKey(key: string, keys: readonly string[]): string {
  const meant = closest(key, keys);
  return meant === null ? `remove it, or use one of ${keys.join(', ')}` : `did you mean ${quote(meant)}?`;
}

/** A whole number. */
export function count(least: number, most: number) {
  const remedy = `write a whole number from ${least} to ${most}`;
  return z.int(remedy).min(least, remedy).max(most, remedy);
}

export function port() {
  const remedy = 'write a port from 1 to 65535';
  return z.int(remedy).min(1, remedy).max(65_535, remedy);
}

/** Name of a cluster, a group or a node: it appears in file names, certificates and log lines. */
export function name() {
  const remedy = 'write a name of lower-case letters, digits, "-" and "_", a letter first, 32 characters at most';
  return z.string(remedy).regex(/^[a-z][a-z0-9_-]{0,31}$/, remedy);
}

export function choice<const Values extends readonly [string, ...string[]]>(values: Values) {
  const list = values.join(', ');
  return z.enum(values, {
    error: ({ input }) => {
      const meant = typeof input === 'string' ? closest(input, values) : null;
      const question = meant === null ? '' : `did you mean ${quote(meant)}? `;
      return `${question}use ${values.length === 1 ? '' : 'one of '}${list}`;
    },
  });
}

/** Absolute path of a file or directory. */
export function path() {
  const remedy = 'write an absolute path, like /var/lib/hsctl/world';
  return z
    .string(remedy)
    .regex(/^\/[^\0\n]+$/, remedy)
    .max(4000, 'write a path of at most 4000 characters');
}

/** Absolute path of a unix socket, which the kernel limits to 107 bytes. */
export function socketPath() {
  const remedy = 'write an absolute path of at most 107 bytes, like /run/hsctl/world.sock';
  return z
    .string(remedy)
    .regex(/^\/[^\0\n]*[^\0\n/]$/, remedy)
    .refine((text) => Buffer.byteLength(text) <= 107, remedy);
}

/** Host name or address. */
export function host() {
  const remedy = 'write an address or a host name, like 10.0.0.11';
  return z.string(remedy).refine((text) => isHost(text), remedy);
}

/** Endpoint of the file (`host:port`), host and port in use. */
export function endpoint() {
  return z.codec(z.string(ENDPOINT_HINT).meta({ pattern: ':[0-9]+$' }), z.custom<Endpoint>(), {
    decode: (text, context) =>
      read(context, text, () => {
        const found = parseEndpoint(text);
        if (found === null) throw new HsctlError('config', 'not an endpoint', ENDPOINT_HINT);
        return found;
      }),
    encode: formatEndpoint,
  });
}

/** IP address with prefix length. */
export function addressWithPrefix() {
  const remedy = 'write an address with its prefix length, like 10.0.0.100/32 or 2001:db8::100/128';
  return z
    .string(remedy)
    .refine((text) => isAddressWithPrefix(text), remedy)
    .meta({ pattern: '^[0-9a-fA-F.:]+/[0-9]{1,3}$' });
}

function isAddressWithPrefix(text: string): boolean {
  const parts = /^([0-9a-fA-F.:]+)\/([0-9]{1,3})$/.exec(text);
  const family = isIP(parts?.[1] ?? '');
  return family !== 0 && Number(parts?.[2]) <= (family === 4 ? 32 : 128);
}

/** A program and its arguments; no shell reads them. */
export function command() {
  const remedy = 'write a list of the program and its arguments, like [/etc/hsctl/hooks/promote, now]';
  return z
    .array(z.string(remedy).regex(/^[^\0]{0,4000}$/, remedy), remedy)
    .min(1, remedy)
    .max(100, 'write at most 100 arguments')
    .refine(([program]) => program !== '', remedy);
}

/** Status codes of HTTP (`200`, `200-299`), inclusive ranges in use. */
export function statusRange() {
  const remedy = 'write status codes or ranges of them, like [200, 301-399]';
  const text = z.union([z.string().meta({ pattern: '^[1-5][0-9]{2}-[1-5][0-9]{2}$' }), z.int()], remedy);
  return z.codec(text, z.tuple([z.number(), z.number()]), {
    decode: (found, context) =>
      read(context, found, (): [number, number] => {
        const parts = /^([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?$/.exec(String(found));
        const low = Number(parts?.[1]);
        const high = Number(parts?.[2] ?? parts?.[1]);
        if (parts === null || low > high) throw new HsctlError('config', 'not a range of status codes', remedy);
        return [low, high];
      }),
    encode: ([low, high]): string | number => (low === high ? low : `${low}-${high}`),
  });
}
