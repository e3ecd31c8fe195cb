import { emptyRecord, type FenceRecord, type GroupRecord } from '../../src/model/group-record.ts';
import type { AgentReport } from '../../src/model/agent-report.ts';
import type { GroupView, NodeView, Thresholds } from '../../src/controller/view.ts';
import { reportOf } from '../model/reports.ts';

/**
 * Everything a decision may depend on, as fixtures: `view()` is a pair in the best of health, a serving under epoch 7
 * and b level with it; what a test is about is said as changes to that.
 */

type ReportChanges = Partial<Omit<AgentReport, 'log' | 'app' | 'peer'>> & {
  /** Seq of the log's end. */
  readonly end?: number;
  /** Epoch of the log's end. */
  readonly endEpoch?: number;
  readonly intact?: boolean;
  readonly app?: AgentReport['app']['state'];
};

export type NodeChanges = Partial<Omit<NodeView, 'id' | 'report' | 'probe'>> & {
  readonly report?: ReportChanges | null;
  readonly probe?: NodeView['probe']['verdict'];
  readonly probeSinceMs?: number;
};

export type ViewChanges = Partial<Omit<GroupView, 'record' | 'nodes' | 'thresholds'>> & {
  readonly record?: Partial<GroupRecord>;
  readonly a?: NodeChanges;
  readonly b?: NodeChanges;
  readonly thresholds?: Partial<Thresholds>;
};

export const THRESHOLDS: Thresholds = {
  mode: 'auto',
  prefer: 'a',
  detectMs: 500,
  holdDownMs: 60_000,
  readyTimeoutMs: 30_000,
  finishWorkMs: 200,
  probeSettleMs: 0,
  switchoverTimeoutMs: 5_000,
  onControllerLoss: 'serve',
  appJoins: true,
  fence: 'doubt',
  fenceable: [],
};

export const NOW_WALL_MS = 1_700_000_000_000;

/** The record of a pair that serves. */
export const SERVING: GroupRecord = {
  ...emptyRecord('world'),
  revision: 3,
  stage: 'serving',
  epoch: 7,
  master: 'a',
  masterInstance: 'instance-of-a',
  inSync: ['a', 'b'],
  slaveExpected: true,
  cause: 'failover',
  servingSinceWallMs: NOW_WALL_MS - 3_600_000,
  failedOverAtWallMs: NOW_WALL_MS - 3_600_000,
};

/** Changes that make a view one of a reign that is being set up: b is to follow a, whose epoch was 7. */
export const CHOSEN_B = {
  stage: 'fencing',
  epoch: 8,
  master: 'b',
  masterInstance: 'instance-of-b',
  previous: 'a',
  previousEpoch: 7,
  servingSinceWallMs: null,
} as const satisfies Partial<GroupRecord>;

/** Both nodes have fence commands; they run where no lease tells, or always. */
export const COMMANDS = { fenceable: ['a', 'b'] } as const satisfies Partial<Thresholds>;
export const ALWAYS = { ...COMMANDS, fence: 'always' } as const satisfies Partial<Thresholds>;

/** What is on record of the fencing of a, whose epoch was 7. */
export function fence(
  state: FenceRecord['state'],
  detail = 'the power switch does not answer',
): Pick<GroupRecord, 'fence'> {
  return { fence: { node: 'a', epoch: 7, state, attempts: 1, detail } };
}

/** A node whose machine or agent is gone: nobody hears it. */
export const SILENT = { linked: false, silentMs: 900, silentToPeerMs: 900 } as const satisfies NodeChanges;

/** A node whose app crashed: its agent gave the epoch up, and said so. */
export const GAVE_UP = {
  renouncedEpoch: 7,
  grantRunsMs: 0,
  report: { role: 'master', phase: 'released', renouncedEpoch: 7, trouble: 'the app crashed', app: 'down' },
} as const satisfies NodeChanges;

/** A node whose agent was restarted: it knows its epochs, and will never serve under one of them again. */
export const RESTARTED = {
  renouncedEpoch: 7,
  grantRunsMs: 0,
  report: { role: 'waiting', phase: null, renouncedEpoch: 7, instance: 'later-instance', assignmentRevision: 0 },
} as const satisfies NodeChanges;

/** A node that owns epoch 8 and whose app said that it is ready. */
export const READY_UNDER_8 = {
  report: { role: 'master', phase: 'ready', epoch: 8, renouncedEpoch: 7, endEpoch: 8 },
} as const satisfies NodeChanges;

export function view(changes: ViewChanges = {}): GroupView {
  const { record, a, b, thresholds, ...rest } = changes;
  return {
    nowWallMs: NOW_WALL_MS,
    stageMs: 3_600_000,
    tilt: null,
    cutOff: [],
    trafficMoved: true,
    ...rest,
    record: { ...SERVING, ...record },
    thresholds: { ...THRESHOLDS, ...thresholds },
    nodes: [
      nodeView('a', { grantRunsMs: 900, ...a, report: reportOfNode('a', { role: 'master', phase: 'ready' }, a) }),
      nodeView('b', { ...b, report: reportOfNode('b', { renouncedEpoch: 7 }, b) }),
    ],
  };
}

/** What `changes` says of the report, on top of what a healthy node would say. */
function reportOfNode(id: string, healthy: Partial<AgentReport>, node: NodeChanges = {}): AgentReport | null {
  if (node.report === null) return null;
  const { end, endEpoch, intact, app, ...changes } = node.report ?? {};
  const usual = reportOf(id);
  const { log } = usual;
  const position = { ...log.end, epoch: endEpoch ?? log.end.epoch, seq: end ?? log.end.seq };
  return {
    ...usual,
    renouncedEpoch: 6,
    ...healthy,
    ...changes,
    log: { ...log, end: position, intact: intact ?? true },
    app: { ...usual.app, state: app ?? 'up' },
  };
}

function nodeView(
  id: string,
  changes: Omit<NodeChanges, 'report'> & { readonly report: AgentReport | null },
): NodeView {
  const { probe, probeSinceMs, ...rest } = changes;
  return {
    id,
    linked: changes.report !== null,
    silentMs: 10,
    silentToPeerMs: 10,
    renouncedEpoch: changes.report?.renouncedEpoch ?? 0,
    grantRunsMs: 0,
    ...rest,
    probe: { verdict: probe ?? 'up', detail: 'no answer', sinceMs: probeSinceMs ?? 10_000 },
  };
}
