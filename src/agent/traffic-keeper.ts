import type { Clock } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { AgentSettings } from './core/agent-ports.ts';
import type { Posture } from './core/posture.ts';

/** Keeps traffic on the node while it serves, renewed with each lease, and gives it back when it does not. */
export interface TrafficKeeperOptions {
  readonly settings: Pick<AgentSettings, 'leaseMs' | 'heartbeatMs'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Puts traffic on this node, or renews it, for no longer than the lease. Rejects if it cannot. */
  hold(remainingMs: number): Promise<void>;
  /** For how long traffic that is put here for `remainingMs` may stay beyond that by itself. */
  outlivesMs(remainingMs: number): number;
  /** Resolves when no traffic can reach this node any more. */
  release(): Promise<void>;
  /** Asks the grantors for another lease now. */
  askForLease(): void;
  /** Called before the traffic is taken, and when it is surely gone. */
  onTaken(): void;
  onGone(): void;
}

export class TrafficKeeper {
  readonly #options: TrafficKeeperOptions;
  /** When the traffic on this node was last renewed; null while it holds none. */
  #renewedAtMs: number | null = null;
  /** The end of the lease for which that was done. */
  #renewedForMs = -Infinity;
  #askedAtMs = -Infinity;
  /** Orders to take the traffic or to give it back, so far. */
  #orders = 0;

  constructor(options: TrafficKeeperOptions) {
    this.#options = options;
  }

  /** Does what the posture says: cheap to call, and safe to repeat. To be called each heartbeat at least. */
  update(posture: Posture): void {
    if (posture.serves) this.#renew(posture);
    else if (this.#renewedAtMs !== null) {
      this.#renewedAtMs = null;
      this.#renewedForMs = -Infinity;
      void this.release();
    }
  }

  /**
   * Gives the traffic back. Without success nothing is told, and it is tried again: then the lease, and the kernel's
   * lifetime, run out by themselves. The success of an earlier order says nothing, as another one to take the traffic
   * came behind it.
   */
  async release(): Promise<void> {
    const { clock, logger } = this.#options;
    this.#orders += 1;
    const order = this.#orders;
    try {
      await this.#options.release();
      if (order === this.#orders) this.#options.onGone();
    } catch (error) {
      logger.error(`cannot give the traffic back: ${messageOf(error)}`);
      // Tried again at the next heartbeat.
      if (order === this.#orders) this.#renewedAtMs = clock.monotonicMs();
    }
  }

  #renew(posture: Posture): void {
    const { settings, clock } = this.#options;
    const { leaseMs, heartbeatMs } = settings;
    const nowMs = clock.monotonicMs();
    const remainingMs = Math.min(posture.servesForMs, leaseMs);
    const isDue =
      posture.servesUntilMs === Infinity
        ? this.#renewedAtMs === null || nowMs - this.#renewedAtMs >= heartbeatMs
        : posture.servesUntilMs !== this.#renewedForMs;
    if (!isDue) return;
    // The kernel counts whole seconds: on an older lease the address could outlive what the grantors wait for.
    if (remainingMs + this.#options.outlivesMs(remainingMs) > posture.lingersForMs) {
      if (this.#renewedAtMs === null) this.#ask(nowMs);
      return;
    }
    this.#renewedAtMs = nowMs;
    this.#renewedForMs = posture.servesUntilMs;
    this.#orders += 1;
    this.#options.onTaken();
    void this.#hold(remainingMs);
  }

  /** Clients wait for the traffic: it does not wait for the next heartbeat. */
  #ask(nowMs: number): void {
    if (nowMs - this.#askedAtMs < this.#options.settings.heartbeatMs) return;
    this.#askedAtMs = nowMs;
    this.#options.askForLease();
  }

  async #hold(remainingMs: number): Promise<void> {
    const { logger } = this.#options;
    try {
      await this.#options.hold(remainingMs);
    } catch (error) {
      logger.error(`cannot take the traffic: ${messageOf(error)}`);
    }
  }
}
