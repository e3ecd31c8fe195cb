import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { backendsOf, resolveAddress, resolveBackends } from '../../src/traffic/backends.ts';
import { type DirectorTraffic, makeDriver } from '../../src/traffic/make-driver.ts';
import { groupOf, realDeps } from './group.ts';

const GROUP = groupOf({ a: '10.0.0.11', b: '10.0.0.12' }, { a: 9001, b: null });
const virtual = { host: '10.0.0.100', port: 9000 };
const ipvs: DirectorTraffic = {
  type: 'ipvs',
  virtual,
  protocol: 'tcp',
  forwarding: 'nat',
  scheduler: 'fo',
  persistenceS: 0,
  fwmark: null,
  conntrack: null,
  setSysctls: true,
};

describe('makeDriver', () => {
  it('makes the driver of each entry, and touches nothing by it', async () => {
    const entries: readonly DirectorTraffic[] = [
      { type: 'proxy', listen: { host: '127.0.0.1', port: 1 }, holdMs: 1000 },
      { ...ipvs, protocol: 'udp', forwarding: 'dr' },
      { type: 'nft', virtual: { host: 'fd77::100', port: 9000 }, protocol: 'tcp' },
      { type: 'haproxy', socket: '/no/such.sock', backend: 'world', servers: {}, virtual: null },
      {
        type: 'dns',
        name: 'world.example.org',
        zone: 'example.org',
        server: { host: '127.0.0.1', port: 1 },
        key: '/no/such/key',
        ttlS: 5,
        addresses: {},
        timeoutMs: 1000,
      },
      { type: 'script', command: ['/no/such/script'], timeoutMs: 1000 },
    ];
    const run: typeof realDeps.run = () => assert.fail('no program may run yet');
    const drivers = entries.map((entry) => makeDriver(entry, GROUP, { ...realDeps, run }));
    assert.deepEqual(
      drivers.map(({ name }) => name),
      [
        'proxy 127.0.0.1:1',
        'ipvs udp 10.0.0.100:9000',
        'nft tcp [fd77::100]:9000',
        'haproxy world',
        'dns world.example.org',
        'script /no/such/script',
      ],
    );
    await Promise.all(drivers.map((driver) => driver.close()));
  });

  it('gives findings for a machine that lacks what a driver needs', async () => {
    const run: typeof realDeps.run = (command) => realDeps.run([`no-such-${command[0]}`], { timeoutMs: 20_000 });
    const deps = { ...realDeps, run };
    const what = async (entry: DirectorTraffic): Promise<readonly string[]> =>
      (await makeDriver(entry, GROUP, deps).check()).map((finding) => `${finding.what} -> ${finding.hint}`);
    assert.deepEqual((await what(ipvs))[0], 'no-such-ipvsadm: no such program -> apt-get install ipvsadm');
    assert.deepEqual(await what({ type: 'nft', virtual, protocol: 'tcp' }), [
      'no-such-nft: no such program -> apt-get install nftables',
    ]);
    assert.match((await what({ type: 'script', command: ['x'], timeoutMs: 1000 }))[0] ?? '', /no-such-x/);
  });
});

describe('backends', () => {
  it('are reached on the port of the app, or else that of the clients', () => {
    assert.deepEqual(backendsOf(GROUP, 9000), [
      { node: 'a', address: '10.0.0.11', port: 9001 },
      { node: 'b', address: '10.0.0.12', port: 9000 },
    ]);
  });

  it('are resolved to addresses of one family', async () => {
    assert.equal(await resolveAddress('localhost', 4), '127.0.0.1');
    assert.equal(await resolveAddress('2001:DB8:0:0::1', 6), '2001:db8::1');
    await assert.rejects(resolveBackends(backendsOf(GROUP, 9000), 6), {
      code: 'config',
      message: "10.0.0.11 is an IPv4 address, but the clients' address is IPv6",
    });
    await assert.rejects(resolveAddress('no-such-host.invalid', 4), {
      code: 'failed',
      message: /no IPv4 address found/,
    });
  });
});
