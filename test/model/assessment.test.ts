import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assessCluster, assessGroup, worse, type GroupFacts } from '../../src/model/assessment.ts';
import { clusterStatusSchema, SEVERITIES, type Severity } from '../../src/model/status.ts';
import { clusterOf, factsOf, groupOf, nodeOf, NOW_MS } from './statuses.ts';

const master = (change: Parameters<typeof nodeOf>[1]) =>
  nodeOf('a', { role: 'master', phase: 'ready', lag: null, ...change });
const DAY_MS = 86_400_000;
const notServing = { serving: false, lease: { holder: null, from: 'none', remainingMs: 0 } } as const;
const alone = { protectedBy: [], inSync: ['a'] };

const CASES: readonly [what: string, change: Partial<GroupFacts>, severity: Severity, summary: string][] = [
  ['all is well', {}, 'ok', 'a serves, protected by b'],
  ['manual mode', { mode: 'manual' }, 'ok', 'a serves, protected by b; fails over only by hand'],
  [
    'nothing served yet',
    { stage: 'none', master: null, serving: false, reason: 'b was never heard', protectedBy: [] },
    'critical',
    'no node has served yet (b was never heard)',
  ],
  [
    'fencing',
    { stage: 'fencing', master: 'b', ...notServing },
    'critical',
    'b is to take over, the former master is being fenced',
  ],
  ['promoting', { stage: 'promoting', master: 'b', ...notServing }, 'critical', 'b is taking over'],
  [
    'promoting, but its app is not there',
    {
      stage: 'promoting',
      master: 'b',
      ...notServing,
      nodes: [
        master({ role: 'slave', phase: null }),
        nodeOf('b', { app: 'absent', appDetail: 'no app has joined yet' }),
      ],
    },
    'critical',
    'b is taking over: the app of b is absent (no app has joined yet)',
  ],
  ['quiescing', { stage: 'quiescing' }, 'warning', 'a is handing over'],
  [
    'master silent, its lease over',
    { ...notServing, nodes: [master({ linked: false, silentMs: 3_200 }), nodeOf('b')] },
    'critical',
    'nobody serves: a silent for 3.2s',
  ],
  [
    "master out of the controller's sight, under the slave's lease",
    {
      serving: false,
      lease: { holder: 'a', from: 'slave', remainingMs: 700 },
      nodes: [master({ linked: false, silentMs: 3_200 }), nodeOf('b')],
    },
    'warning',
    "a serves under the slave's lease; a silent for 3.2s",
  ],
  [
    'app of the master down',
    { ...notServing, nodes: [master({ app: 'down', appDetail: 'exit code 1' }), nodeOf('b')] },
    'critical',
    'nobody serves: the app of a is down (exit code 1)',
  ],
  [
    'trouble of the master',
    { ...notServing, nodes: [master({ trouble: 'the disk is full' }), nodeOf('b')] },
    'critical',
    'nobody serves: a: the disk is full',
  ],
  ['master without lease', { ...notServing }, 'critical', 'nobody serves: a has no lease'],
  [
    'master still promoting',
    { ...notServing, nodes: [master({ phase: 'promoting' }), nodeOf('b')] },
    'critical',
    'nobody serves: a is promoting',
  ],
  [
    'alone, slave silent',
    { ...alone, nodes: [master({}), nodeOf('b', { linked: false, silentMs: 65_000, inSync: false })] },
    'warning',
    'a is alone, no protection: b silent for 1m 5s',
  ],
  [
    'alone, slave never heard',
    { ...alone, nodes: [master({}), nodeOf('b', { linked: false, silentMs: null, role: null })] },
    'warning',
    'a is alone, no protection: b was never heard',
  ],
  [
    'alone, slave catching up',
    {
      ...alone,
      nodes: [
        master({}),
        nodeOf('b', { inSync: false, catchUp: { doneBytes: 40, totalBytes: 100, bytesPerSecond: 7 } }),
      ],
    },
    'warning',
    'a is alone, no protection: b is catching up (40%)',
  ],
  [
    'alone, slave diverged',
    {
      ...alone,
      nodes: [
        master({}),
        nodeOf('b', {
          role: 'diverged',
          divergence: { ownEnd: { epoch: 6, seq: 9 }, peerEnd: { epoch: 7, seq: 12 }, forkSeq: 5, acknowledgedFrom: 6 },
        }),
      ],
    },
    'warning',
    'a is alone, no protection: b has acknowledged records that the master lacks',
  ],
  [
    'alone, slave drained',
    { protectedBy: [], drained: ['b'], nodes: [master({}), nodeOf('b', { drained: true })] },
    'warning',
    'a is alone, no protection: b is drained',
  ],
  ['paused', { pausedUntilWallMs: NOW_MS + 2_520_000 }, 'warning', 'paused for 42m more: no failover'],
  ['pause over', { pausedUntilWallMs: NOW_MS - 1 }, 'ok', 'a serves, protected by b'],
  ['held down', { heldDownUntilWallMs: NOW_MS + 31_000 }, 'warning', 'no failover for 31s after the last one'],
  [
    'traffic not as wanted',
    { traffic: [{ name: 'ipvs', active: null, detail: 'ipvsadm: not found', settled: false }] },
    'warning',
    'traffic ipvs: ipvsadm: not found',
  ],
  [
    'probe of the slave fails',
    { nodes: [master({}), nodeOf('b', { health: { verdict: 'down', detail: 'refused' } })] },
    'warning',
    'probe of b: refused',
  ],
  [
    'a node with something to see to',
    { nodes: [master({ warnings: ['10.0.0.100 is used by the machine 02:00:00:00:00:01 too'] }), nodeOf('b')] },
    'warning',
    'a: 10.0.0.100 is used by the machine 02:00:00:00:00:01 too',
  ],
  [
    'certificate ends soon',
    { nodes: [master({}), nodeOf('b', { certificateEndsWallMs: NOW_MS + 3 * DAY_MS })] },
    'warning',
    'the certificate of b ends in 3d',
  ],
  [
    'certificate is over',
    { nodes: [master({ certificateEndsWallMs: NOW_MS }), nodeOf('b')] },
    'critical',
    'the certificate of a has expired',
  ],
  [
    'certificate is good for long',
    { nodes: [master({}), nodeOf('b', { certificateEndsWallMs: NOW_MS + 90 * DAY_MS })] },
    'ok',
    'a serves, protected by b',
  ],
  [
    'several, the worst first',
    {
      ...notServing,
      ...alone,
      pausedUntilWallMs: NOW_MS + 60_000,
      nodes: [master({ app: 'hung' }), nodeOf('b', { linked: false, silentMs: 400 })],
    },
    'critical',
    'nobody serves: the app of a is hung; paused for 1m more: no failover; a is alone, no protection: b silent for 400ms',
  ],
];

describe('assessment of a group', () => {
  for (const [what, change, severity, summary] of CASES) {
    it(what, () => assert.deepEqual(assessGroup(factsOf(change), NOW_MS), { severity, summary }));
  }
});

const CONTROLLER = { tilt: null, certificateEndsWallMs: null, recordsFault: null } as const;

describe('assessment of a cluster', () => {
  const bad = groupOf({ ...notServing, group: 'cache' });
  const poor = groupOf({ ...alone, group: 'lists', nodes: [master({}), nodeOf('b', { linked: false })] });

  it('tells of the only group by name', () => {
    assert.deepEqual(assessCluster([groupOf()], 'controller', CONTROLLER, NOW_MS), {
      severity: 'ok',
      summary: 'world: a serves, protected by b',
    });
  });

  it('counts the groups, and tells of the worst', () => {
    assert.equal(
      assessCluster([groupOf(), groupOf()], 'controller', CONTROLLER, NOW_MS).summary,
      'all 2 groups serve and are protected',
    );
    assert.deepEqual(assessCluster([groupOf(), poor, bad], 'controller', CONTROLLER, NOW_MS), {
      severity: 'critical',
      summary: '2 of 3 groups need attention; cache: nobody serves: a has no lease',
    });
    assert.equal(
      assessCluster([groupOf(), bad], 'controller', CONTROLLER, NOW_MS).summary,
      'cache: nobody serves: a has no lease',
    );
  });

  it('says first that the controller is lost, or decides nothing', () => {
    assert.match(assessCluster([groupOf()], 'agents', null, NOW_MS).summary, /^the controller does not answer/);
    assert.equal(assessCluster([groupOf()], 'agents', null, NOW_MS).severity, 'warning');
    assert.match(
      assessCluster([groupOf()], 'controller', { ...CONTROLLER, tilt: 'a clock jumped' }, NOW_MS).summary,
      /decides nothing for now: a clock jumped/,
    );
    assert.equal(assessCluster([], 'controller', CONTROLLER, NOW_MS).severity, 'unknown');
  });

  it('says that no decision can be saved', () => {
    const full = { ...CONTROLLER, recordsFault: 'the disk is full' };
    assert.deepEqual(assessCluster([groupOf()], 'controller', full, NOW_MS), {
      severity: 'critical',
      summary: 'nothing fails over, as no decision can be saved: the disk is full; world: a serves, protected by b',
    });
  });

  it("warns of the end of the controller's own certificate", () => {
    const ending = (leftMs: number) =>
      assessCluster([groupOf()], 'controller', { ...CONTROLLER, certificateEndsWallMs: NOW_MS + leftMs }, NOW_MS);
    assert.equal(ending(30 * DAY_MS).severity, 'ok');
    assert.match(ending(3 * DAY_MS).summary, /^the certificate of the controller ends in 3d/);
    assert.equal(ending(3 * DAY_MS).severity, 'warning');
    assert.deepEqual(ending(-1).severity, 'critical');
  });

  it('takes a known failure for worse than ignorance', () => {
    assert.equal(worse('unknown', 'critical'), 'critical');
    assert.equal(worse('unknown', 'warning'), 'unknown');
    assert.deepEqual(SEVERITIES.reduce(worse), 'critical');
  });

  it('is made of facts that the schema of status takes', () => {
    const status = clusterOf([groupOf(), bad, poor]);
    assert.deepEqual(clusterStatusSchema.parse(status), status);
  });
});
