import type { NodeId } from '../../model/roles.ts';

/** Numbers from the configuration. A reload changes them in place: they are read anew at each use. */
export interface AgentSettings {
  readonly node: NodeId;
  readonly peer: NodeId;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  /** What outlives the lease on the node (kernel lifetime of a VIP), in milliseconds. */
  readonly lingerMs: number;
  readonly detectMs: number;
  readonly stallTimeoutMs: number;
  readonly onControllerLoss: 'serve' | 'stop';
  /** How long work under way may take to end in a switchover before it is cut off. */
  readonly drainMs: number;
  /** After this long without the controller's next word a quiesced master takes up work again. */
  readonly quiesceLimitMs: number;
}

/** Effects, all synchronous. Those that write throw HsctlError('disk') when the disk refuses. */
export interface AgentPorts {
  /** Durable when it returns. */
  saveEpoch(epoch: number): void;
  saveLongestGrant(durationMs: number): void;
  /** Appends the first record of a reign. */
  appendReign(epoch: number): void;
  /** Appends an in-sync record to the log and returns its seq. */
  appendInSync(epoch: number, members: readonly NodeId[]): number;
  /** Whether this node may append now: nothing that a former master asked for is still being cut from the log. */
  logIsFree(): boolean;
  /** Seq of the last record in the log. */
  endSeq(): number;
  /** How much of the log this node surely keeps itself: its end, or what is on stable storage with `fsync: always`. */
  heldSeq(): number;
  /** Tells the peer at once; the controller learns it by the next report. */
  sendRelease(renouncedEpoch: number): void;
  /** The reign ended: whoever waits for a confirmation will not get one. */
  reignEnded(): void;
}
