import { z } from 'zod';
import { HsctlError } from '../kit/errors.ts';

/** Bodies and query strings that the API takes. Strict: a misspelt field is refused rather than ignored. */

const name = z.string().min(1).max(100);
/** Longest pause or drain that may be asked for. */
const DURATION_LIMIT_MS = 366 * 86_400_000;
const durationMs = z.number().int().positive().max(DURATION_LIMIT_MS);
/** Who the caller says that he is: it stands in events and logs. */
const operator = z
  .string()
  .min(1)
  .max(100)
  .regex(/^\P{C}*$/u, 'expected no control characters')
  .default('unknown');

export const promoteBody = z.strictObject({
  operator,
  node: name.nullable().default(null),
  dryRun: z.boolean().default(false),
  force: z.boolean().default(false),
  allowDataLoss: z.boolean().default(false),
});
export const drainBody = z.strictObject({ operator, node: name, timeoutMs: durationMs.nullable().default(null) });
export const undrainBody = z.strictObject({ operator, node: name });
export const fencedBody = z.strictObject({ operator, node: name });
export const pauseBody = z.strictObject({ operator, forMs: durationMs });
export const resumeBody = z.strictObject({ operator });
export const reloadBody = z.strictObject({
  operator,
  dryRun: z.boolean().default(false),
  force: z.boolean().default(false),
});

const number = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a whole number')
  .transform(Number);
export const statusQuery = z.strictObject({ group: name.optional() });
export const noQuery = z.strictObject({});
/** Most events in one answer. */
const EVENTS_LIMIT = 1_000;
export const eventsQuery = z.strictObject({
  group: name.optional(),
  afterId: number.optional(),
  limit: number.pipe(z.number().min(1).max(EVENTS_LIMIT)).default(100),
  follow: z.enum(['0', '1']).default('0'),
});

/** What `schema` makes of `value`. @throws HsctlError('usage') that names each field that is wrong */
export function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const path = issue.path.join('.');
    return path === '' ? issue.message : `${path}: ${issue.message}`;
  });
  throw new HsctlError(
    'usage',
    `the request is wrong: ${problems.join('; ')}`,
    'use the hsctl of the same version as the controller',
  );
}
