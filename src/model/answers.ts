import { z } from 'zod';
import { groupEventSchema } from './event.ts';
import { API_VERSION } from './status.ts';

/** What the API answers to everything but `status`; the same rules hold: fields are only ever added. */

const count = z.number().int().nonnegative();

/** What a promotion would do; the real run executes the same plan. */
const promotionPlanSchema = z.object({
  group: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  /** Why it is refused; empty if it may go on. */
  refusals: z.array(z.string()),
  steps: z.array(z.object({ name: z.string(), description: z.string() })),
  /** Acknowledged records that the new master may lack; null if it surely has all. */
  seqsAtStake: z.object({ first: count, last: count }).nullable(),
});
export type PromotionPlan = z.infer<typeof promotionPlanSchema>;

export const promotionSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  /** False for a dry run. */
  started: z.boolean(),
  plan: promotionPlanSchema,
});
export type Promotion = z.infer<typeof promotionSchema>;

/** How a promotion that somebody waited for came out. */
export const promotionOutcomeSchema = promotionSchema.extend({
  /** Whether the node serves. */
  done: z.boolean(),
  master: z.string().nullable(),
  epoch: count,
  /** One line: what happened. */
  message: z.string(),
});
export type PromotionOutcome = z.infer<typeof promotionOutcomeSchema>;

/** Answer to an operator's action that is done once it is recorded. */
export const actionSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  /** One line: what holds now. */
  message: z.string(),
});
export type Action = z.infer<typeof actionSchema>;

const guardSchema = z.object({
  name: z.string(),
  holds: z.boolean(),
  /** What was found, in words, with the values. */
  found: z.string(),
});

/** Why the controller does, or does not, act on a group at this moment. */
export const explanationSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  group: z.string(),
  /** The rule that decides now: the first that holds, which may leave everything as it is; null if none holds. */
  wouldDo: z.string().nullable(),
  /** All rules in order of precedence. */
  rules: z.array(
    z.object({
      id: z.string(),
      /** What the rule does and why. */
      why: z.string(),
      /** Invariants that it protects: I1 to I9. */
      protects: z.array(z.string()),
      /** Whether every guard holds; of a rule that is not reached, whether every one would. */
      holds: z.boolean(),
      /** False behind the rule that decides: nobody looks at it. */
      reached: z.boolean(),
      guards: z.array(guardSchema),
    }),
  ),
});
export type Explanation = z.infer<typeof explanationSchema>;

export const eventPageSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  /** Newest last. */
  events: z.array(groupEventSchema),
});
export type EventPage = z.infer<typeof eventPageSchema>;

export const reloadSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  /** False for a dry run, or if nothing changed. */
  applied: z.boolean(),
  /** What changes, one line each. */
  changes: z.array(z.string()),
  /** What takes a restart of a daemon to take effect, one line each. */
  restarts: z.array(z.string()),
  /** What an operator should see to: agents that were not heard, or have another file. */
  notes: z.array(z.string()),
  /** In a dry run: why the real one would be refused. */
  refusals: z.array(z.string()),
});
export type Reload = z.infer<typeof reloadSchema>;

const configDigestsSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  /** Digest of what is in force, by group. */
  groups: z.record(z.string(), z.string()),
});
export type ConfigDigests = z.infer<typeof configDigestsSchema>;

/** Every answer that is not a success. */
const errorAnswerSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
});
export type ErrorAnswer = z.infer<typeof errorAnswerSchema>;
