import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig } from '../../src/config/read.ts';
import { formatProblem } from '../../src/config/problem.ts';

const NODES = `    nodes:
      a: { address: 10.0.0.11 }
      b: { address: 10.0.0.12 }
`;

/** The problems of a cluster with one group, as lines without the file's name and place. */
function linesOf(group: string, nodes = NODES): { errors: string[]; warnings: string[] } {
  const text = `cluster: demo\ntls: { dir: /etc/hsctl/tls }\ngroups:\n  world:\n${nodes}${group}`;
  const { errors, warnings } = readConfig(text);
  const line = (problem: (typeof errors)[number]): string => formatProblem('f', problem).replace(/^f:\d+:\d+: /, '');
  return { errors: errors.map(line), warnings: warnings.map(line) };
}

describe('warnings', () => {
  for (const [what, group, expected] of [
    [
      'a vip under a lease that the kernel cannot follow',
      '    profile: fast\n    traffic: [{ type: vip, address: 10.0.0.9/32, interface: eth0 }]\n',
      "groups.world.traffic[0]: a silent machine's kernel keeps the address for up to 1.25s, so its takeover waits longer than the lease of 180ms; lead traffic by proxy, ipvs or nft instead, use failover.lease: 1s or more, or fence the silent machine (failover.fence: always)",
    ],
    [
      'silence that is noticed after the lease',
      '    failover: { detect: 2s }\n    traffic: [{ type: script, command: [/bin/true] }]\n',
      'groups.world.failover.detect: silence is noticed after 2s only, though the lease of 1s has run out before; use detect: 1s or less, unless slow failover is wanted',
    ],
    [
      'two machines that answer for one address',
      '    app: { port: 80 }\n    traffic:\n      - { type: ipvs, virtual: 10.0.0.9:80, forwarding: tun }\n      - { type: vip, address: 10.0.0.9/32, interface: eth0 }\n',
      'groups.world.traffic[0].virtual: the director and the master both answer for 10.0.0.9; put the vip on interface lo, with arp_ignore=1 and arp_announce=2, so that only the director answers',
    ],
    [
      'a scheduler that knows no spare server',
      '    app: { port: 80 }\n    traffic: [{ type: ipvs, virtual: 10.0.0.9:80, scheduler: sh }]\n',
      'groups.world.traffic[0].scheduler: scheduler sh leads some clients to the node that does not serve, and the kernel refuses them; use fo',
    ],
    [
      'restarts of an app that something else runs',
      '    app: { restart: { times: 3 } }\n    traffic: [{ type: script, command: [/bin/true] }]\n',
      'groups.world.app.restart: the agent does not run the app, so it restarts nothing; add run, or remove restart',
    ],
    [
      'no way for clients to the master',
      '',
      'groups.world.traffic: no traffic driver: clients have to find the master by themselves; add one, like { type: vip, ... }',
    ],
  ] as const) {
    it(`tell of ${what}, and refuse nothing`, () => {
      assert.deepEqual(linesOf(group), { errors: [], warnings: [expected] });
    });
  }

  it('are silent about a vip with a lease of a second', () => {
    const group = '    traffic: [{ type: vip, address: 10.0.0.9/32, interface: eth0 }]\n';
    assert.deepEqual(linesOf(group), { errors: [], warnings: [] });
  });
});

describe('checks', () => {
  it('let two machines use the same ports, sockets and loopback endpoints', () => {
    const group =
      '    app: { port: 9000, socket: /run/w.sock, listen: "127.0.0.1:6379" }\n    traffic: [{ type: proxy, listen: 10.0.0.10:9000 }]\n';
    assert.deepEqual(linesOf(group), { errors: [], warnings: [] });
  });

  it('let nodes with names be reached from addresses of both IP versions', () => {
    const nodes = '    nodes:\n      a: { address: a.example }\n      b: { address: b.example }\n';
    const group =
      '    app: { port: 80 }\n    traffic:\n      - { type: ipvs, virtual: 10.0.0.9:80 }\n      - { type: nft, virtual: "[fd00::9]:80" }\n';
    assert.deepEqual(linesOf(group, nodes), { errors: [], warnings: [] });
  });

  it('see through different spellings of one address', () => {
    const nodes = `    nodes:
      a: { address: "fd00::1" }
      b: { address: "FD00:0:0::1" }
`;
    const { errors } = linesOf('', nodes);
    assert.equal(errors.length, 2);
    assert.match(
      errors[0] ?? '',
      /nodes\.b\.control: \[FD00:0:0::1\]:7401 is taken by groups\.world\.nodes\.a\.control/,
    );
  });

  it('compare groups with each other even where the head of the file is wrong', () => {
    const text = `cluster: DEMO\ngroups:\n  one:\n${NODES}  two:\n${NODES}`;
    assert.deepEqual(
      readConfig(text).errors.map((problem) => problem.path),
      [
        'cluster',
        'groups.two.nodes.a.control',
        'groups.two.nodes.a.replication',
        'groups.two.nodes.b.control',
        'groups.two.nodes.b.replication',
      ],
    );
  });

  it('take lists and sections from anchors, and place problems where the value stands', () => {
    const text = `cluster: demo
tls: { dir: /etc/hsctl/tls }
groups:
  one:
    nodes: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }
    failover: &failover { lease: 2s, detect: 50ms }
  two:
    nodes: { a: { address: 10.0.0.3 }, b: { address: 10.0.0.4 } }
    failover: *failover
`;
    const { errors } = readConfig(text);
    assert.deepEqual(
      errors.map(({ path, line, column }) => `${path} ${line}:${column}`),
      ['groups.one.failover.detect 6:46', 'groups.two.failover.detect 6:46'],
    );
  });

  it('give two nodes on one machine their own socket and directory', () => {
    const text = `cluster: demo
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 1, replication: 2, port: 3 }
      b: { address: localhost, control: 4, replication: 5, port: 6 }
`;
    const nodes = readConfig(text).config?.groups[0]?.nodes;
    assert.deepEqual(
      nodes?.map(({ socket, store, appPort }) => ({ socket, store, appPort })),
      [
        { socket: '/run/hsctl/world-a.sock', store: '/var/lib/hsctl/world-a', appPort: 3 },
        { socket: '/run/hsctl/world-b.sock', store: '/var/lib/hsctl/world-b', appPort: 6 },
      ],
    );
  });
});
