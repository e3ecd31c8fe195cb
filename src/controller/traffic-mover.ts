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
  #movedFor: string | null = null;
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
    return this.#wanted !== null && keyOf(this.#wanted) === this.#movedFor;
  }

  /** Last failure of the traffic drivers; empty if there is none. */
  get trouble(): string {
    return this.#trouble;
  }

  /** Null: leave it as it is. Cheap to call, and safe to repeat. */
  update(desired: DesiredTraffic | null): void {
    if (desired === null) return;
    const key = keyOf(desired);
    if (this.#wanted !== null && keyOf(this.#wanted) === key) return;
    this.#wanted = desired;
    void this.#apply(desired, key);
  }

  /** Other drivers lead the traffic: what is wanted next is an order to them. */
  forget(): void {
    this.#wanted = null;
    this.#movedFor = null;
  }

  /** Has the drivers look whether all is still as they left it. */
  repair(): void {
    if (this.#wanted !== null && this.settled) void this.#apply(this.#wanted, keyOf(this.#wanted));
  }

  async #apply(desired: DesiredTraffic, key: string): Promise<void> {
    const { scheduler, logger } = this.#ports;
    this.#retry?.cancel();
    try {
      await this.#ports.moveTraffic(desired);
      if (this.#wanted !== desired) return;
      this.#movedFor = key;
      this.#trouble = '';
    } catch (error) {
      if (this.#wanted !== desired) return;
      this.#movedFor = null;
      if (this.#trouble === '') logger.error(`traffic: ${messageOf(error)}`);
      this.#trouble = messageOf(error);
      this.#retry = scheduler.after(RETRY_MS, () => void this.#apply(desired, key));
      return;
    }
    this.#onMoved();
  }
}

function keyOf(desired: DesiredTraffic): string {
  return JSON.stringify([desired.active, desired.hold, desired.dead, desired.epoch]);
}
