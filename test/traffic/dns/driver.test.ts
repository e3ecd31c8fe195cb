import assert from 'node:assert/strict';
import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { type DnsConfig, DnsDriver } from '../../../src/traffic/dns/driver.ts';
import { freePorts } from '../../rig/free-ports.ts';
import { Client, EchoServer } from '../echo-server.ts';
import { realDeps } from '../group.ts';
import { registerDriverTests } from '../register-driver-tests.ts';
import { TemporaryFolder } from '../temporary-folder.ts';
import { NAME, NameServer, type NameServerKind, ZONE } from './name-server.ts';

/** Real name servers of Debian's on loopback. */

const ADDRESSES = { a: ['127.0.0.11', 'fd77::11'], b: ['127.0.0.12', 'fd77::12'] } as const;
const BACKENDS = (['a', 'b'] as const).map((node) => ({ node, address: ADDRESSES[node][0], port: 0 }));
const KINDS: readonly NameServerKind[] = ['knot', 'bind'];

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

function driverOf(server: NameServer, change: Partial<DnsConfig> = {}, deps = realDeps): DnsDriver {
  const config: DnsConfig = {
    type: 'dns',
    name: NAME,
    zone: ZONE,
    server: { host: '127.0.0.1', port: server.port },
    key: server.key('hsctl'),
    ttlS: 5,
    addresses: ADDRESSES,
    timeoutMs: 10_000,
    ...change,
  };
  return new DnsDriver(config, BACKENDS, deps);
}

for (const kind of KINDS) {
  registerDriverTests(`dns, ${kind}`, async () => {
    const server = await NameServer.start(kind);
    const [port = 0] = await freePorts(1);
    const apps = await Promise.all(
      (['a', 'b'] as const).map((node) => new EchoServer(node).listen(port, ADDRESSES[node][0])),
    );
    return {
      makeDriver: () => driverOf(server),
      reach: async () => {
        const [found] = await server.lookUp(4);
        if (found === undefined) return 'refused';
        const client = new Client(port, found.address);
        const name = await client.line();
        client.socket.destroy();
        return name === 'a' || name === 'b' ? name : 'refused';
      },
      wait: null,
      state: async () => String(await server.serial()),
      disturb: () => server.update(`update delete ${NAME}. A`, `update add ${NAME}. 60 A 127.0.0.12`),
      refuses: false,
      reset: () => server.update(`update delete ${NAME}. A`, `update delete ${NAME}. AAAA`),
      close: async () => {
        await Promise.all(apps.map((app) => app.close()));
        await server.close();
      },
    };
  });

  describe(`DnsDriver with ${kind}`, () => {
    let server: NameServer;
    before(async () => {
      server = await NameServer.start(kind);
    });
    after(() => server.close());
    beforeEach(() => server.update(`update delete ${NAME}. A`, `update delete ${NAME}. AAAA`));

    const refusal = async (driver: DnsDriver): Promise<string> => {
      try {
        await driver.apply(wish({ active: 'a' }));
      } catch (error) {
        assert.ok(error instanceof Error && error.name === 'HsctlError' && 'hint' in error);
        return `${error.message} -> ${String(error.hint)}`;
      }
      return assert.fail('it was agreed to');
    };

    it('leads the name to all addresses of the node, of both families, with the time to live', async () => {
      await driverOf(server, { ttlS: 7 }).apply(wish({ active: 'b' }));
      assert.deepEqual(
        [await server.lookUp(4), await server.lookUp(6)],
        [[{ address: '127.0.0.12', ttl: 7 }], [{ address: 'fd77::12', ttl: 7 }]],
      );
      await driverOf(server, { ttlS: 7, addresses: { a: ['127.0.0.11'], b: [] } }).apply(wish({ active: 'a' }));
      assert.deepEqual([await server.lookUp(4), await server.lookUp(6)], [[{ address: '127.0.0.11', ttl: 7 }], []]);
    });

    it('repairs addresses beside its own, another time to live, and an alias', async () => {
      const driver = driverOf(server);
      for (const disturbance of [
        [`update add ${NAME}. 5 A 127.0.0.13`],
        [`update delete ${NAME}. A`, `update add ${NAME}. 3600 A 127.0.0.11`],
        [`update delete ${NAME}. AAAA`],
        [`update delete ${NAME}.`, `update add ${NAME}. 5 CNAME other.${ZONE}.`],
      ]) {
        await driver.apply(wish({ active: 'a' }));
        await server.update(...disturbance);
        await driver.apply(wish({ active: 'a' }));
        assert.deepEqual(
          [await server.lookUp(4), await server.lookUp(6)],
          [[{ address: '127.0.0.11', ttl: 5 }], [{ address: 'fd77::11', ttl: 5 }]],
        );
      }
    });

    it('finds nothing wrong with a server that agrees, and changes nothing to learn that', async () => {
      const serial = await server.serial();
      assert.deepEqual(await driverOf(server).check(), []);
      assert.equal(await server.serial(), serial);
    });

    it('tells of a key that the server does not know', async () => {
      assert.match(
        await refusal(driverOf(server, { key: server.key('stranger') })),
        /refuses \(BADKEY\): it knows no key stranger\. with hmac-sha256 that may do this -> add the key to the server/,
      );
    });

    it('tells of a wrong secret', async () => {
      assert.match(
        await refusal(driverOf(server, { key: server.key('forged') })),
        /refuses \(BADSIG\): it has another secret under the name hsctl\. -> copy the key file/,
      );
    });

    it('tells of a clock that is off, and by how much', async () => {
      const scheduler = { ...realDeps.scheduler, wallMs: () => realDeps.scheduler.wallMs() - 3_600_000 };
      assert.match(
        await refusal(driverOf(server, {}, { ...realDeps, scheduler })),
        /refuses \(BADTIME\): its clock and ours differ too much: its clock is 3[56]\d\d s ahead of ours -> set both/,
      );
    });

    it('tells of a key that may not change the name', async () => {
      const driver = driverOf(server, { key: server.key('reader') });
      assert.match(
        await refusal(driver),
        // Knot DNS says that it does not know a key which may do nothing.
        kind === 'knot' ? /BADKEY.*acl/ : /refuses \(REFUSED\): key reader\. may not do this in zone/,
      );
      assert.equal((await driver.check()).length, 1);
    });

    it('tells of a zone that the server does not have', async () => {
      const elsewhere = { name: 'world.other.test', zone: 'other.test' };
      assert.match(await refusal(driverOf(server, elsewhere)), /refuses \((REFUSED|NOTAUTH)\)/);
    });
  });
}

describe('DnsDriver', () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });
  const pretend = async (onSocket: (socket: Socket) => void): Promise<number> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  };
  const config: DnsConfig = {
    type: 'dns',
    name: NAME,
    zone: ZONE,
    server: { host: '127.0.0.1', port: 1 },
    key: '/dev/null',
    ttlS: 5,
    addresses: ADDRESSES,
    timeoutMs: 10_000,
  };

  it('says what is wrong with its key file', async () => {
    await assert.rejects(
      new DnsDriver({ ...config, key: '/no/such' }, BACKENDS, realDeps).apply(wish({ active: 'a' })),
      {
        name: 'HsctlError',
        message: /the key \/no\/such cannot be read: ENOENT/,
      },
    );
    await assert.rejects(new DnsDriver(config, BACKENDS, realDeps).apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      message: '/dev/null: no key found in it',
    });
  });

  it('gives up on a server that is not there, hangs up, is silent, or talks nonsense', async () => {
    const folder = new TemporaryFolder();
    folder.write('key', `hmac-sha256:hsctl:${Buffer.alloc(32).toString('base64')}`);
    try {
      const failure = async (port: number, timeoutMs: number): Promise<string> => {
        const server = { host: '127.0.0.1', port };
        const driver = new DnsDriver({ ...config, server, timeoutMs, key: `${folder.path}/key` }, BACKENDS, realDeps);
        const [finding] = await driver.check();
        return finding?.what ?? '';
      };
      const [unused = 0] = await freePorts(1);
      assert.match(await failure(unused, 10_000), /cannot be asked: .*ECONNREFUSED/);
      assert.match(await failure(await pretend((socket) => socket.destroy()), 10_000), /hangs up|ECONNRESET/);
      assert.match(await failure(await pretend(() => undefined), 50), /no answer within 50 ms/);
      const nonsense = await pretend((socket) => socket.on('data', () => socket.write(Buffer.from([0, 3, 1, 2, 3]))));
      assert.match(await failure(nonsense, 10_000), /not a message of a name server: it ends too early/);
      const echo = await pretend((socket) => socket.pipe(socket));
      assert.match(await failure(echo, 10_000), /answers something that was not asked/);
    } finally {
      folder.remove();
    }
  });
});
