import type { HsctlError } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import type { Attach, LeaseTerms, PeerHello, Ping, Refusal } from '../../protocol/link/messages.ts';

/** What the slave's end of a link needs of its node. Callbacks are synchronous unless they return a promise. */
export interface SlaveOwner {
  /** Highest epoch that this node has seen; everything below is refused. */
  readonly epoch: number;
  /** This node's greeting as of now. */
  hello(): PeerHello;
  /** The peer's greeting, also when it is repeated; a higher epoch must be durable when this returns. */
  peerSaid(hello: PeerHello): void;
  /** Any other message came. */
  heard(): void;
  /**
   * Whether to follow, cutting the log to `attach.fork` (nothing is cut if that is its end); else why not.
   * To be refused where an acknowledged record would go: `diverged`.
   */
  mayFollow(attach: Attach): Refusal | null;
  /** A tail, or the whole log, was moved to this archive before it was cut. */
  archived(path: string): void;
  /** The log was damaged; it was moved to this archive, and starts from nothing. */
  repaired(path: string): void;
  /** Batches come from now on. */
  following(attach: Attach): void;
  /** Records were appended, once a turn. */
  appended(end: LogPosition): void;
  /** Milliseconds of lease to grant, 0 for none. */
  pinged(ping: Ping): LeaseTerms;
  /** The master gave up every epoch up to this one. */
  released(renouncedEpoch: number): void;
  /** The peer will not have us, or we will not have it; an operator should know. */
  refused(refusal: Refusal): void;
  /** The session is over, once. `failure`: our log could not be written or cut. */
  ended(reason: string, failure: HsctlError | null): void;
}
