import { assessCluster, assessGroup, type GroupFacts } from '../../src/model/assessment.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import { API_VERSION, type ClusterStatus, type GroupStatus, type NodeStatus } from '../../src/model/status.ts';

/** A fixed moment: 2026-03-01T12:00:00Z. */
export const NOW_MS = Date.UTC(2026, 2, 1, 12);

/** A node in the best of health. */
export function nodeOf(id: string, change: Partial<NodeStatus> = {}): NodeStatus {
  return {
    id,
    role: 'slave',
    phase: null,
    app: 'up',
    appDetail: '',
    health: { verdict: 'up', detail: 'connected in 0.4 ms' },
    linked: true,
    silentMs: 12,
    peerLinked: true,
    logEnd: { epoch: 7, seq: 184_223 },
    lag: { records: 0, bytes: 0 },
    catchUp: null,
    inSync: true,
    drained: false,
    drainEndsWallMs: null,
    connections: null,
    trouble: '',
    divergence: null,
    addresses: [],
    warnings: [],
    archives: [],
    version: '0.1.0',
    certificateEndsWallMs: null,
    ...change,
  };
}

export const lastEvent: GroupEvent = {
  id: 41,
  group: 'world',
  wallMs: NOW_MS - 11_520_000,
  kind: 'decision',
  rule: 'R40',
  epoch: 7,
  node: 'a',
  message: 'a serves',
  phasesMs: { detect: 3.2, fence: 0.4, promote: 6.1, ready: 8, traffic: 1.25 },
};

/** Facts of a group that serves and is protected. */
export function factsOf(change: Partial<GroupFacts> = {}): GroupFacts {
  return {
    group: 'world',
    master: 'a',
    serving: true,
    servingSinceWallMs: NOW_MS - 11_520_000,
    epoch: 7,
    stage: 'serving',
    cause: 'failover',
    rule: 'R40',
    reason: 'the app of b crashed',
    inSync: ['a', 'b'],
    protectedBy: ['b'],
    lease: { holder: 'a', from: 'controller', remainingMs: 812 },
    mode: 'auto',
    pausedUntilWallMs: null,
    heldDownUntilWallMs: null,
    drained: [],
    nodes: [
      nodeOf('a', { role: 'master', phase: 'ready', lag: null, connections: 17, addresses: ['10.0.0.100/32'] }),
      nodeOf('b'),
    ],
    traffic: [
      { name: 'ipvs 10.0.0.100:9000', active: 'a', detail: '', settled: true },
      { name: 'vip 10.0.0.100/32', active: 'a', detail: '', settled: true },
    ],
    lastEvent,
    ...change,
  };
}

export function groupOf(change: Partial<GroupFacts> = {}): GroupStatus {
  const facts = factsOf(change);
  return { ...facts, ...assessGroup(facts, NOW_MS) };
}

export function clusterOf(groups: readonly GroupStatus[], change: Partial<ClusterStatus> = {}): ClusterStatus {
  const controller = {
    version: '0.1.0',
    startedAtWallMs: NOW_MS - 86_400_000,
    uptimeMs: 86_400_000,
    tilt: null,
    certificateEndsWallMs: null,
    recordsFault: null,
  };
  const source = change.source ?? 'controller';
  return {
    apiVersion: API_VERSION,
    cluster: 'realm-7',
    source,
    ...assessCluster(groups, source, change.controller === undefined ? controller : change.controller, NOW_MS),
    wallMs: NOW_MS,
    controller,
    groups: [...groups],
    ...change,
  };
}
