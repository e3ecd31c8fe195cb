import type { GroupRecord } from '../model/group-record.ts';
import * as guard from './guards.ts';
import { bestCandidate, isLive, longestLog, masterOf, nodeNamed, type GroupView } from './view.ts';

/**
 * What the controller decides, as a table: the first rule whose guards all hold gives the change of the record.
 * A rule without a change holds everything as it is. Numbers have gaps for what will come between.
 *
 * The order of effects is the same for every change of master: the record of the decision (stage `fencing`), the
 * former master fenced, the record of the promotion (stage `promoting`), the word of the promoted app, the traffic.
 */
export interface Rule {
  readonly id: string;
  readonly title: string;
  readonly when: readonly guard.Guard[];
  /** The changed fields of the record; null to leave it as it is. */
  readonly change: ((view: GroupView) => Change) | null;
  readonly why: string;
  /** Invariants of the design that the rule serves. */
  readonly protects: readonly string[];
}

export type Change = Partial<Omit<GroupRecord, 'group' | 'revision' | 'rule' | 'reason' | 'decidedAtWallMs'>>;

const reigning = guard.stageIs('serving', 'promoting');

export const RULES = [
  {
    id: 'R100',
    title: 'decide nothing on doubtful clocks',
    when: [guard.tilted],
    change: null,
    why: 'after a stall or a jump of the clock, silence proves nothing',
    protects: ['I8'],
  },
  {
    id: 'R200',
    title: 'adopt a reign that is under way',
    when: [guard.stageIs('none'), guard.someNodeReigns],
    change: adopt,
    why: 'a controller without records must not disturb a pair that serves',
    protects: ['I1', 'I3'],
  },
  {
    id: 'R210',
    title: 'begin the first reign',
    when: [guard.stageIs('none'), guard.everyNodeReports],
    change: beginFirstReign,
    why: 'with every log at hand the longest one holds every acknowledged record',
    protects: ['I2'],
  },
  {
    id: 'R290',
    title: 'wait for every node before the first reign',
    when: [guard.stageIs('none')],
    change: null,
    why: 'a node that is not heard may hold the longer log',
    protects: ['I2'],
  },
  {
    id: 'R300',
    title: 'fenced: promote',
    when: [guard.stageIs('fencing'), guard.formerMasterIsFenced, guard.not(guard.targetIsLost)],
    change: promote,
    why: 'nobody serves now, so the chosen node may',
    protects: ['I1'],
  },
  {
    id: 'R310',
    title: 'the chosen node was lost: choose again',
    when: [guard.stageIs('fencing'), guard.targetIsLost, guard.someCandidate],
    change: chooseAgain,
    why: 'the chosen node was never told to serve, so a new epoch may go to another',
    protects: ['I3', 'I9'],
  },
  {
    id: 'R390',
    title: 'wait until the former master is fenced',
    when: [guard.stageIs('fencing')],
    change: null,
    why: 'until its lease has surely run out, the former master may serve',
    protects: ['I1', 'I7'],
  },
  {
    id: 'R400',
    title: 'quiesced: hand over',
    when: [guard.stageIs('quiescing'), guard.masterIsQuiesced],
    change: handOver,
    why: 'the target holds every record and nothing new comes in',
    protects: ['I2'],
  },
  {
    id: 'R410',
    title: 'roll the switchover back',
    when: [guard.stageIs('quiescing'), guard.switchoverFailed],
    change: () => ({ stage: 'serving', target: null }),
    why: 'until the lease is given back the master can simply go on',
    protects: ['I9'],
  },
  {
    id: 'R490',
    title: 'wait until the master is quiesced',
    when: [guard.stageIs('quiescing')],
    change: null,
    why: 'work under way ends first',
    protects: [],
  },
  {
    id: 'R500',
    title: 'record the in-sync set that the master proposes',
    when: [reigning, guard.proposalPending],
    change: recordInSync,
    why: 'the master confirms alone, or takes the slave as a full copy, only after this is on record',
    protects: ['I2'],
  },
  {
    id: 'R600',
    title: 'the same node begins a new reign',
    when: [reigning, guard.masterIsLost, guard.masterCanServeAgain, guard.not(guard.anotherNodeCanServe)],
    change: (view) => beginReign(view, view.record.master, 'reelected'),
    why: 'an epoch is never resumed; the node is well again and holds every acknowledged record',
    protects: ['I3', 'I9'],
  },
  {
    id: 'R610',
    title: 'no failover while paused',
    when: [reigning, guard.masterIsLost, guard.paused],
    change: null,
    why: 'an operator asked for it',
    protects: [],
  },
  {
    id: 'R620',
    title: 'the controller suspects itself',
    when: [reigning, guard.masterIsLost, guard.controllerSuspectsItself],
    change: null,
    why: 'that every node fails at once is less likely than that this controller is cut off',
    protects: ['I9'],
  },
  {
    id: 'R630',
    title: 'hold down after a failover',
    when: [reigning, guard.masterIsLost, guard.heldDown, guard.anotherNodeCanServe],
    change: null,
    why: 'a service that fails on one node after the other needs a person',
    protects: [],
  },
  {
    id: 'R640',
    title: 'fail over',
    when: [reigning, guard.masterIsLost, guard.automatic, guard.anotherNodeCanServe],
    change: (view) => beginReign(view, bestCandidate(view)?.id ?? null, 'failover'),
    why: 'the master cannot go on, and another node holds every acknowledged record',
    protects: ['I2', 'I9'],
  },
  {
    id: 'R690',
    title: 'the master is lost and nobody may take over',
    when: [reigning, guard.masterIsLost],
    change: null,
    why: 'a promotion would lose acknowledged records, or has nobody to go to',
    protects: ['I2'],
  },
  {
    id: 'R700',
    title: 'the promotion is complete',
    when: [guard.stageIs('promoting'), guard.masterIsReady, guard.trafficHasMoved],
    change: complete,
    why: 'the app said that it is ready and clients reach it',
    protects: ['I9'],
  },
  {
    id: 'R790',
    title: 'wait for the promoted app and the traffic',
    when: [guard.stageIs('promoting')],
    change: null,
    why: 'traffic moves only when the app said that it is ready',
    protects: ['I7'],
  },
  {
    id: 'R900',
    title: 'all is well',
    when: [guard.stageIs('serving')],
    change: null,
    why: 'the master serves',
    protects: [],
  },
] as const satisfies readonly Rule[];

function adopt(view: GroupView): Change {
  const node = guard.reigningNode(view);
  const report = node?.report;
  if (!node || !report) return {};
  return {
    stage: 'promoting',
    epoch: report.epoch,
    master: node.id,
    masterInstance: report.instance,
    inSync: report.inSync.includes(node.id) ? report.inSync : [node.id],
    masterNeedsNoLease: needsNoLease(view, report.inSync),
    cause: 'adopted',
  };
}

function beginFirstReign(view: GroupView): Change {
  const winner = longestLog(view.nodes, view.thresholds.prefer);
  const end = winner?.report?.log.end;
  if (!winner || !end) return {};
  // Logs that end at the same (epoch, seq) hold the same records.
  const level = view.nodes.filter(
    ({ report }) => report?.log.end.epoch === end.epoch && report.log.end.seq === end.seq,
  );
  return {
    stage: 'fencing',
    epoch: highestEpoch(view) + 1,
    master: winner.id,
    masterInstance: winner.report?.instance ?? null,
    inSync: level.map((node) => node.id),
    cause: 'initial',
  };
}

/** The decision for a new reign; who holds every acknowledged record does not change by it. */
export function beginReign(view: GroupView, to: string | null, cause: NonNullable<GroupRecord['cause']>): Change {
  return {
    stage: 'fencing',
    epoch: highestEpoch(view) + 1,
    master: to,
    masterInstance: nodeNamed(view, to)?.report?.instance ?? null,
    target: null,
    previous: view.record.master,
    previousEpoch: view.record.epoch,
    servingSinceWallMs: null,
    cause,
  };
}

function handOver(view: GroupView): Change {
  return beginReign(view, view.record.target, 'switchover');
}

function chooseAgain(view: GroupView): Change {
  const best = bestCandidate(view);
  return { epoch: highestEpoch(view) + 1, master: best?.id ?? null, masterInstance: best?.report?.instance ?? null };
}

function promote(view: GroupView): Change {
  const { record } = view;
  const master = masterOf(view);
  if (master === null) return {};
  // Until the new master has begun, any of those that hold every acknowledged record may still have to take its place.
  // Only where an operator gave records up it is the new master alone.
  const inSync = record.inSync.includes(master.id) ? record.inSync : [master.id];
  // After a failover the new master must not wait for a node that may be dead.
  const planned = record.cause === 'switchover' || record.cause === 'initial' || record.cause === 'reelected';
  const slaveExpected = planned && view.nodes.every((node) => isLive(view, node));
  return { stage: 'promoting', inSync, slaveExpected, masterNeedsNoLease: needsNoLease(view, inSync) };
}

function recordInSync(view: GroupView): Change {
  const inSync = masterOf(view)?.report?.proposal?.inSync ?? view.record.inSync;
  return { inSync, masterNeedsNoLease: needsNoLease(view, inSync) };
}

function complete(view: GroupView): Change {
  const failover = view.record.cause === 'failover' || view.record.cause === 'forced';
  return {
    stage: 'serving',
    previous: null,
    previousEpoch: 0,
    servingSinceWallMs: view.nowWallMs,
    failedOverAtWallMs: failover ? view.nowWallMs : view.record.failedOverAtWallMs,
  };
}

function needsNoLease(view: GroupView, inSync: readonly string[]): boolean {
  return inSync.length === 1 && view.thresholds.onControllerLoss === 'serve';
}

function highestEpoch(view: GroupView): number {
  return Math.max(view.record.epoch, ...view.nodes.map((node) => node.report?.epoch ?? 0));
}
