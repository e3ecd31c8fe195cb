import type { Scheduler, Timer } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { DesiredTraffic } from './ports.ts';

/** Failed traffic changes are tried again after this long. */
const RETRY_MS = 500;

export interface TrafficMoverPorts {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Brings the traffic to the desired state; rejects if it cannot. */
  moveTraffic(desired: DesiredTraffic): Promise<void>;
}

/** Keeps the traffic as it is wanted: newer wishes supersede older ones, failed ones are tried again. */
export class TrafficMover {
  readonly #ports: TrafficMoverPorts;
  readonly #onMoved: () => void;
  #wanted: DesiredTraffic | null = null;
  /** What the drivers last brought about. */
  #moved: DesiredTraffic | null = null;
  #trouble = '';
  #retry: Timer | null = null;

  constructor(ports: TrafficMoverPorts, onMoved: () => void) {
    this.#ports = ports;
    this.#onMoved = onMoved;
  }

  get wanted(): DesiredTraffic | null {
    return this.#wanted;
  }

  /** The traffic is as it was wanted last. */
  get settled(): boolean {
    return this.#wanted !== null && this.#wanted === this.#moved;
  }

  /** Last failure of the traffic drivers; empty if there is none. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Null: leave it as it is. Cheap to call, and safe to repeat. */
  update(desired: DesiredTraffic | null): void {
    if (desired === null || (this.#wanted !== null && isSame(this.#wanted, desired))) return;
    this.#wanted = desired;
    void this.#apply(desired);
  }

  /** Other drivers lead the traffic: what is wanted next is an order to them. */
  forget(): void {
    this.#wanted = null;
    this.#moved = null;
  }

  /** Has the drivers look whether all is still as they left it. */
  repair(): void {
    if (this.#wanted !== null && this.settled) void this.#apply(this.#wanted);
  }

  async #apply(desired: DesiredTraffic): Promise<void> {
    const { scheduler, logger } = this.#ports;
    this.#retry?.cancel();
    try {
      await this.#ports.moveTraffic(desired);
      if (this.#wanted !== desired) return;
      this.#moved = desired;
      this.#trouble = '';
    } catch (error) {
      if (this.#wanted !== desired) return;
      this.#moved = null;
      if (this.#trouble === '') logger.error(`traffic: ${messageOf(error)}`);
      this.#trouble = messageOf(error);
      this.#retry = scheduler.after(RETRY_MS, () => void this.#apply(desired));
      return;
    }
    this.#onMoved();
  }
}

function isSame(one: DesiredTraffic, other: DesiredTraffic): boolean {
  if (one.active !== other.active || one.hold !== other.hold || one.epoch !== other.epoch) return false;
  return one.dead.length === other.dead.length && one.dead.every((node, index) => node === other.dead[index]);
}
