import type { AgentReport } from '../../model/agent-report.ts';
import type { Assignment } from '../../model/assignment.ts';
import type { LogPosition, Reign } from '../../model/position.ts';
import type { Role } from '../../model/roles.ts';

/**
 * The messages on the two kinds of link. Frame: u32 length of what follows, u8 type, body. Rare messages
 * are JSON checked with zod, frequent ones are fixed binary layouts (little-endian, f64 for times and seqs).
 *
 * Control link (controller dials agent): both say `hello`; the agent sends `report` and `beat`, the controller
 * `grant`, `assignment` and, when an operator wants it, `reload`, which the agent answers with `reloaded`.
 * Replication link (the node that is not master dials): both say `peerHello`; see each message.
 */

/** Version of the messages; each side says the range that it speaks, the highest common one is used. */
export const LINK_VERSIONS = { oldest: 1, newest: 1 } as const;

/** First message of both sides of a control link. */
export interface Hello {
  readonly type: 'hello';
  readonly versions: { readonly oldest: number; readonly newest: number };
  readonly cluster: string;
  readonly group: string;
  /** Node that the agent is, or that the controller wants to reach. */
  readonly node: string;
  readonly instance: string;
}

export interface Report {
  readonly type: 'report';
  readonly report: AgentReport;
}

/** Agent to controller, every heartbeat interval: alive, counters, and a request for a lease. */
export interface Beat {
  readonly type: 'beat';
  /** The agent's monotonic clock when it sent this; echoed in the grant. */
  readonly sentAtMs: number;
  readonly epoch: number;
  readonly endSeq: number;
  readonly confirmedSeq: number;
  /** Whether the agent, as master of `epoch`, asks for a lease. */
  readonly wantsLease: boolean;
  readonly peerSilentMs: number;
}

/**
 * Answer to a ping, and to a beat that asks for a lease. `leaseMs` 0: heard, nothing granted. Both numbers are the grantor's: what the
 * holder's own configuration says does not count, so that the machines of a cluster may be reconfigured in any order.
 */
export interface Grant {
  readonly type: 'grant';
  readonly echoedSentAtMs: number;
  readonly epoch: number;
  readonly leaseMs: number;
  /** For how long behind its end traffic may stay on the holder's node by itself (an address in the kernel): that is waited for too. */
  readonly lingerMs: number;
}

/** What a grantor grants, in milliseconds. */
export type LeaseTerms = Pick<Grant, 'leaseMs' | 'lingerMs'>;

export const NO_LEASE: LeaseTerms = { leaseMs: 0, lingerMs: 0 };

export interface Assign {
  readonly type: 'assign';
  readonly assignment: Assignment;
}

/** Controller to agent: read the configuration of your machine again, and (unless it is a dry run) apply it. */
export interface ReloadRequest {
  readonly type: 'reload';
  /** Comes back with the answer. */
  readonly id: number;
  readonly dryRun: boolean;
}

/** What came of it: the group as in the agent's file, and what that changes on the node. */
export interface ReloadAnswer {
  readonly type: 'reloaded';
  readonly id: number;
  /** What is wrong with the file, with the remedies; empty if all is well. Nothing was changed then. */
  readonly error: string;
  /** Digest of the group in that file; empty if there is an error. */
  readonly digest: string;
  /** What changes now, and what only a restart of this agent brings about; one line each. */
  readonly changes: readonly string[];
  readonly restarts: readonly string[];
}

/** First message of both sides of a replication link. */
export interface PeerHello {
  readonly type: 'peerHello';
  readonly versions: { readonly oldest: number; readonly newest: number };
  readonly cluster: string;
  readonly group: string;
  readonly node: string;
  readonly instance: string;
  readonly role: Role;
  readonly epoch: number;
  /** This node will never serve again under any epoch up to this one. */
  readonly renouncedEpoch: number;
  readonly end: LogPosition;
  readonly history: readonly Reign[];
  readonly aloneTo: number;
  /** Name of the secret under which this node's index knows its keys. */
  readonly index: string;
}

/** Master to slave: where the logs part and what will be sent. The slave cuts its log there, if it may, then takes batches. */
export interface Attach {
  readonly type: 'attach';
  readonly epoch: number;
  /** Last position that both logs share; the slave must cut what is behind it. */
  readonly fork: LogPosition;
  /** The master's end at this moment. */
  readonly end: LogPosition;
  /** About how many bytes will follow before the slave is level. */
  readonly catchUpBytes: number;
  /** True if the shared part reaches too far back and the slave has to start from nothing. */
  readonly fromNothing: boolean;
  /** The master's index key, for a slave that starts from nothing and can make it its own; else null. */
  readonly index: IndexOffer | null;
}

/** Name and secret of an index, and how many keys it knows. */
export interface IndexOffer {
  readonly name: string;
  readonly secret: readonly [number, number, number, number];
  readonly keys: number;
}

/**
 * Master to slave, whose index has the same key: the batches that come next are those of one complete segment, and
 * before them comes its hint file, of so many bytes, by `hint` messages.
 */
export interface SegmentMessage {
  readonly type: 'segment';
  readonly hintBytes: number;
}

/** Master to slave: the next bytes of a hint file. */
export interface HintMessage {
  readonly type: 'hint';
  readonly bytes: Uint8Array;
}

/**
 * Master to slave: the next bytes of the log, batches one behind the other. A live batch comes whole in one message
 * unless it is large; the codec and the sender may cut anywhere, so the receiver looks for the batches' own headers.
 */
export interface BatchMessage {
  readonly type: 'batch';
  readonly bytes: Uint8Array;
}

/** Slave to master: written up to here under this epoch (and, with `fsync: always`, durable). */
export interface Ack {
  readonly type: 'ack';
  readonly epoch: number;
  readonly seq: number;
}

/** Master to slave, each heartbeat interval and after confirmations: alive, asks for a lease, tells what is confirmed. */
export interface Ping {
  readonly type: 'ping';
  readonly sentAtMs: number;
  readonly epoch: number;
  readonly confirmedSeq: number;
  readonly wantsLease: boolean;
}

/** Master to slave: "I give back my lease and will never serve again under any epoch up to this one". */
export interface Release {
  readonly type: 'release';
  readonly renouncedEpoch: number;
}

/**
 * Either side, before it closes the link for a reason that the other should tell its operator. `leaving`: the agent of
 * a slave ends, and is not to be waited for.
 */
export interface Refusal {
  readonly type: 'refusal';
  readonly code: 'version' | 'identity' | 'epoch' | 'diverged' | 'busy' | 'leaving';
  readonly reason: string;
}

export type ControlMessage = Hello | Report | Beat | Grant | Assign | ReloadRequest | ReloadAnswer | Refusal;
export type PeerMessage =
  | PeerHello
  | Attach
  | SegmentMessage
  | HintMessage
  | BatchMessage
  | Ack
  | Ping
  | Grant
  | Release
  | Refusal;
export type LinkMessage = ControlMessage | PeerMessage;
