import { join } from 'node:path';
import { Cluster, GROUP, type NodeName, otherThan, USUAL_PORTS } from '../../../test/rig/cluster.ts';
import { typescriptFriendList } from '../../../test/rig/friend-list.ts';
import type { Rig } from '../../../test/rig/rig.ts';
import { type Pair, VIP } from './pair.ts';

/** hsctl with its default profile and the `vip` driver; only the pause between two failovers is taken out. */
export class HsctlPair implements Pair {
  readonly name = 'hsctl';
  readonly rig: Rig;
  readonly #cluster: Cluster;
  #serving: NodeName;

  private constructor(rig: Rig, cluster: Cluster, serving: NodeName) {
    this.rig = rig;
    this.#cluster = cluster;
    this.#serving = serving;
  }

  static async start(rig: Rig): Promise<HsctlPair> {
    const cluster = await Cluster.start({
      director: rig.host('director'),
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: typescriptFriendList,
      traffic: [{ type: 'vip', address: `${VIP}/32`, interface: 'eth0' }],
      failover: { holdDown: '0s' },
    });
    return new HsctlPair(rig, cluster, await cluster.master());
  }

  async crash(): Promise<void> {
    await this.#cluster.app(this.#serving).kill();
  }

  silence(): Promise<void> {
    return this.rig.isolate(this.#serving);
  }

  /** Hands over to the other node as planned. */
  async switchover(): Promise<void> {
    await this.#cluster.hsctl('promote', GROUP, otherThan(this.#serving), '--wait');
  }

  async mend(): Promise<void> {
    await this.rig.healAll();
    await this.#cluster.restartEnded();
    await this.#cluster.whole();
    this.#serving = await this.#cluster.master();
  }
}
