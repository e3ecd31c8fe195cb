import type { Scheduler, Timer } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import type { FenceOrder } from './fencing.ts';
import type { FenceOutcome } from './ports.ts';

/** Pause before commands that did not confirm a fence are run again, in milliseconds. */
const RETRY_MS = 10_000;

export interface FencePorts {
  readonly scheduler: Scheduler;
  /** Runs the commands of a node; `signal` calls them off. */
  fence(order: FenceOrder, signal: AbortSignal): Promise<FenceOutcome>;
  /** To be put on record. */
  onOutcome(order: FenceOrder, outcome: FenceOutcome): void;
}

/** Runs the fence that the record wants: one at a time, again while it is wanted, not any longer than it is. */
export class FenceRunner {
  readonly #ports: FencePorts;
  #order: FenceOrder | null = null;
  #off = new AbortController();
  #retry: Timer | null = null;

  constructor(ports: FencePorts) {
    this.#ports = ports;
  }

  /** Does what is wanted now; cheap to call, and safe to repeat. */
  update(order: FenceOrder | null): void {
    if (order?.node === this.#order?.node && order?.epoch === this.#order?.epoch) return;
    this.#off.abort();
    this.#retry?.cancel();
    this.#order = order;
    if (order === null) return;
    this.#off = new AbortController();
    void this.#run(order, this.#off.signal);
  }

  async #run(order: FenceOrder, signal: AbortSignal): Promise<void> {
    const outcome = await this.#ports.fence(order, signal).catch(outcomeOfError);
    if (signal.aborted) return;
    // Also where it was confirmed: if the disk would not take that, it is done again.
    this.#retry = this.#ports.scheduler.after(RETRY_MS, () => void this.#run(order, signal));
    this.#ports.onOutcome(order, outcome);
  }
}

function outcomeOfError(error: unknown): FenceOutcome {
  return { state: 'unknown', detail: messageOf(error) };
}
