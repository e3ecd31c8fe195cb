import { z } from 'zod';
import { groupEventSchema } from './event.ts';
import { CAUSES, STAGES } from './group-record.ts';
import { APP_STATES, REIGN_PHASES, ROLES } from './roles.ts';

/**
 * What `hsctl status --json` prints and the API answers. Fields are only ever added within one `apiVersion`, so
 * readers ignore those that they do not know.
 */
export const API_VERSION = 1;

/** From best to worst; `unknown` means that nobody can tell. */
export const SEVERITIES = ['ok', 'warning', 'critical', 'unknown'] as const;
export type Severity = (typeof SEVERITIES)[number];

const count = z.number().int().nonnegative();
const wallMs = z.number().nonnegative();
const logEnd = z.object({ epoch: count, seq: count });

const nodeStatusSchema = z.object({
  id: z.string(),
  /** Null while the node was never heard. Role, phase, app and log are as last told, `linked` or not. */
  role: z.enum(ROLES).nullable(),
  /** Phase of the reign; null unless the node is master. */
  phase: z.enum(REIGN_PHASES).nullable(),
  app: z.enum(APP_STATES).nullable(),
  appDetail: z.string(),
  /** Verdict of the controller's own probe; `unknown` also where none is configured. */
  health: z.object({ verdict: z.enum(['up', 'down', 'unknown']), detail: z.string() }),
  /** Whether the controller has a link to the agent, and how long nothing was heard on it; null: never. */
  linked: z.boolean(),
  silentMs: z.number().nonnegative().nullable(),
  /** Whether the agent has a link to its peer; null if unknown. */
  peerLinked: z.boolean().nullable(),
  logEnd: logEnd.nullable(),
  /** What the node lacks of its master's log; null on the master and where it is unknown. */
  lag: z.object({ records: count.nullable(), bytes: count.nullable() }).nullable(),
  /** A catch-up under way: bytes done, to do and per second. */
  catchUp: z.object({ doneBytes: count, totalBytes: count, bytesPerSecond: z.number().nonnegative() }).nullable(),
  /** Whether the node is in the recorded in-sync set. */
  inSync: z.boolean(),
  drained: z.boolean(),
  /** When what connections a drained node still has are reset; null: they are left to end. */
  drainEndsWallMs: wallMs.nullable(),
  /** Established connections of clients to a drained node; null where nobody can tell, and on other nodes. */
  connections: count.nullable(),
  /** Why the node cannot serve or follow, in the agent's words; empty if all is well. */
  trouble: z.string(),
  /** Both logs' ends and the fork, where the node may not join. */
  divergence: z.object({ ownEnd: logEnd, peerEnd: logEnd, forkSeq: count, acknowledgedFrom: count }).nullable(),
  addresses: z.array(z.string()),
  /** What an operator should see to on the node though it does its work. */
  warnings: z.array(z.string()),
  /** Archive files of cut tails on the node, newest last. */
  archives: z.array(z.string()),
  /** Version of the agent; null if unknown. */
  version: z.string().nullable(),
  /** When the node's certificate ends; null on plain text, or if unknown. */
  certificateEndsWallMs: wallMs.nullable(),
});
export type NodeStatus = z.infer<typeof nodeStatusSchema>;

const trafficStatusSchema = z.object({
  /** Name of the driver: `ipvs 10.0.0.100:9000`. */
  name: z.string(),
  /** Node that new connections go to; null: none. */
  active: z.string().nullable(),
  /** The last failure, or how many connections are held; empty if there is nothing to tell. */
  detail: z.string(),
  /** Whether the real state is the desired one. */
  settled: z.boolean(),
});
export type TrafficStatus = z.infer<typeof trafficStatusSchema>;

const groupStatusSchema = z.object({
  group: z.string(),
  severity: z.enum(SEVERITIES),
  /** One line: what is wrong, or who serves if nothing is. */
  summary: z.string(),
  master: z.string().nullable(),
  /** Whether the master's app takes clients at this moment, as far as is known. */
  serving: z.boolean(),
  servingSinceWallMs: wallMs.nullable(),
  epoch: count,
  stage: z.enum(STAGES),
  cause: z.enum(CAUSES).nullable(),
  /** Rule and reason of the last change of the record. */
  rule: z.string(),
  reason: z.string(),
  inSync: z.array(z.string()),
  /** Nodes other than the master that could take over now without losing anything. */
  protectedBy: z.array(z.string()),
  lease: z.object({
    holder: z.string().nullable(),
    /** Who granted the lease that runs longest. */
    from: z.enum(['controller', 'slave', 'none']),
    remainingMs: z.number().nonnegative(),
  }),
  mode: z.enum(['auto', 'manual']),
  pausedUntilWallMs: wallMs.nullable(),
  /** No automatic failover before this time; null: no hold-down. */
  heldDownUntilWallMs: wallMs.nullable(),
  drained: z.array(z.string()),
  nodes: z.array(nodeStatusSchema),
  traffic: z.array(trafficStatusSchema),
  lastEvent: groupEventSchema.nullable(),
});
export type GroupStatus = z.infer<typeof groupStatusSchema>;

const controllerStatusSchema = z.object({
  version: z.string(),
  startedAtWallMs: wallMs,
  uptimeMs: z.number().nonnegative(),
  /** Why nothing is decided at present (doubtful clocks); null if that is not so. */
  tilt: z.string().nullable(),
  /** When the controller's own certificate ends; null on plain text. */
  certificateEndsWallMs: wallMs.nullable(),
  /** What keeps the controller from saving decisions, so that nothing fails over; null if nothing does. */
  recordsFault: z.string().nullable(),
});

export const clusterStatusSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  cluster: z.string(),
  /** `agents`: the controller did not answer, this is what agents on this machine say. */
  source: z.enum(['controller', 'agents']),
  severity: z.enum(SEVERITIES),
  summary: z.string(),
  wallMs,
  /** Null if `source` is `agents`. */
  controller: controllerStatusSchema.nullable(),
  groups: z.array(groupStatusSchema),
});
export type ClusterStatus = z.infer<typeof clusterStatusSchema>;
