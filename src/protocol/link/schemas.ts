import { z } from 'zod';
import { agentReportSchema } from '../../model/agent-report.ts';
import { assignmentSchema } from '../../model/assignment.ts';
import { ROLES } from '../../model/roles.ts';
import { HINT_LIMIT_BYTES } from './frames.ts';
import type {
  Assign,
  Attach,
  Hello,
  PeerHello,
  Refusal,
  ReloadAnswer,
  ReloadRequest,
  Report,
  SegmentMessage,
} from './messages.ts';

/** Longest text, and most lines, in the answer to `reload`. */
export const RELOAD_TEXT_LIMIT = 4000;
export const RELOAD_LINES_LIMIT = 100;

/** Checks of the messages that travel as JSON: the body is the message without its `type`. */

const count = z.number().int().nonnegative();
const word = count.max(0xffff_ffff);
/** More keys than any memory has room for. */
const KEYS_LIMIT = 2 ** 32;
const name = z.string().min(1).max(256);
const position = z.strictObject({ epoch: count, seq: count, hash: count.max(0xffff_ffff) });
const versions = z.strictObject({ oldest: count, newest: count });

const helloSchema = z.strictObject({
  versions,
  cluster: name,
  group: name,
  node: name,
  instance: name,
}) satisfies z.ZodType<Omit<Hello, 'type'>>;

const peerHelloSchema = z.strictObject({
  versions,
  cluster: name,
  group: name,
  node: name,
  instance: name,
  role: z.enum(ROLES),
  epoch: count,
  renouncedEpoch: count,
  end: position,
  history: z.array(z.strictObject({ epoch: count, firstSeq: count })),
  aloneTo: count,
  index: name,
}) satisfies z.ZodType<Omit<PeerHello, 'type'>>;

const attachSchema = z.strictObject({
  epoch: count,
  fork: position,
  end: position,
  catchUpBytes: count,
  fromNothing: z.boolean(),
  index: z.strictObject({ name, secret: z.tuple([word, word, word, word]), keys: count.max(KEYS_LIMIT) }).nullable(),
}) satisfies z.ZodType<Omit<Attach, 'type'>>;

const segmentSchema = z.strictObject({ hintBytes: count.positive().max(HINT_LIMIT_BYTES) }) satisfies z.ZodType<
  Omit<SegmentMessage, 'type'>
>;

const refusalSchema = z.strictObject({
  code: z.enum(['version', 'identity', 'epoch', 'diverged', 'busy', 'leaving']),
  reason: z.string().max(2000),
}) satisfies z.ZodType<Omit<Refusal, 'type'>>;

const reloadSchema = z.strictObject({ id: count, dryRun: z.boolean() }) satisfies z.ZodType<
  Omit<ReloadRequest, 'type'>
>;

/** Bound of a file's errors and of its differences; the agent keeps to it. */
const text = z.string().max(RELOAD_TEXT_LIMIT);
const lines = z.array(text).max(RELOAD_LINES_LIMIT);

const reloadedSchema = z.strictObject({
  id: count,
  error: text,
  digest: z.string().max(64),
  changes: lines,
  restarts: lines,
}) satisfies z.ZodType<Omit<ReloadAnswer, 'type'>>;

const reportSchema = z.strictObject({ report: agentReportSchema }) satisfies z.ZodType<Omit<Report, 'type'>>;
const assignSchema = z.strictObject({ assignment: assignmentSchema }) satisfies z.ZodType<Omit<Assign, 'type'>>;

/** Messages that travel as JSON. */
export type JsonMessage =
  | Hello
  | Report
  | Assign
  | ReloadRequest
  | ReloadAnswer
  | PeerHello
  | Attach
  | SegmentMessage
  | Refusal;

export const JSON_SCHEMAS = {
  hello: helloSchema,
  report: reportSchema,
  assign: assignSchema,
  reload: reloadSchema,
  reloaded: reloadedSchema,
  peerHello: peerHelloSchema,
  attach: attachSchema,
  segment: segmentSchema,
  refusal: refusalSchema,
} as const satisfies Record<JsonMessage['type'], z.ZodType>;
