import type { AgentReport } from '../../src/model/agent-report.ts';

/** A report of a node that follows, in the best of health. */
export function reportOf(node: string, change: Partial<AgentReport> = {}): AgentReport {
  const end = { epoch: 7, seq: 184_223, hash: 99 };
  return {
    node,
    instance: `instance-of-${node}`,
    version: '0.1.0',
    role: 'slave',
    epoch: 7,
    renouncedEpoch: 0,
    phase: null,
    trouble: '',
    storeFailed: false,
    certificateEndsWallMs: null,
    configDigest: '',
    connections: null,
    hooks: [],
    assignmentRevision: 3,
    log: { end, intact: true, aloneTo: 0 },
    inSync: ['a', 'b'],
    confirmedSeq: 184_223,
    confirmedAlone: false,
    app: { state: 'up', readyEpoch: 7, restarts: 0, detail: '' },
    peer: { linked: true, silentMs: 9, renouncedEpoch: 0, grantRunsMs: 0, end, lagBytes: null, catchUp: null },
    proposal: null,
    divergence: null,
    archives: [],
    addresses: [],
    warnings: [],
    ...change,
  };
}
