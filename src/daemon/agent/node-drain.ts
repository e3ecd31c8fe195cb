import type { Scheduler, Timer } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import type { run } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Assignment } from '../../model/assignment.ts';
import { openConnections } from '../../traffic/connections/count.ts';
import { resetConnections } from '../../traffic/connections/reset.ts';

export interface NodeDrainDeps {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly run: typeof run;
  /** Another number is known. */
  onCount(): void;
}

/** With the controller's own period it makes up the time by which the end of a drain is noticed late: a second at most. */
const PERIOD_MS = 400;

/**
 * What the agent does while its node is drained: counts the connections that its app still has, which the director does not
 * see where clients reach the node by themselves, and resets them when their time is over.
 */
export class NodeDrain {
  readonly #port: number | null;
  readonly #lostAddresses: () => readonly string[];
  readonly #deps: NodeDrainDeps;
  #wish: Assignment['drain'] = 'no';
  #connections: number | null = null;
  #timer: Timer | null = null;
  #isBusy = false;

  /** `port`: the app's. `lostAddresses`: that the node no longer has. */
  constructor(port: number | null, lostAddresses: () => readonly string[], deps: NodeDrainDeps) {
    this.#port = port;
    this.#lostAddresses = lostAddresses;
    this.#deps = deps;
  }

  /** Open connections while the node is drained; null if they are not counted. */
  get connections(): number | null {
    return this.#connections;
  }

  update(wish: Assignment['drain']): void {
    this.#wish = wish;
    this.stop();
    if (wish === 'no' || this.#port === null) return this.#set(null);
    this.#timer = this.#deps.scheduler.every(PERIOD_MS, () => void this.#look(), 0);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  async #look(): Promise<void> {
    const port = this.#port;
    if (port === null || this.#isBusy) return;
    this.#isBusy = true;
    try {
      let count = await openConnections(port, this.#lostAddresses());
      if (this.#wish === 'cut' && count > 0) {
        this.#deps.logger.info(`${count} connections of the drained node are reset`);
        await resetConnections(port, this.#deps.run);
        count = await openConnections(port, this.#lostAddresses());
      }
      if (this.#timer !== null) this.#set(count);
    } catch (error) {
      this.#deps.logger.warn(`the drained node: ${messageOf(error)}`);
    } finally {
      this.#isBusy = false;
    }
  }

  #set(connections: number | null): void {
    if (connections === this.#connections) return;
    this.#connections = connections;
    this.#deps.onCount();
  }
}
