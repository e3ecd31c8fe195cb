import { VERSION } from '../kit/version.ts';
import type { AgentReport } from '../model/agent-report.ts';
import type { LogState } from '../model/position.ts';
import type { AgentCore } from './core/agent-core.ts';

/** What the daemon around the core and the log knows of its node. */
export type NodeFacts = Pick<AgentReport, 'configDigest' | 'connections' | 'hooks'>;

/** What a report tells of the core and the log; the rest is what the loop around them knows. */
export function reportOf(
  core: AgentCore,
  log: LogState,
): Omit<
  AgentReport,
  | 'node'
  | 'instance'
  | 'app'
  | 'confirmedAlone'
  | 'peer'
  | 'divergence'
  | 'archives'
  | 'certificateEndsWallMs'
  | 'addresses'
  | 'warnings'
  | keyof NodeFacts
> {
  return {
    version: VERSION,
    role: core.role,
    epoch: core.epoch,
    renouncedEpoch: core.renouncedEpoch,
    phase: core.phase,
    trouble: core.trouble,
    storeFailed: core.storeFailed,
    assignmentRevision: core.assignment?.revision ?? 0,
    log: { end: { ...log.end }, intact: log.intact, aloneTo: log.aloneTo },
    inSync: [...(core.assignment?.inSync ?? [])],
    confirmedSeq: core.confirmedSeq,
    proposal: core.proposal,
  };
}

/** What the core knows of the peer. */
export function peerReportOf(core: AgentCore): Omit<AgentReport['peer'], 'end' | 'lagBytes' | 'catchUp'> {
  const { linked, silentMs, renouncedEpoch, grantRunsMs } = core.peer;
  return { linked, silentMs, renouncedEpoch, grantRunsMs };
}
