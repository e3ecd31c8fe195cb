import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { type HaproxyConfig, HaproxyDriver } from '../../../src/traffic/haproxy/driver.ts';
import { until } from '../../rig/until.ts';
import { Client } from '../echo-server.ts';
import { realDeps } from '../group.ts';
import { type Reached, registerDriverTests } from '../register-driver-tests.ts';
import { TemporaryFolder } from '../temporary-folder.ts';
import type { Balancer } from './balancer.ts';
import { LocalBalancer } from './local-balancer.ts';

/** A real HAProxy of Debian's on loopback; see gate.test.ts for connections that wait. */

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

function driverOf({ apps, balancer }: LocalBalancer, change: Partial<HaproxyConfig> = {}): HaproxyDriver {
  const config: HaproxyConfig = {
    type: 'haproxy',
    socket: balancer.socket(),
    backend: 'world',
    servers: { a: 'a', b: 'second' },
    virtual: null,
    ...change,
  };
  const backends = apps.map(({ name, port }) => ({ node: name, address: '127.0.0.1', port }));
  return new HaproxyDriver(config, 'world', backends, realDeps);
}

/** HAProxy turns connections away by ending them in order. */
function connectTo({ bind }: Balancer): Client {
  const client = new Client(bind.port);
  client.socket.once('end', () => client.socket.end());
  return client;
}

async function nameFrom(client: Client): Promise<Reached> {
  const name = await client.line();
  client.socket.destroy();
  return name === 'a' || name === 'b' ? name : 'refused';
}

for (const [what, options] of [
  ['without checks', 'disabled'],
  // Its first check after a start comes late enough not to be what brings the server up.
  ['with checks of its own', 'disabled check inter 60s fall 1 rise 3'],
] as const) {
  registerDriverTests(`haproxy, ${what}`, async () => {
    const local = await LocalBalancer.start(options);
    const { balancer } = local;
    return {
      makeDriver: () => driverOf(local),
      reach: () => nameFrom(connectTo(balancer)),
      wait: null,
      state: () => balancer.state(),
      disturb: async () => {
        await balancer.ask('set server world/a state maint');
        await balancer.ask('set server world/second state ready');
      },
      refuses: true,
      reset: () => balancer.restart(),
      close: () => local.close(),
    };
  });
}

describe('HaproxyDriver', () => {
  let local: LocalBalancer;
  let balancer: Balancer;
  let driver: HaproxyDriver;
  before(async () => {
    local = await LocalBalancer.start();
    ({ balancer } = local);
  });
  after(() => local.close());
  beforeEach(async () => {
    await balancer.restart();
    driver = driverOf(local);
  });
  afterEach(() => driver.close());

  const open = async (): Promise<Client> => {
    const client = connectTo(balancer);
    assert.ok(await client.line());
    return client;
  };

  it('lets present connections go on in a planned change, and counts them', async () => {
    await driver.apply(wish({ active: 'a' }));
    const client = await open();
    assert.deepEqual([await driver.connections('a'), await driver.connections('b')], [1, 0]);
    await driver.apply(wish({ hold: true }));
    client.socket.write('still here\n');
    assert.equal(await client.line(), 'still here');
    await driver.apply(wish({ active: 'b', epoch: 2 }));
    client.socket.write('and now\n');
    assert.equal(await client.line(), 'and now');
    client.socket.end();
    await client.over;
    await until('the count is back at none', async () => (await driver.connections('a')) === 0);
  });

  it('cuts all connections when nobody serves', async () => {
    await driver.apply(wish({ active: 'a' }));
    const client = await open();
    await driver.apply(wish({}));
    assert.match(await client.over, /closed|ECONNRESET/);
  });

  it('cuts the connections of a dead node at once', async () => {
    await driver.apply(wish({ active: 'a' }));
    const client = await open();
    await driver.apply(wish({ hold: true, dead: ['a'], epoch: 2 }));
    assert.match(await client.over, /closed|ECONNRESET/);
  });

  it('brings a server up that checks of its own have marked down', async () => {
    const checked = await LocalBalancer.start('disabled check inter 60s fall 1 rise 3');
    try {
      const driven = driverOf(checked);
      await driven.apply(wish({ active: 'a' }));
      await checked.balancer.ask('set server world/a health down');
      assert.equal(await nameFrom(connectTo(checked.balancer)), 'refused');
      await driven.apply(wish({ active: 'a' }));
      assert.equal(await nameFrom(connectTo(checked.balancer)), 'a');
    } finally {
      await checked.close();
    }
  });

  it('finds nothing wrong where all is well', async () => {
    assert.deepEqual(await driver.check(), []);
    await driver.apply(wish({ active: 'b' }));
    assert.deepEqual(await driver.check(), []);
  });

  it('says what is wrong, and what would do', async () => {
    const findings = async (change: Partial<HaproxyConfig>): Promise<string> =>
      (await driverOf(local, change).check()).map(({ what, hint }) => `${what} -> ${hint}`).join('\n');
    assert.match(await findings({ socket: '/no/such.sock' }), /haproxy at \/no\/such.sock: .*ENOENT.*level admin/);
    assert.match(await findings({ backend: 'nowhere' }), /haproxy answers `show servers state` with .*haproxy.cfg/);
    assert.match(
      await findings({ servers: { a: 'a', b: 'third' } }),
      /no server world\/third -> .*servers: \{ b: NAME/,
    );
    assert.match(await findings({ socket: balancer.socket('operator') }), /level operator, which may change nothing/);
    assert.match(await findings({ servers: { a: 'second', b: 'a' } }), /server world\/second is .*, but node a is/);
    const loose = await LocalBalancer.start('');
    try {
      const [finding] = await driverOf(loose).check();
      assert.match(finding?.what ?? '', /takes connections after a restart of haproxy/);
    } finally {
      await loose.close();
    }
  });

  it('passes on that it may not', async () => {
    await assert.rejects(driverOf(local, { socket: balancer.socket('operator') }).apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      message: /haproxy refuses `.*`: Permission denied/,
      hint: 'the "stats socket" needs "level admin"',
    });
  });

  it('gives up on a socket that does not answer', async () => {
    const folder = new TemporaryFolder();
    const mute = createServer(() => undefined).listen(`${folder.path}/mute.sock`);
    await once(mute, 'listening');
    const { scheduler } = realDeps;
    const hurried = { ...scheduler, after: (_ms: number, task: () => void) => scheduler.after(20, task) };
    const config: HaproxyConfig = {
      type: 'haproxy',
      socket: `${folder.path}/mute.sock`,
      backend: 'world',
      servers: {},
      virtual: null,
    };
    const deaf = new HaproxyDriver(config, 'world', [], { ...realDeps, scheduler: hurried });
    await assert.rejects(deaf.apply(wish({})), { name: 'HsctlError', code: 'timeout' });
    mute.close();
    folder.remove();
  });
});
