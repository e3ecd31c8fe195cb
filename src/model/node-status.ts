import type { AgentReport } from './agent-report.ts';
import type { NodeStatus } from './status.ts';

/** What is known of a node beside its own report. */
export type NodeSurroundings = Pick<
  NodeStatus,
  'health' | 'linked' | 'silentMs' | 'inSync' | 'drained' | 'drainEndsWallMs' | 'connections'
> & {
  /** Last record of the master's log, to tell how many the node lacks; null if unknown. */
  readonly masterEndSeq: number | null;
};

/** Status of a node from its last report, or of one that was never heard (null). */
export function nodeStatusOf(id: string, report: AgentReport | null, surroundings: NodeSurroundings): NodeStatus {
  const { masterEndSeq, ...known } = surroundings;
  if (report === null) {
    return {
      id,
      role: null,
      phase: null,
      app: null,
      appDetail: '',
      peerLinked: null,
      logEnd: null,
      lag: null,
      catchUp: null,
      trouble: '',
      divergence: null,
      addresses: [],
      warnings: [],
      archives: [],
      version: null,
      certificateEndsWallMs: null,
      ...known,
    };
  }
  const { role, phase, app, peer, log, divergence } = report;
  const follows = role !== 'master';
  return {
    id,
    role,
    phase,
    app: app.state,
    appDetail: app.detail,
    peerLinked: peer.linked,
    logEnd: endOf(log.end),
    lag: follows
      ? { records: masterEndSeq === null ? null : Math.max(0, masterEndSeq - log.end.seq), bytes: peer.lagBytes }
      : null,
    catchUp: follows ? peer.catchUp : null,
    trouble: report.trouble,
    divergence:
      divergence === null
        ? null
        : { ...divergence, ownEnd: endOf(divergence.ownEnd), peerEnd: endOf(divergence.peerEnd) },
    addresses: report.addresses,
    warnings: report.warnings,
    archives: report.archives,
    version: report.version,
    certificateEndsWallMs: report.certificateEndsWallMs,
    ...known,
  };
}

function endOf({ epoch, seq }: { readonly epoch: number; readonly seq: number }): { epoch: number; seq: number } {
  return { epoch, seq };
}
