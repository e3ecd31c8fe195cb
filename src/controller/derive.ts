import type { Assignment } from '../model/assignment.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import type { DesiredTraffic } from './ports.ts';
import { hasRenounced, isSilent, masterOf, type GroupView, type NodeView } from './view.ts';

/** How long a planned change waits at least for the traffic drivers to stop new work; longer where requests may take longer. */
const LEAST_HOLD_LIMIT_MS = 500;

/** What follows from the record: all that the controller does is one of these, repeated until it is so. */

/** What a node should be; null while nothing is on record. */
export function assignmentFor(view: GroupView, node: NodeView): Assignment | null {
  const { record } = view;
  if (record.stage === 'none') return null;
  const isMaster = record.master === node.id;
  const role = !isMaster ? 'slave' : record.stage === 'fencing' ? 'wait' : 'master';
  const peer = view.nodes.find((other) => other.id !== node.id);
  return {
    revision: record.revision,
    epoch: record.epoch,
    role,
    master: record.master,
    masterInstance: record.masterInstance,
    inSync: record.inSync,
    slaveExpected: record.slaveExpected,
    mayServeAlone: role === 'master' && record.masterNeedsNoLease,
    peerRenouncedEpoch: peer?.renouncedEpoch ?? 0,
    quiesce: record.stage === 'quiescing' && isHeld(view),
    drain: drainOf(view, node, role),
    mayDiscard: record.discard.includes(node.id),
    answeredProposal: node.report?.proposal?.id ?? 0,
    reason: record.reason,
  };
}

/** New work is stopped before present work is waited for; drivers that cannot stop it do not keep the change from happening. */
function isHeld({ trafficMoved, stageMs, thresholds }: GroupView): boolean {
  return trafficMoved || stageMs > Math.max(LEAST_HOLD_LIMIT_MS, thresholds.finishWorkMs);
}

/** A master that nobody could take over from goes on with its clients. */
function drainOf({ record, cutOff }: GroupView, node: NodeView, role: Assignment['role']): Assignment['drain'] {
  if (!record.drained.includes(node.id)) return 'no';
  return role === 'slave' && cutOff.includes(node.id) ? 'cut' : 'drained';
}

/** Whether a request for a lease under `epoch` is answered with one. */
export function mayGrant(record: GroupRecord, node: NodeId, epoch: number): boolean {
  const grantable = record.stage === 'serving' || record.stage === 'quiescing' || record.stage === 'promoting';
  return grantable && record.master === node && record.epoch === epoch;
}

/** Where the traffic should go now; null to leave it as it is, while it is not known whether the master serves. */
export function desiredTraffic(view: GroupView): DesiredTraffic | null {
  const { record } = view;
  const master = masterOf(view);
  if (record.stage === 'none' || (record.stage !== 'fencing' && master?.report === null)) return null;
  const report = master?.report;
  const owns =
    report?.role === 'master' && report.epoch === record.epoch && master !== null && !hasRenounced(view, master);
  const ready = report?.phase === 'ready' || report?.phase === 'quiescing' || report?.phase === 'quiesced';
  // While a node is quiesced its connections go on, and new ones wait for whoever is master then.
  const takesNew = record.stage !== 'fencing' && record.stage !== 'quiescing';
  const active = takesNew && owns && ready ? record.master : null;
  return {
    active,
    // Without a node to go to, new connections wait for one rather than fail.
    hold: active === null,
    dead: view.nodes
      .filter((node) => node.id !== record.master && (isSilent(view, node) || view.cutOff.includes(node.id)))
      .map((node) => node.id),
    epoch: record.epoch,
  };
}
