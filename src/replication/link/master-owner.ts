import type { HsctlError } from '../../kit/errors.ts';
import type { Attach, Grant, PeerHello, Refusal } from '../../protocol/link/messages.ts';

/** What the master's end of a link needs of its node. Callbacks are synchronous; they may call back into the session. */
export interface MasterOwner {
  /** This node's greeting as of now. */
  hello(): PeerHello;
  /** The peer's greeting, also when it is repeated; its epoch may be higher than ours. */
  peerSaid(hello: PeerHello): void;
  /** Any other message came. */
  heard(): void;
  /** The slave has cut its log to the fork: from now on it confirms, under this epoch. */
  attached(attach: Attach): void;
  /** The slave holds everything up to `seq` under `epoch`. */
  acked(epoch: number, seq: number): void;
  /** The slave's answer to a ping. */
  granted(grant: Grant): void;
  /** The peer gave up every epoch up to this one. */
  released(renouncedEpoch: number): void;
  /** The peer will not have us, or its log contradicts ours; an operator should know. */
  refused(refusal: Refusal): void;
  /** The session is over, once. `failure`: our log could not be read. */
  ended(reason: string, failure: HsctlError | null): void;
}
