import { z } from 'zod';

/**
 * What the controller wants of an agent: the recorded state of the group, seen from one node. Level-triggered:
 * sent at every change and at every connection; an agent ignores a lower (epoch, revision) than it has seen.
 */
const count = z.number().int().nonnegative();

export const assignmentSchema = z.strictObject({
  /** Revision of the controller's record; rises with each durable change of the group. */
  revision: count,
  epoch: count,
  /**
   * `master`: own the epoch. `slave`: follow `master`. `wait`: see the epoch, grant nothing to anyone, do not serve.
   */
  role: z.enum(['master', 'slave', 'wait']),
  master: z.string().nullable(),
  /** Run of the master's agent that was chosen; another run of it may not begin the reign. */
  masterInstance: z.string().nullable(),
  /** The recorded in-sync set. */
  inSync: z.array(z.string()),
  /** To a master: whether its slave can be waited for, or is known to be lost. */
  slaveExpected: z.boolean(),
  /**
   * To a master that is alone in the recorded in-sync set: whether the record counts on it to serve without a lease. Where
   * it does not, another node is promoted as soon as the grants have run out.
   */
  mayServeAlone: z.boolean(),
  /** The peer has told the controller that it will never serve again under any epoch up to this one. */
  peerRenouncedEpoch: count,
  /** To a master: stop new work, let present work end, freeze writes. */
  quiesce: z.boolean(),
  /** To a slave: an operator accepted that acknowledged records which only this node has are archived and cut. */
  mayDiscard: z.boolean(),
  /** Whether the node is drained: its connections are counted; `cut`: what is left of them is reset on the node. */
  drain: z.enum(['no', 'drained', 'cut']),
  /** Highest proposal of this node that `inSync` takes into account; 0 for none. */
  answeredProposal: count,
  /** Why, for the node's log and hooks. */
  reason: z.string(),
});
export type Assignment = z.infer<typeof assignmentSchema>;
