import type { Clock } from '../kit/clock.ts';

/** What strangers may cost us before they have shown who they are. */
export interface AdmissionLimits {
  /** Connections at a time that have not shown it yet. */
  readonly pending: number;
  /** The same from one address. */
  readonly pendingFromOne: number;
  /** New connections a second from one address. */
  readonly perSecondFromOne: number;
}

export const DEFAULT_ADMISSION: AdmissionLimits = { pending: 32, pendingFromOne: 16, perSecondFromOne: 100 };

/** Addresses whose rates are told apart within a second; all further ones count as one. */
const ADDRESSES_LIMIT = 1024;
const OTHERS = 'others';

/**
 * Counts connections that nobody has vouched for. No address can take all the room, so that a stranger who holds
 * connections open, or makes them as fast as it can, does not keep others out.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  readonly #clock: Clock;
  readonly #pending = new Map<string, number>();
  #pendingCount = 0;
  readonly #thisSecond = new Map<string, number>();
  #secondBeganMs = -Infinity;

  constructor(limits: AdmissionLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Counts a new connection. Why it has to be closed at once; null if it may go on, until `left`. */
  arrived(address: string): string | null {
    const { pending, pendingFromOne, perSecondFromOne } = this.#limits;
    if (this.#count(address) > perSecondFromOne) return 'too many connections a second';
    const own = this.#pending.get(address) ?? 0;
    if (this.#pendingCount >= pending || own >= pendingFromOne) return 'too many connections';
    this.#pending.set(address, own + 1);
    this.#pendingCount += 1;
    return null;
  }

  /** A connection that may go on has shown who it is, or is closed. */
  left(address: string): void {
    const own = this.#pending.get(address) ?? 0;
    if (own <= 1) this.#pending.delete(address);
    else this.#pending.set(address, own - 1);
    this.#pendingCount -= 1;
  }

  #count(address: string): number {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#secondBeganMs >= 1000) {
      this.#thisSecond.clear();
      this.#secondBeganMs = nowMs;
    }
    const full = this.#thisSecond.size >= ADDRESSES_LIMIT && !this.#thisSecond.has(address);
    const name = full ? OTHERS : address;
    const count = (this.#thisSecond.get(name) ?? 0) + 1;
    this.#thisSecond.set(name, count);
    return count;
  }
}
