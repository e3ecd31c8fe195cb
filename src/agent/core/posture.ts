import type { Role } from '../../model/roles.ts';

/** What the agent should be doing now; its loop compares this with what it does and changes the difference. */
export interface Posture {
  readonly role: Role;
  readonly epoch: number;
  /** What the app and the hooks are told. */
  readonly appRole: 'master' | 'slave' | 'none';
  /** Whether clients may be served: the VIP is held, writes and reads are answered. */
  readonly serves: boolean;
  /** Moment on the lease clock until which that is so without another renewal; Infinity while alone on record. */
  readonly servesUntilMs: number;
  /** The same, counted from now. */
  readonly servesForMs: number;
  /** For how long traffic that is put on this node now may stay there by itself. */
  readonly lingersForMs: number;
  /** What becomes of writes from the app. `frozen`: they wait for the end of a switchover, or for a lease. */
  readonly writes: 'taken' | 'frozen' | 'refused';
  /** New work is kept out at the node while present work ends. */
  readonly quiesce: boolean;
  /** Dial the peer: to follow it, or (while waiting) to learn whether it is master. */
  readonly dialPeer: boolean;
  /** Take followers: this node owns its epoch. */
  readonly feeds: boolean;
}
