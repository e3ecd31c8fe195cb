import { z } from 'zod';

/** The durable state of a group at the controller: written before anything is done about it. */

/**
 * `none`: no reign was ever recorded. `serving`: `master` owns `epoch`. `quiescing`: the same, but it was asked to
 * hand over to `target` and may still go on. `fencing`: `epoch` is a new one and `master` its owner to be;
 * the former master may still hold a lease. `promoting`: the former master is fenced, the new one takes over.
 */
export const STAGES = ['none', 'serving', 'quiescing', 'fencing', 'promoting'] as const;

/** Why the present reign began. */
export const CAUSES = ['initial', 'adopted', 'failover', 'switchover', 'forced', 'reelected'] as const;

/**
 * How far the fencing of a former master has come. `wanted`: its commands are to run, or do. `failed`: none of them did it.
 * `unknown`: one may have, but none says so. `confirmed`: it cannot serve, by a command's word or an operator's.
 * `waived`: an operator answers for it; what was granted to it is waited out.
 */
const FENCE_STATES = ['wanted', 'failed', 'unknown', 'confirmed', 'waived'] as const;

const count = z.number().int().nonnegative();
const wallMs = z.number().nonnegative();

const fenceRecordSchema = z.strictObject({
  node: z.string(),
  /** Once confirmed: it will never serve again under any epoch up to this one. */
  epoch: count,
  state: z.enum(FENCE_STATES),
  /** Runs of its commands that have ended. */
  attempts: count,
  /** What the last run came to, or who gave his word. */
  detail: z.string(),
});
export type FenceRecord = z.infer<typeof fenceRecordSchema>;

export const groupRecordSchema = z.strictObject({
  group: z.string(),
  revision: count,
  stage: z.enum(STAGES),
  epoch: count,
  master: z.string().nullable(),
  /** Run of the master's agent on whose report it was chosen: a later run may have a shorter log. */
  masterInstance: z.string().nullable(),
  /** Nodes that hold every acknowledged record. A reign begins with those of the one before; only its master changes them. */
  inSync: z.array(z.string()),
  /**
   * The in-sync set before its master asked to go on without the others, for as long as that is the last change: if it never
   * did, they hold every acknowledged record, too. Null if there is none.
   */
  formerInSync: z.array(z.string()).nullable().default(null),
  /** The other node was well when the reign was set up: the master waits for it before it asks to go on alone. */
  slaveExpected: z.boolean(),
  /** Node that a switchover goes to; null unless `stage` is `quiescing`. */
  target: z.string().nullable(),
  /** Former master that has to be fenced; null if there is none. */
  previous: z.string().nullable(),
  /** Epoch of the reign that `previous` had; 0 if there is none. */
  previousEpoch: count,
  /** The fencing of a former master by commands, or by an operator's word; null if there was none. */
  fence: fenceRecordSchema.nullable().default(null),
  /** An operator accepted that acknowledged records are lost by the reign that is being set up. */
  dataLossAccepted: z.boolean(),
  /** Nodes whose acknowledged tail an operator gave up; it is archived when they follow again. */
  discard: z.array(z.string()),
  /** The master may serve without lease while it is alone, so only its own word or a fence ends its reign. */
  masterNeedsNoLease: z.boolean(),
  cause: z.enum(CAUSES).nullable(),
  /** Rule that made the last change. */
  rule: z.string(),
  reason: z.string(),
  /** When the present change was decided, and when the present reign began to serve. */
  decidedAtWallMs: wallMs,
  servingSinceWallMs: wallMs.nullable(),
  /** End of the last completed failover, for the hold-down. */
  failedOverAtWallMs: wallMs.nullable(),
  drained: z.array(z.string()),
  /** When what connections a drained node still has are reset; no entry: never. */
  drainEndsWallMs: z.record(z.string(), wallMs).default({}),
  pausedUntilWallMs: wallMs.nullable(),
});
export type GroupRecord = z.infer<typeof groupRecordSchema>;

/** The record of a group of which nothing is known. */
export function emptyRecord(group: string): GroupRecord {
  return {
    group,
    revision: 0,
    stage: 'none',
    epoch: 0,
    master: null,
    masterInstance: null,
    inSync: [],
    formerInSync: null,
    slaveExpected: false,
    target: null,
    previous: null,
    previousEpoch: 0,
    fence: null,
    dataLossAccepted: false,
    discard: [],
    masterNeedsNoLease: false,
    cause: null,
    rule: '',
    reason: '',
    decidedAtWallMs: 0,
    servingSinceWallMs: null,
    failedOverAtWallMs: null,
    drained: [],
    drainEndsWallMs: {},
    pausedUntilWallMs: null,
  };
}
