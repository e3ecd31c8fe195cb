import { z } from 'zod';
import { APP_STATES, REIGN_PHASES, ROLES } from './roles.ts';

/**
 * What an agent tells its controller: everything the controller knows of a node beside its own probes.
 * Sent whole whenever something in it other than a counter changes; the counters ride on every beat.
 */

const count = z.number().int().nonnegative();
const position = z.strictObject({ epoch: count, seq: count, hash: count });

/** A wish of the master to change the recorded in-sync set. Level-triggered: repeated until answered. */
export const inSyncProposalSchema = z.strictObject({
  /** Rises within one instance of the agent; an assignment names the highest that was taken into account. */
  id: count,
  epoch: count,
  inSync: z.array(z.string()).min(1),
});
export type InSyncProposal = z.infer<typeof inSyncProposalSchema>;

/** Warnings in a report: what does not fit is seen once the others are mended. */
export const WARNINGS_LIMIT = 20;

/** Runs of hooks in a report: enough for what happens while the controller is away for a moment. */
export const HOOK_RUNS_LIMIT = 8;

const hookRunSchema = z.strictObject({
  wallMs: z.number(),
  /** Which one, for people: `promote /etc/hsctl/hooks/promote`. */
  hook: z.string().max(200),
  epoch: count,
  succeeded: z.boolean(),
  tookMs: z.number().nonnegative(),
  /** What it printed, or why it failed: the beginning. */
  output: z.string().max(1000),
});
export type HookRun = z.infer<typeof hookRunSchema>;

export const agentReportSchema = z.strictObject({
  node: z.string(),
  /** Random name of this run of the agent: a new one means that the former run is gone for good. */
  instance: z.string(),
  version: z.string(),
  role: z.enum(ROLES),
  /** Highest epoch that this node has seen; it refuses everything below. Durable on the node. */
  epoch: count,
  /** This node will never serve again under any epoch up to this one, whatever it is told. Never falls. */
  renouncedEpoch: count,
  /** Phase of its own reign; null unless `role` is `master`. */
  phase: z.enum(REIGN_PHASES).nullable(),
  /** Why the lease was given back or the node cannot serve; empty if all is well. */
  trouble: z.string(),
  /**
   * The disk refused or holds damaged data: the node takes no part until its agent is restarted or, where the data are
   * damaged, has made its store anew from the peer. If the log ends at 0 then, nothing is known of it.
   */
  storeFailed: z.boolean(),
  /** Newest assignment that this agent has acted on. */
  assignmentRevision: count,
  log: z.strictObject({
    end: position,
    intact: z.boolean(),
    aloneTo: count,
  }),
  /** The recorded in-sync set as this node last heard it; lets a controller that lost its records adopt a reign. */
  inSync: z.array(z.string()),
  /** All records up to here may be acknowledged (master) or are known to be (slave). */
  confirmedSeq: count,
  /** Acknowledged records may be on this node alone: durable before there is the first, until it goes with another again. */
  confirmedAlone: z.boolean().default(true),
  app: z.strictObject({
    state: z.enum(APP_STATES),
    /** Epoch for which the app last said that it is ready; 0 for never. */
    readyEpoch: count,
    restarts: count,
    detail: z.string(),
  }),
  peer: z.strictObject({
    linked: z.boolean(),
    /** Milliseconds since the peer was last heard on the link; null if never. */
    silentMs: z.number().nonnegative().nullable(),
    /** The peer will never serve again under any epoch up to this one, by its last word. */
    renouncedEpoch: count,
    /** Milliseconds until a grant that this node gave to its peer has surely run out. */
    grantRunsMs: z.number().nonnegative(),
    /** The peer's log end as last told. */
    end: position.nullable(),
    /** Bytes of the log that the follower (the peer if master, this node if slave) still lacks; null if unknown. */
    lagBytes: count.nullable(),
    /** Catch-up under way: bytes done and to do, and the present rate; null if none. */
    catchUp: z.strictObject({ doneBytes: count, totalBytes: count, bytesPerSecond: z.number() }).nullable(),
  }),
  proposal: inSyncProposalSchema.nullable(),
  /** Both logs' ends and the fork, where the node may not join. */
  divergence: z
    .strictObject({ ownEnd: position, peerEnd: position, forkSeq: count, acknowledgedFrom: count })
    .nullable(),
  /** Archive files of cut tails, newest last. */
  archives: z.array(z.string()),
  /** When this node's certificate ends, in milliseconds since 1970; null on plain-text links. */
  certificateEndsWallMs: z.number().nullable(),
  /** Digest of the group in the file that the agent read last; empty if it is not known. */
  configDigest: z.string().max(64),
  /** Open connections of clients to the app, counted on the node while it is drained; null if not counted. */
  connections: count.nullable(),
  /** The latest runs of hooks that have ended, oldest first. */
  hooks: z.array(hookRunSchema).max(HOOK_RUNS_LIMIT),
  /** Addresses that this node holds at present. */
  addresses: z.array(z.string()),
  /** What an operator should see to though the node does its work: another machine uses the address too, say. */
  warnings: z.array(z.string().max(500)).max(WARNINGS_LIMIT),
});
export type AgentReport = z.infer<typeof agentReportSchema>;
