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
import { Balancer, FRONTEND_LIMIT, PROCESS_LIMIT } from './balancer.ts';

/** A real HAProxy of Debian's on loopback. */

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

function driverOf(balancer: Balancer, change: Partial<HaproxyConfig> = {}): HaproxyDriver {
  const config: HaproxyConfig = {
    type: 'haproxy',
    socket: balancer.socket(),
    backend: 'world',
    servers: { a: 'a', b: 'second' },
    frontend: 'entry',
    ...change,
  };
  const backends = balancer.apps.map(({ name, port }) => ({ node: name, address: '127.0.0.1', port }));
  return new HaproxyDriver(config, backends, realDeps);
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
    const balancer = await Balancer.start(options);
    return {
      makeDriver: () => driverOf(balancer),
      reach: () => nameFrom(new Client(balancer.port)),
      wait: async () => {
        const client = new Client(balancer.port);
        await once(client.socket, 'connect');
        return () => nameFrom(client);
      },
      state: () => balancer.state(),
      disturb: async () => {
        await balancer.ask('set server world/a state maint');
        await balancer.ask('set server world/second state ready');
        await balancer.ask('set maxconn frontend entry 0');
      },
      refuses: true,
      reset: () => balancer.restart(),
      close: () => balancer.close(),
    };
  });
}

describe('HaproxyDriver', () => {
  let balancer: Balancer;
  let driver: HaproxyDriver;
  before(async () => {
    balancer = await Balancer.start();
  });
  after(() => balancer.close());
  beforeEach(async () => {
    await balancer.restart();
    driver = driverOf(balancer);
  });
  afterEach(() => driver.close());

  const open = async (): Promise<Client> => {
    const client = new Client(balancer.port);
    assert.ok(await client.line());
    return client;
  };

  it('loses no request of clients that go on through a planned change', async () => {
    await driver.apply(wish({ active: 'a' }));
    let going = true;
    const served: string[] = [];
    const clients = Array.from({ length: 4 }, async () => {
      while (going) {
        const client = new Client(balancer.port);
        client.socket.write('request\n');
        const [name, answer] = [await client.line(), await client.line()];
        client.socket.destroy();
        served.push(answer === 'request' ? (name ?? 'nobody') : 'no answer');
      }
    });
    const before = await (async () => {
      try {
        await until('clients are served by a', () => served.length > 50);
        await driver.apply(wish({ hold: true }));
        await until('what was under way has ended', async () => (await driver.connections('a')) === 0);
        const soFar = served.length;
        await driver.apply(wish({ active: 'b', epoch: 2 }));
        await until('clients are served by b', () => served.length > soFar + 50);
        return soFar;
      } finally {
        going = false;
      }
    })();
    await Promise.all(clients);
    assert.deepEqual(new Set(served.slice(0, before)), new Set(['a']));
    assert.deepEqual(new Set(served.slice(before)), new Set(['b']));
  });

  it('lets present connections go on while new ones wait, and cuts what is left when the new master is there', async () => {
    await driver.apply(wish({ active: 'a' }));
    const client = await open();
    assert.equal(await driver.connections('a'), 1);
    await driver.apply(wish({ hold: true }));
    client.socket.write('still here\n');
    assert.equal(await client.line(), 'still here');
    await driver.apply(wish({ active: 'b', epoch: 2 }));
    assert.match(await client.over, /closed|ECONNRESET/);
    assert.equal(await driver.connections('a'), 0);
  });

  it('cuts the connections of a dead node at once', async () => {
    await driver.apply(wish({ active: 'a' }));
    const client = await open();
    await driver.apply(wish({ hold: true, dead: ['a'], epoch: 2 }));
    assert.match(await client.over, /closed|ECONNRESET/);
  });

  it('gives the frontend its former limit back, also one that another controller closed', async () => {
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ hold: true }));
    assert.match(await balancer.state(), /\n0$/);
    await driver.apply(wish({ active: 'b' }));
    assert.match(await balancer.state(), new RegExp(`\n${FRONTEND_LIMIT}$`));
    await driver.apply(wish({ hold: true }));
    await driverOf(balancer).apply(wish({ active: 'b' }));
    assert.match(await balancer.state(), new RegExp(`\n${PROCESS_LIMIT}$`));
  });

  it('without a frontend lets nobody wait, and leaves it alone', async () => {
    const plain = driverOf(balancer, { frontend: null });
    await plain.apply(wish({ active: 'a' }));
    await plain.apply(wish({ hold: true }));
    assert.equal(await nameFrom(new Client(balancer.port)), 'refused');
    assert.match(await balancer.state(), new RegExp(`\n${FRONTEND_LIMIT}$`));
  });

  it('brings a server up that checks of its own have marked down', async () => {
    const checked = await Balancer.start('disabled check inter 60s fall 1 rise 3');
    try {
      const driven = driverOf(checked);
      await driven.apply(wish({ active: 'a' }));
      await checked.ask('set server world/a health down');
      assert.equal(await nameFrom(new Client(checked.port)), 'refused');
      await driven.apply(wish({ active: 'a' }));
      assert.equal(await nameFrom(new Client(checked.port)), 'a');
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
      (await driverOf(balancer, change).check()).map(({ what, hint }) => `${what} -> ${hint}`).join('\n');
    assert.match(await findings({ socket: '/no/such.sock' }), /haproxy at \/no\/such.sock: .*ENOENT.*level admin/);
    assert.match(await findings({ backend: 'nowhere' }), /show servers state|show stat.*haproxy.cfg/);
    assert.match(
      await findings({ servers: { a: 'a', b: 'third' } }),
      /no server world\/third -> .*servers: \{ b: NAME/,
    );
    assert.match(await findings({ frontend: 'exit' }), /frontend|show stat/);
    assert.match(await findings({ socket: balancer.socket('operator') }), /level operator, which may change nothing/);
    assert.match(await findings({ servers: { a: 'second', b: 'a' } }), /server world\/second is .*, but node a is/);
    const loose = await Balancer.start('');
    try {
      const [finding] = await driverOf(loose).check();
      assert.match(finding?.what ?? '', /takes connections after a restart of haproxy/);
    } finally {
      await loose.close();
    }
  });

  it('passes on that it may not', async () => {
    await assert.rejects(driverOf(balancer, { socket: balancer.socket('operator') }).apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      message: /haproxy refuses `.*`: Permission denied/,
      hint: 'The `stats socket` needs `level admin`.',
    });
  });

  it('gives up on a socket that does not answer', async () => {
    const folder = new TemporaryFolder();
    const mute = createServer(() => undefined).listen(`${folder.path}/mute.sock`);
    await once(mute, 'listening');
    const scheduler = {
      ...realDeps.scheduler,
      after: (_: number, task: () => void) => realDeps.scheduler.after(20, task),
    };
    const config = {
      type: 'haproxy',
      socket: `${folder.path}/mute.sock`,
      backend: 'w',
      servers: {},
      frontend: null,
    } as const;
    const hurried = new HaproxyDriver(config, [], { ...realDeps, scheduler });
    await assert.rejects(hurried.apply(wish({})), { name: 'HsctlError', code: 'timeout' });
    mute.close();
    folder.remove();
  });
});
