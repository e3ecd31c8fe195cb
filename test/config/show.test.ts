import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { groupDigest } from '../../src/config/digest.ts';
import { loadConfig, parseConfig } from '../../src/config/load.ts';
import { showConfig } from '../../src/config/show.ts';
import { formatDuration } from '../../src/kit/units.ts';

const example = fileURLToPath(new URL('../../scripts/example.yaml', import.meta.url));

function duration(leastMs: number, mostMs: number): fc.Arbitrary<string> {
  return fc.integer({ min: leastMs, max: mostMs }).map(formatDuration);
}

const optional = { requiredKeys: ['type'] as 'type'[] };
const command = fc.array(fc.stringMatching(/^[ -~]{1,20}$/), { minLength: 1, maxLength: 4 });
const word = fc.stringMatching(/^[!-~]{1,12}$/);
const path = fc.stringMatching(/^\/[!-~]{1,12}$/);
const counted = { fall: fc.integer({ min: 1, max: 100 }), rise: fc.integer({ min: 1, max: 100 }) };

const probe = fc.oneof(
  fc.record(
    { type: fc.constant('tcp'), interval: duration(5000, 9000), timeout: duration(10, 150), ...counted },
    optional,
  ),
  fc.record(
    {
      type: fc.constant('http'),
      port: fc.integer({ min: 1, max: 65_535 }),
      path,
      host: fc.constantFrom('example.org', '::1'),
      status: fc.array(fc.constantFrom(200, '200-299', '301', '404-404'), { minLength: 1 }),
      contains: word,
    },
    optional,
  ),
  fc.record(
    {
      type: fc.constant('https'),
      headers: fc.dictionary(fc.stringMatching(/^[A-Za-z-]{1,9}$/), word, { maxKeys: 3, noNullPrototype: true }),
      digest: fc.constant(`md5:${'0'.repeat(32)}`),
      verify: fc.constant(true),
      ca: path,
      warnBefore: duration(0, 86_400_000),
      source: fc.constantFrom('10.0.0.1', 'fd00::1'),
    },
    { requiredKeys: ['type', 'verify', 'ca'] },
  ),
  fc.record(
    {
      type: fc.constant('file'),
      path,
      maxAge: duration(1000, 86_400_000),
      from: fc.constantFrom('both', 'controller'),
    },
    { requiredKeys: ['type', 'path'] },
  ),
  fc.record({ type: fc.constant('postgres'), user: word, query: fc.constant('select 1') }),
  fc.record({
    type: fc.constantFrom('all', 'any'),
    of: fc.constant([{ type: 'ping' }, { type: 'dns', name: 'x.org', fall: 1 }]),
  }),
  fc.record({ type: fc.constant('exec'), command }),
);

const traffic = fc.oneof(
  fc.record(
    { type: fc.constant('proxy'), listen: fc.constant('[::]:99'), hold: duration(0, 600_000) },
    { requiredKeys: ['type', 'listen'] },
  ),
  fc.record({
    type: fc.constant('vip'),
    address: fc.constantFrom('10.1.1.1/24', 'fd00::9/128'),
    interface: fc.constant('eth0'),
    label: fc.constantFrom('eth0:hs', 'eth0:web'),
    routes: fc.array(fc.constantFrom('default via 10.0.0.1 table 100', '10.2.0.0/16 dev eth0'), { maxLength: 2 }),
    rules: fc.array(fc.constantFrom('from 10.1.1.1 table 100'), { maxLength: 1 }),
    announce: fc.record(
      { count: fc.integer({ min: 1, max: 100 }), refresh: duration(1000, 86_400_000) },
      { requiredKeys: [] },
    ),
  }),
  fc.record(
    {
      type: fc.constant('ipvs'),
      virtual: fc.constant('10.1.1.2:9000'),
      protocol: fc.constantFrom('tcp', 'udp'),
      forwarding: fc.constantFrom('nat', 'dr', 'tun'),
      scheduler: fc.constantFrom('fo', 'wlc'),
      persistence: fc.integer({ min: 0, max: 86_400 }).map((seconds) => `${seconds}s`),
      fwmark: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
      conntrack: fc.boolean(),
      sysctls: fc.constantFrom('set', 'check'),
    },
    { requiredKeys: ['type', 'virtual'] },
  ),
  fc.record(
    {
      type: fc.constant('haproxy'),
      socket: fc.constant('/run/haproxy.sock'),
      backend: fc.constantFrom('world', 'be_1.2:3'),
      servers: fc.record({ a: fc.constant('one'), zed: fc.constant('two') }, { requiredKeys: [] }),
      virtual: fc.constantFrom('10.1.1.3:9000', '[::]:9000'),
    },
    { requiredKeys: ['type', 'socket', 'backend'] },
  ),
  fc.record(
    {
      type: fc.constant('dns'),
      name: fc.constantFrom('World.example.org', 'world.example.org.'),
      zone: fc.constantFrom('example.org', 'example.org.'),
      server: fc.constantFrom('10.0.0.53:53', 'ns.example.org:53'),
      key: fc.constant('/etc/hsctl/dns.key'),
      ttl: fc.integer({ min: 1, max: 86_400 }).map((seconds) => `${seconds}s`),
      addresses: fc.record({ a: fc.constant(['192.0.2.1', '2001:db8::1']) }, { requiredKeys: [] }),
      timeout: duration(10, 600_000),
    },
    { requiredKeys: ['type', 'name', 'zone', 'server', 'key'] },
  ),
  fc.record({ type: fc.constant('script'), command }),
);

const group = fc.record(
  {
    profile: fc.constantFrom('fast', 'balanced', 'wan'),
    nodes: fc.constant({ zed: { address: '10.0.0.1', control: 1, replication: 2 }, a: { address: '10.0.0.2' } }),
    app: fc.record(
      {
        probe,
        heartbeat: fc.record(
          { interval: duration(10, 60_000), misses: fc.integer({ min: 2, max: 100 }) },
          { requiredKeys: [] },
        ),
        run: command,
        promote: command,
        hookTimeout: duration(10, 5000),
        restart: fc.record({ times: fc.nat(1000) }),
        socket: word.map((name) => `/run/socket-${name.replaceAll('/', '-')}`),
        port: fc.constant(9000),
      },
      { requiredKeys: ['port'] },
    ),
    traffic: traffic.map((driver) => [driver]),
    replication: fc.record(
      {
        fsync: fc.oneof(fc.constant('always'), duration(1, 10_000)),
        catchUpRate: fc.constantFrom('unlimited', '5MiB/s', '65537B/s'),
        segmentSize: fc.oneof(fc.constant('1GiB'), fc.integer({ min: 2 ** 20, max: 2 ** 30 })),
        store: word.map((name) => `/srv/store-${name.replaceAll('/', '-')}`),
      },
      { requiredKeys: [] },
    ),
    failover: fc.record(
      {
        mode: fc.constantFrom('auto', 'manual'),
        stallTimeout: duration(15_000, 3_600_000),
        holdDown: duration(0, 86_400_000),
        prefer: fc.constant('a'),
      },
      { requiredKeys: [] },
    ),
  },
  { requiredKeys: ['nodes', 'app'] },
);

describe('showConfig', () => {
  it('shows the example so that it loads to the same', () => {
    const { config } = loadConfig(example);
    const shown = showConfig(config);
    assert.deepEqual(parseConfig(shown, 'shown').config, config);
    assert.match(shown, /^ {6}stallTimeout: 2s$/m);
    assert.match(shown, /^ {6}catchUpRate: 100MiB\/s$/m);
    assert.match(shown, /^ {6}tombstones: 1d$/m);
  });

  it('shows any configuration so that it loads to the same', () => {
    fc.assert(
      fc.property(group, (world) => {
        const { config } = parseConfig(stringify({ cluster: 'c', tls: { dir: '/tls' }, groups: { world } }), 'f');
        const shown = showConfig(config);
        assert.deepEqual(parseConfig(shown, 'shown').config, config);
      }),
    );
  });
});

describe('groupDigest', () => {
  const digestOf = (text: string): string => {
    const { config } = parseConfig(text, 'f');
    const [first] = config.groups;
    assert.ok(first !== undefined);
    return groupDigest(config.cluster, first);
  };
  const base =
    'cluster: c\ngroups: { w: { nodes: { a: { address: 127.0.0.1, control: 1 }, b: { address: 127.0.0.2 } } } }';

  it('is the same however the file is written', () => {
    const other = `# words
groups:
  w:
    profile: balanced
    nodes: { a: { control: 1, address: 127.0.0.1 }, b: { address: 127.0.0.2, replication: 7402 } }
    failover: { lease: 1000ms }
cluster: c
`;
    assert.equal(digestOf(base), digestOf(other));
    assert.match(digestOf(base), /^[0-9a-f]{16}$/);
  });

  it('differs where something in force differs', () => {
    const others = [
      base.replace('control: 1', 'control: 2'),
      base.replace('cluster: c', 'cluster: d'),
      base.replace('w: {', 'v: {'),
      base.replace('w: {', 'w: { profile: wan,'),
    ];
    assert.equal(new Set([base, ...others].map(digestOf)).size, 5);
  });
});
