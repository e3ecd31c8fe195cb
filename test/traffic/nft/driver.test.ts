import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import type { Backend } from '../../../src/traffic/backends.ts';
import { type NftConfig, NftDriver } from '../../../src/traffic/nft/driver.ts';
import { Rig } from '../../rig/rig.ts';
import { until } from '../../rig/until.ts';
import { depsWithin } from '../group.ts';
import { Peer } from '../peers.ts';
import { type DriverWorld, type Reached, registerDriverTests } from '../register-driver-tests.ts';

/** Real packets through a real kernel: client, director and two nodes in network namespaces. */

type Family = 4 | 6;
const VIRTUAL: Record<Family, string> = { 4: '10.0.0.100', 6: 'fd77::100' };
const PORT = 9000;

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

/** A rig whose nodes answer through the director, with servers on both. */
class NftRig {
  readonly rig: Rig;
  readonly client: Peer;
  readonly local: Peer;
  readonly #backends: Record<Family, readonly Backend[]>;

  private constructor(rig: Rig, client: Peer, local: Peer) {
    this.rig = rig;
    this.client = client;
    this.local = local;
    this.#backends = { 4: this.#nodes('address', 9000), 6: this.#nodes('address6', 9000) };
  }

  static async create(): Promise<NftRig> {
    const rig = await Rig.create();
    const director = rig.host('director');
    const client = rig.host('client');
    await director.run(['ip', 'addr', 'add', `${VIRTUAL[4]}/32`, 'dev', 'eth0']);
    await director.run(['ip', 'addr', 'add', `${VIRTUAL[6]}/128`, 'dev', 'eth0', 'nodad']);
    await director.run([
      'sysctl',
      '-qw',
      'net.ipv4.ip_forward=1',
      'net.ipv6.conf.all.forwarding=1',
      'net.ipv4.conf.all.send_redirects=0',
      'net.ipv4.conf.eth0.send_redirects=0',
    ]);
    for (const node of ['a', 'b']) {
      const host = rig.host(node);
      await host.run(['ip', 'route', 'add', `${client.address}/32`, 'via', director.address]);
      await host.run(['ip', 'route', 'add', `${client.address6}/128`, 'via', director.address6]);
      await host.run([
        'sysctl',
        '-qw',
        'net.ipv6.conf.all.accept_redirects=0',
        'net.ipv6.conf.eth0.accept_redirects=0',
      ]);
      await Peer.serve(host, host.address, 9000);
      await Peer.serve(host, host.address6, 9000);
    }
    return new NftRig(rig, await Peer.start(client), await Peer.start(director));
  }

  driver(family: Family, protocol: NftConfig['protocol'], hasConntrack = true): NftDriver {
    const config: NftConfig = { type: 'nft', virtual: { host: VIRTUAL[family], port: PORT }, protocol };
    const deps = depsWithin(['ip', 'netns', 'exec', this.rig.host('director').namespace]);
    const run: typeof deps.run = (command, options) =>
      deps.run(command[0] === 'conntrack' && !hasConntrack ? ['no-such-program'] : command, options);
    return new NftDriver(config, 'world', this.#backends[family], { ...deps, run });
  }

  nft(...words: string[]): Promise<string> {
    return this.rig.host('director').run(['nft', ...words]);
  }

  #nodes(address: 'address' | 'address6', port: number): readonly Backend[] {
    return ['a', 'b'].map((node) => ({ node, address: this.rig.host(node)[address], port }));
  }
}

async function worldOf(family: Family, protocol: NftConfig['protocol']): Promise<DriverWorld> {
  const net = await NftRig.create();
  const address = family === 4 ? '10.0.0.100' : 'fd77_3a_3a100';
  const table = `${family === 4 ? 'ip' : 'ip6'} hsctl__world__${protocol}__${address}__9000`;
  const named = (outcome: string): Reached => (outcome === 'a' || outcome === 'b' ? outcome : 'refused');
  return {
    makeDriver: () => net.driver(family, protocol),
    reach: async () => {
      const outcome = await net.client.reach(VIRTUAL[family], PORT, protocol);
      assert.match(outcome, /^a$|^b$|^over (ECONNREFUSED|ECONNRESET)$/);
      return named(outcome);
    },
    wait: async () => {
      const connection = await net.client.open(VIRTUAL[family], PORT, protocol);
      if (protocol === 'tcp') {
        await until('the first packet was sent', async () =>
          (await net.rig.host('client').run(['ss', '-Htn', 'state', 'syn-sent'])).includes(VIRTUAL[family]),
        );
      }
      assert.ok(!connection.settled);
      return async () => {
        const outcome = named(await connection.outcome());
        connection.shut();
        return outcome;
      };
    },
    state: () => net.nft('-a', 'list', 'table', ...table.split(' ')),
    disturb: async () => {
      await net.nft('flush', 'map', ...table.split(' '), 'active');
      await net.nft('flush', 'chain', ...table.split(' '), 'translate_arriving');
    },
    refuses: true,
    reset: async () => void (await net.nft('flush', 'ruleset')),
    close: () => net.rig.close(),
  };
}

for (const family of [4, 6] as const) {
  for (const protocol of ['tcp', 'udp'] as const) {
    registerDriverTests(`nft, IPv${family}, ${protocol}`, () => worldOf(family, protocol));
  }
}

describe('NftDriver', () => {
  let net: NftRig;
  before(async () => {
    net = await NftRig.create();
  });
  after(() => net.rig.close());

  it('serves clients on the director itself', async () => {
    const driver = net.driver(4, 'tcp');
    await driver.apply(wish({ active: 'b' }));
    assert.equal(await net.local.reach(VIRTUAL[4], PORT), 'b');
    await driver.apply(wish({}));
    assert.match(await net.local.reach(VIRTUAL[4], PORT), /^over/);
  });

  it('lets present connections go on in a planned change, and counts them', async () => {
    const driver = net.driver(4, 'tcp');
    await driver.apply(wish({ active: 'a' }));
    const connection = await net.client.open(VIRTUAL[4], PORT);
    assert.equal(await connection.outcome(), 'a');
    assert.deepEqual([await driver.connections('a'), await driver.connections('b')], [1, 0]);
    await driver.apply(wish({ hold: true }));
    connection.say('one');
    await connection.heard('one');
    await driver.apply(wish({ active: 'b', epoch: 2 }));
    connection.say('two');
    await connection.heard('two');
    assert.equal(await net.client.reach(VIRTUAL[4], PORT), 'b');
    connection.shut();
    await connection.over();
    await until('the count is back at none', async () => (await driver.connections('a')) === 0);
  });

  for (const hasConntrack of [true, false]) {
    it(`resets the connections of a dead node ${hasConntrack ? 'with' : 'without'} the program conntrack`, async () => {
      const driver = net.driver(4, 'tcp', hasConntrack);
      await driver.apply(wish({ active: 'a' }));
      const connection = await net.client.open(VIRTUAL[4], PORT);
      assert.equal(await connection.outcome(), 'a');
      await driver.apply(wish({ active: 'b', dead: ['a'], epoch: 2 }));
      assert.equal(await driver.connections('a'), hasConntrack ? 0 : null);
      connection.say('anybody');
      assert.equal(await connection.over(), 'ECONNRESET');
    });
  }

  it('moves UDP clients, which never say that they are done', async () => {
    const driver = net.driver(4, 'udp');
    await driver.apply(wish({ active: 'a' }));
    assert.equal(await net.client.ask('u1', VIRTUAL[4], PORT), 'a');
    await driver.apply(wish({ active: 'b', epoch: 2 }));
    assert.equal(await net.client.ask('u1', VIRTUAL[4], PORT), 'b');
    assert.equal(await driver.connections('a'), null);
  });

  it('takes its table away with its entry', async () => {
    const driver = net.driver(6, 'udp');
    await driver.apply(wish({ active: 'a' }));
    assert.match(await net.nft('list', 'tables'), /hsctl__world__udp__fd77/);
    await driver.remove();
    await driver.remove();
    assert.doesNotMatch(await net.nft('list', 'tables'), /hsctl__world__udp__fd77/);
  });

  it('leaves tables that are not its own alone', async () => {
    await net.nft('add', 'table', 'ip', 'theirs');
    const driver = net.driver(4, 'tcp');
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ active: 'b', dead: ['a'] }));
    assert.match(await net.nft('list', 'tables'), /table ip theirs/);
  });

  it('finds what the machine lacks', async () => {
    assert.deepEqual(await net.driver(4, 'tcp').check(), []);
    await net.rig.host('director').run(['sysctl', '-qw', 'net.ipv4.ip_forward=0']);
    assert.deepEqual(await net.driver(4, 'tcp').check(), [
      { what: 'net.ipv4.ip_forward is 0: packets are not passed on', hint: 'sysctl -w net.ipv4.ip_forward=1' },
    ]);
    await net.rig.host('director').run(['sysctl', '-qw', 'net.ipv4.ip_forward=1']);
  });
});
