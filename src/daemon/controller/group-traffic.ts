import type { GroupConfig } from '../../config/config.ts';
import { isSame } from '../../config/differences.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { messageOf } from '../../kit/errors.ts';
import type { DirectorDriver, TrafficDeps } from '../../traffic/deps.ts';
import { makeDriver, type DirectorTraffic } from '../../traffic/make-driver.ts';

interface RunningDriver {
  readonly entry: DirectorTraffic;
  readonly driver: DirectorDriver;
}

/** The traffic of a group as far as the controller leads it: a driver for each entry that is none of the agents'. */
export class GroupTraffic {
  readonly #deps: TrafficDeps;
  #group: GroupConfig;
  #running: readonly RunningDriver[];

  constructor(group: GroupConfig, deps: TrafficDeps) {
    this.#deps = deps;
    this.#group = group;
    this.#running = entriesOf(group).map((entry) => this.#start(entry));
  }

  get drivers(): readonly DirectorDriver[] {
    return this.#running.map(({ driver }) => driver);
  }

  /** @throws HsctlError of the first driver that fails; the others do what they can. */
  async apply(desired: DesiredTraffic): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.apply(desired)));
  }

  /**
   * Takes another configuration: drivers of entries that have not changed go on, with their connections; those of entries
   * that are gone leave nothing behind; new ones still have to be told what is wanted. Never rejects. Gives whether
   * anything changed.
   */
  async reconfigure(group: GroupConfig): Promise<boolean> {
    const entries = entriesOf(group);
    // Every driver knows where the apps take their clients.
    const isMoved = !isSame(backends(this.#group), backends(group));
    const stays = ({ entry }: RunningDriver): boolean => !isMoved && entries.some((each) => isSame(each, entry));
    const gone = this.#running.filter((running) => !stays(running));
    const kept = this.#running.filter(stays);
    const added = entries.filter((entry) => !kept.some((running) => isSame(running.entry, entry)));
    this.#group = group;
    this.#running = kept;
    // One after the other: the new entry may want the port of the old one.
    await Promise.all(gone.map(({ driver }) => this.#giveUp(driver)));
    this.#running = [...kept, ...added.map((entry) => this.#start(entry))];
    return gone.length + added.length > 0;
  }

  /** Ends what this process holds; the traffic stays as it is. */
  async close(): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }

  /** Leads clients nowhere any more, and ends. Never rejects. */
  async giveUp(): Promise<void> {
    await Promise.all(this.drivers.map((driver) => this.#giveUp(driver)));
  }

  #start(entry: DirectorTraffic): RunningDriver {
    return { entry, driver: makeDriver(entry, this.#group, this.#deps) };
  }

  async #giveUp(driver: DirectorDriver): Promise<void> {
    const dead = this.#group.nodes.map(({ id }) => id);
    try {
      await driver.apply({ active: null, hold: false, dead, epoch: 0 });
      await driver.remove?.();
    } catch (error) {
      this.#deps.logger.warn(`${driver.name}: something of it may be left behind: ${messageOf(error)}`);
    }
    await driver.close();
  }
}

function entriesOf({ traffic }: GroupConfig): DirectorTraffic[] {
  return traffic.filter((entry) => entry.type !== 'vip');
}

function backends({ nodes }: GroupConfig): unknown {
  return nodes.map(({ id, address, appPort }) => `${id} ${address} ${appPort}`);
}
