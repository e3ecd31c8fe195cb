import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type HaproxyConfig, HaproxyDriver } from '../../../src/traffic/haproxy/driver.ts';
import { Rig } from '../../rig/rig.ts';
import { until } from '../../rig/until.ts';
import { depsWithin } from '../group.ts';
import { Peer } from '../peers.ts';
import { type Reached, registerDriverTests } from '../register-driver-tests.ts';
import { Balancer } from './balancer.ts';

/** A real HAProxy on the director of a rig, where new connections can wait. */

const PORT = 9000;

class BalancedRig {
  readonly rig: Rig;
  readonly balancer: Balancer;
  readonly client: Peer;

  private constructor(rig: Rig, balancer: Balancer, client: Peer) {
    this.rig = rig;
    this.balancer = balancer;
    this.client = client;
  }

  static async create(): Promise<BalancedRig> {
    const rig = await Rig.create();
    const [director, a, b] = [rig.host('director'), rig.host('a'), rig.host('b')];
    for (const host of [a, b]) await Peer.serve(host, host.address, PORT);
    const balancer = await Balancer.start({
      dir: rig.dir,
      spawn: (argv) => director.spawn(argv),
      bind: { host: director.address, port: PORT },
      apps: [
        { host: a.address, port: PORT },
        { host: b.address, port: PORT },
      ],
    });
    return new BalancedRig(rig, balancer, await Peer.start(rig.host('client')));
  }

  driver(): HaproxyDriver {
    const { rig, balancer } = this;
    const config: HaproxyConfig = {
      type: 'haproxy',
      socket: balancer.socket(),
      backend: 'world',
      servers: { a: 'a', b: 'second' },
      virtual: balancer.bind,
    };
    const backends = ['a', 'b'].map((node) => ({ node, address: rig.host(node).address, port: PORT }));
    return new HaproxyDriver(
      config,
      'world',
      backends,
      depsWithin(['ip', 'netns', 'exec', rig.host('director').namespace]),
    );
  }

  async reset(): Promise<void> {
    await this.rig.host('director').run(['nft', 'flush', 'ruleset']);
    await this.balancer.restart();
  }
}

registerDriverTests('haproxy, with a gate', async () => {
  const net = await BalancedRig.create();
  const { host } = net.balancer.bind;
  const named = (outcome: string): Reached => (outcome === 'a' || outcome === 'b' ? outcome : 'refused');
  return {
    makeDriver: () => net.driver(),
    reach: async () => named(await net.client.reach(host, PORT)),
    wait: async () => {
      const connection = await net.client.open(host, PORT);
      await until('the first packet was sent', async () =>
        (await net.rig.host('client').run(['ss', '-Htn', 'state', 'syn-sent'])).includes(host),
      );
      assert.ok(!connection.settled);
      return async () => {
        const outcome = named(await connection.outcome());
        connection.shut();
        return outcome;
      };
    },
    state: async () =>
      `${await net.balancer.state()}\n${await net.rig.host('director').run(['nft', 'list', 'ruleset'])}`,
    disturb: async () => {
      await net.balancer.ask('set server world/a state maint');
      await net.balancer.ask('set server world/second state drain');
    },
    refuses: true,
    reset: () => net.reset(),
    close: () => net.rig.close(),
  };
});

describe('HaproxyDriver with a gate', () => {
  let net: BalancedRig;
  before(async () => {
    net = await BalancedRig.create();
  });
  beforeEach(() => net.reset());
  after(() => net.rig.close());

  it('loses no request of clients that go on through a planned change', async () => {
    const driver = net.driver();
    await driver.apply({ active: 'a', hold: false, dead: [], epoch: 1 });
    const { host } = net.balancer.bind;
    const served: string[] = [];
    const stop = new AbortController();
    const clients = Array.from({ length: 4 }, async () => {
      while (!stop.signal.aborted) {
        served.push(await net.client.reach(host, PORT));
        await turn();
      }
    });
    let first = 0;
    try {
      await until('clients are served by a', () => served.length > 50);
      await driver.apply({ active: null, hold: true, dead: [], epoch: 1 });
      await until('what was under way has ended', async () => (await driver.connections('a')) === 0);
      first = served.length;
      await driver.apply({ active: 'b', hold: false, dead: [], epoch: 2 });
      await until('clients are served by b', () => served.length > first + 50);
    } finally {
      stop.abort();
    }
    await Promise.all(clients);
    assert.deepEqual(new Set(served), new Set(['a', 'b']));
    assert.equal(served.lastIndexOf('a') < served.indexOf('b'), true, 'none goes back');
    await driver.close();
  });
});
