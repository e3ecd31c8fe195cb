import type { GroupRecord } from '../model/group-record.ts';
import { reigningNode } from './master.ts';
import { bestCandidate, isLive, longestLog, masterOf, nodeNamed, type GroupView } from './view.ts';

/** What the rules and an operator's promotion make of the record: each function gives the fields that change. */
export type Change = Partial<Omit<GroupRecord, 'group' | 'revision' | 'rule' | 'reason' | 'decidedAtWallMs'>>;

export function adopt(view: GroupView): Change {
  const node = reigningNode(view);
  const report = node?.report;
  if (!node || !report) return {};
  const inSync = report.inSync.includes(node.id) ? report.inSync : [node.id];
  const everybody = view.nodes.map(({ id }) => id);
  return {
    stage: 'promoting',
    epoch: report.epoch,
    master: node.id,
    masterInstance: report.instance,
    inSync,
    // Once its reign has begun the node itself knows whether it ever confirmed anything without the others.
    formerInSync: report.phase !== 'fencing' && inSync.length < everybody.length ? everybody : null,
    masterNeedsNoLease: needsNoLease(view, report.inSync),
    cause: 'adopted',
  };
}

export function beginFirstReign(view: GroupView): Change {
  const winner = longestLog(view.nodes, view.thresholds.prefer);
  const end = winner?.report?.log.end;
  if (!winner || !end) return {};
  // Logs that end at the same (epoch, seq) hold the same records.
  const level = view.nodes.filter(
    ({ report }) => report?.log.end.epoch === end.epoch && report.log.end.seq === end.seq,
  );
  // Under a lower epoch than another node has seen somebody may still serve, by the word of records that are lost.
  const former = view.nodes.find(
    ({ report }) => report?.role === 'master' && report.renouncedEpoch < report.epoch,
  )?.report;
  return {
    stage: 'fencing',
    epoch: newEpoch(view),
    master: winner.id,
    masterInstance: winner.report?.instance ?? null,
    inSync: level.map((node) => node.id),
    previous: former?.node ?? null,
    previousEpoch: former?.epoch ?? 0,
    masterNeedsNoLease: needsNoLease(view, former?.inSync ?? []),
    cause: 'initial',
  };
}

/** The decision for a new reign; who holds every acknowledged record does not change by it. */
export function beginReign(view: GroupView, to: string | null, cause: GroupRecord['cause']): Change {
  const { stage, master, epoch, previous, previousEpoch } = view.record;
  // Whoever was only chosen has never served: to be fenced is still the one before it.
  const former = stage === 'fencing' ? { previous, previousEpoch } : { previous: master, previousEpoch: epoch };
  return {
    stage: 'fencing',
    epoch: newEpoch(view),
    master: to,
    masterInstance: nodeNamed(view, to)?.report?.instance ?? null,
    target: null,
    ...former,
    dataLossAccepted: false,
    servingSinceWallMs: null,
    cause,
  };
}

export function handOver(view: GroupView): Change {
  return beginReign(view, view.record.target, 'switchover');
}

export function chooseAgain(view: GroupView): Change {
  return beginReign(view, bestCandidate(view)?.id ?? null, view.record.cause);
}

export function promote(view: GroupView): Change {
  const { record } = view;
  const master = masterOf(view);
  if (master === null) return {};
  // Until the new master has begun, any of those that hold every acknowledged record may still have to take its place.
  // Only where an operator gave records up it is the new master alone.
  const inSync = record.inSync.includes(master.id) ? record.inSync : [master.id];
  // After a failover the new master must not wait for a node that may be dead.
  const planned = record.cause === 'switchover' || record.cause === 'initial' || record.cause === 'reelected';
  const slaveExpected = planned && view.nodes.every((node) => isLive(view, node));
  return {
    stage: 'promoting',
    inSync,
    formerInSync: inSync === record.inSync ? record.formerInSync : null,
    slaveExpected,
    masterNeedsNoLease: needsNoLease(view, inSync),
    discard: discardWithout(view, inSync),
  };
}

export function recordInSync(view: GroupView): Change {
  const { record } = view;
  const inSync = masterOf(view)?.report?.proposal?.inSync ?? record.inSync;
  const formerInSync = inSync.length < record.inSync.length ? record.inSync : null;
  return { ...changeInSync(view, inSync), formerInSync };
}

export function restoreInSync(view: GroupView): Change {
  return { ...changeInSync(view, view.record.formerInSync ?? view.record.inSync), formerInSync: null };
}

function changeInSync(view: GroupView, inSync: string[]): Change {
  return { inSync, masterNeedsNoLease: needsNoLease(view, inSync), discard: discardWithout(view, inSync) };
}

/** What an operator gave up is gone once the node is in sync: its next tail is another matter. */
function discardWithout({ record }: GroupView, inSync: readonly string[]): string[] {
  return record.discard.filter((node) => !inSync.includes(node));
}

export function complete(view: GroupView): Change {
  const failover = view.record.cause === 'failover' || view.record.cause === 'forced';
  return {
    stage: 'serving',
    previous: null,
    previousEpoch: 0,
    fence: null,
    servingSinceWallMs: view.nowWallMs,
    failedOverAtWallMs: failover ? view.nowWallMs : view.record.failedOverAtWallMs,
  };
}

function needsNoLease(view: GroupView, inSync: readonly string[]): boolean {
  return inSync.length === 1 && view.thresholds.onControllerLoss === 'serve';
}

/** Higher than any that is known: what the next reign gets. */
export function newEpoch(view: GroupView): number {
  return 1 + Math.max(view.record.epoch, ...view.nodes.map((node) => node.report?.epoch ?? 0));
}
