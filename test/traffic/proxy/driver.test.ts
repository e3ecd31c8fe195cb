import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { ProxyDriver } from '../../../src/traffic/proxy/driver.ts';
import { Client, EchoServer } from '../echo-server.ts';
import { realDeps } from '../group.ts';
import { registerDriverTests } from '../register-driver-tests.ts';
import { until } from '../../rig/until.ts';

const LISTEN = { host: '127.0.0.1', port: 0 };

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

async function serversAB(): Promise<readonly [EchoServer, EchoServer]> {
  return [await new EchoServer('a').listen(), await new EchoServer('b').listen()];
}

function backendsOf(servers: readonly EchoServer[]): { node: string; address: string; port: number }[] {
  return servers.map(({ name, port }) => ({ node: name, address: '127.0.0.1', port }));
}

registerDriverTests('proxy', async () => {
  const servers = await serversAB();
  let driver: ProxyDriver | null = null;
  const connectToProxy = (): Client => new Client(driver?.port ?? 0);
  const nameFrom = async (client: Client): Promise<'a' | 'b' | 'refused'> => {
    const name = await client.line();
    client.socket.destroy();
    return name === 'a' || name === 'b' ? name : 'refused';
  };
  return {
    makeDriver: () => (driver = new ProxyDriver(LISTEN, 60_000, backendsOf(servers), realDeps)),
    reach: () => nameFrom(connectToProxy()),
    wait: async () => {
      const client = connectToProxy();
      await once(client.socket, 'connect');
      return () => nameFrom(client);
    },
    state: async () => null,
    disturb: null,
    refuses: true,
    reset: async () => undefined,
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
});

describe('ProxyDriver', () => {
  let a: EchoServer;
  let b: EchoServer;
  let proxy: ProxyDriver;
  beforeEach(async () => {
    [a, b] = await serversAB();
    proxy = new ProxyDriver(LISTEN, 60_000, backendsOf([a, b]), realDeps);
  });
  afterEach(async () => {
    await Promise.all([proxy.close(), a.close(), b.close()]);
  });

  const open = async (): Promise<Client> => {
    const client = new Client(proxy.port);
    assert.ok(await client.line());
    return client;
  };

  it('counts the connections of each node', async () => {
    await proxy.apply(wish({ active: 'a' }));
    const clients = [await open(), await open()];
    assert.deepEqual([await proxy.connections('a'), await proxy.connections('b')], [2, 0]);
    for (const { socket } of clients) socket.end();
    await Promise.all(clients.map(({ over }) => over));
    await until('no connection left', async () => (await proxy.connections('a')) === 0);
  });

  it('resets the connections of a dead node at once, and holds its new ones', async () => {
    await proxy.apply(wish({ active: 'a' }));
    const client = await open();
    await proxy.apply(wish({ hold: true, dead: ['a'], epoch: 2 }));
    assert.equal(await client.over, 'ECONNRESET');
    const held = new Client(proxy.port);
    await once(held.socket, 'connect');
    await proxy.apply(wish({ active: 'b', dead: ['a'], epoch: 2 }));
    assert.equal(await held.line(), 'b');
    held.socket.destroy();
  });

  it('lets present connections go on during a planned change, and cuts what is left when the new master is there', async () => {
    await proxy.apply(wish({ active: 'a' }));
    const client = await open();
    await proxy.apply(wish({ hold: true }));
    client.socket.write('still here\n');
    assert.equal(await client.line(), 'still here');
    await proxy.apply(wish({ active: 'b', epoch: 2 }));
    assert.equal(await client.over, 'ECONNRESET');
    await until('the old master has no connection left', () => a.sockets.size === 0);
  });

  it('resets everybody when nobody serves', async () => {
    await proxy.apply(wish({ active: 'a' }));
    const client = await open();
    await proxy.apply(wish({ hold: true }));
    const held = new Client(proxy.port);
    await once(held.socket, 'connect');
    await proxy.apply(wish({}));
    assert.equal(await client.over, 'ECONNRESET');
    assert.equal(await held.over, 'ECONNRESET');
  });

  it('tries again while the active node refuses', async () => {
    const { port } = b;
    await b.close();
    await proxy.apply(wish({ active: 'b' }));
    const client = new Client(proxy.port);
    await once(client.socket, 'connect');
    b = await new EchoServer('b').listen(port);
    assert.equal(await client.line(), 'b');
    client.socket.destroy();
  });

  it('resets a client that has waited for holdMs', async () => {
    const impatient = new ProxyDriver(LISTEN, 50, backendsOf([a, b]), realDeps);
    await impatient.apply(wish({ hold: true }));
    const client = new Client(impatient.port);
    assert.equal(await client.over, 'ECONNRESET');
    await impatient.close();
  });

  it('passes each direction to its end (half-close), and keeps what a client sent while it waited', async () => {
    await proxy.apply(wish({ hold: true }));
    const client = new Client(proxy.port);
    client.socket.end('said early\n');
    await once(client.socket, 'connect');
    await proxy.apply(wish({ active: 'a' }));
    assert.equal(await client.line(), 'a');
    assert.equal(await client.line(), 'said early');
    assert.equal(await client.over, 'closed');
  });

  it('carries many bytes to a slow reader unharmed, with backpressure', async () => {
    const bytes = 24 * 1024 * 1024;
    let sender: Socket | null = null;
    const source = createServer((socket: Socket) => {
      sender = socket;
      socket.on('error', () => undefined);
      socket.end(Buffer.alloc(bytes, 7));
    });
    source.listen(0, '127.0.0.1');
    await once(source, 'listening');
    const address = source.address();
    assert.ok(address !== null && typeof address === 'object');
    const driver = new ProxyDriver(LISTEN, 60_000, [{ node: 'a', address: '127.0.0.1', port: address.port }], realDeps);
    await driver.apply(wish({ active: 'a' }));
    const client = new Client(driver.port);
    client.socket.removeAllListeners('data');
    client.socket.setEncoding('latin1');
    client.socket.pause();
    await once(client.socket, 'connect');
    let unsent = -1;
    await until('nothing moves any more', () => {
      const before = unsent;
      unsent = sender?.writableLength ?? -1;
      return unsent !== -1 && unsent === before;
    });
    assert.ok(unsent > 0, 'the proxy took more than it could pass on');
    let received = 0;
    client.socket.on('data', (text: string) => {
      received += text.length;
    });
    client.socket.resume();
    await once(client.socket, 'end');
    assert.equal(received, bytes);
    client.socket.end();
    await client.over;
    await driver.close();
    source.close();
  });

  it('passes on that the app resets', async () => {
    await proxy.apply(wish({ active: 'a' }));
    const client = await open();
    for (const socket of a.sockets) socket.resetAndDestroy();
    assert.equal(await client.over, 'ECONNRESET');
    assert.equal(await proxy.connections('a'), 0);
  });

  it('says what is wrong when it cannot listen, and can be tried again', async () => {
    const blocked = new ProxyDriver({ host: '127.0.0.1', port: a.port }, 1000, backendsOf([b]), realDeps);
    await assert.rejects(blocked.apply(wish({ active: 'b' })), { name: 'HsctlError', code: 'failed' });
    await a.close();
    await blocked.apply(wish({ active: 'b' }));
    const client = new Client(blocked.port);
    assert.equal(await client.line(), 'b');
    client.socket.destroy();
    await blocked.close();
    await a.listen();
  });
});
