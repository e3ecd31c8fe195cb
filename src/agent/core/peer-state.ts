import type { Clock } from '../../kit/clock.ts';
import { LeaseGrantor } from '../../kit/lease.ts';

/** What this node knows of its peer, and what it has promised to it. */
export class PeerState {
  readonly #clock: Clock;
  readonly #grant: LeaseGrantor;
  #heardAtMs: number | null = null;
  #linked = false;
  #renouncedEpoch = 0;

  constructor(clock: Clock, longestGrantMs: number, highestEpoch: number) {
    this.#clock = clock;
    this.#grant = new LeaseGrantor(clock.monotonicMs(), longestGrantMs, highestEpoch);
  }

  heard(): void {
    this.#heardAtMs = this.#clock.monotonicMs();
    this.#linked = true;
  }

  lost(): void {
    this.#linked = false;
  }

  /** The peer will never serve again under any epoch up to this one: it said so, or the controller knows. */
  renounced(epoch: number): void {
    this.#renouncedEpoch = Math.max(this.#renouncedEpoch, epoch);
    this.#grant.renounced(epoch);
  }

  /** A lease is granted by the answer that is sent now; it counts for `grantMs` here. */
  grant(grantMs: number, epoch: number): void {
    this.#grant.grant(this.#clock.monotonicMs(), grantMs, epoch);
  }

  get linked(): boolean {
    return this.#linked;
  }

  get renouncedEpoch(): number {
    return this.#renouncedEpoch;
  }

  /** Milliseconds since it was heard; null if never. */
  get silentMs(): number | null {
    return this.#heardAtMs === null ? null : this.#clock.monotonicMs() - this.#heardAtMs;
  }

  /** Milliseconds until it cannot serve any more under a grant of this node; 0 if that is so now. */
  get grantRunsMs(): number {
    return this.#grant.runsMs(this.#clock.monotonicMs());
  }
}
