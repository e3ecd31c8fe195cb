import type { GroupController } from '../../controller/group-controller.ts';
import type { TrafficDriver } from '../../controller/ports.ts';
import { hasRenounced, isLive, masterOf, obstaclesTo, type GroupView, type NodeView } from '../../controller/view.ts';
import { assessGroup, type GroupFacts } from '../../model/assessment.ts';
import type { GroupEvent } from '../../model/event.ts';
import type { GroupStatus, NodeStatus, TrafficStatus } from '../../model/status.ts';

export interface StatusParts {
  readonly controller: GroupController;
  readonly drivers: readonly TrafficDriver[];
  /** Connections of clients to each node, where they are counted. */
  readonly connections: ReadonlyMap<string, number>;
  readonly lastEvent: GroupEvent | null;
  readonly wallMs: number;
}

/** What the API tells of a group, from one view of it. */
export function groupStatus({ controller, drivers, connections, lastEvent, wallMs }: StatusParts): GroupStatus {
  const view = controller.view();
  const { record } = view;
  const heldDownUntil = (record.failedOverAtWallMs ?? 0) + view.thresholds.holdDownMs;
  const facts: GroupFacts = {
    group: record.group,
    master: record.master,
    serving: isServing(view),
    servingSinceWallMs: record.servingSinceWallMs,
    epoch: record.epoch,
    stage: record.stage,
    cause: record.cause,
    rule: record.rule,
    reason: controller.trouble || record.reason,
    inSync: record.inSync,
    protectedBy: view.nodes.filter((node) => protects(view, node)).map(({ id }) => id),
    lease: leaseOf(view),
    mode: view.thresholds.mode,
    pausedUntilWallMs: later(record.pausedUntilWallMs, wallMs),
    heldDownUntilWallMs: record.failedOverAtWallMs === null ? null : later(heldDownUntil, wallMs),
    drained: record.drained,
    nodes: view.nodes.map((node) => ({ ...nodeStatus(view, node), connections: connections.get(node.id) ?? null })),
    traffic: drivers.map((driver) => trafficStatus(controller, driver)),
    lastEvent,
  };
  return { ...facts, ...assessGroup(facts, wallMs) };
}

function later(moment: number | null, nowWallMs: number): number | null {
  return moment !== null && moment > nowWallMs ? moment : null;
}

function isServing(view: GroupView): boolean {
  const master = masterOf(view);
  const { record } = view;
  if (master === null || !isLive(view, master) || hasRenounced(view, master)) return false;
  const { report } = master;
  const leased =
    master.grantRunsMs > 0 || record.masterNeedsNoLease || master.silentToPeerMs <= view.thresholds.detectMs;
  return leased && report?.role === 'master' && report.epoch === record.epoch && report.phase === 'ready';
}

function protects(view: GroupView, node: NodeView): boolean {
  const reigns = view.record.stage === 'serving' || view.record.stage === 'quiescing';
  return reigns && node.id !== view.record.master && obstaclesTo(view, node).length === 0;
}

function leaseOf(view: GroupView): GroupStatus['lease'] {
  const master = masterOf(view);
  if (master === null || hasRenounced(view, master)) return { holder: null, from: 'none', remainingMs: 0 };
  const slave = view.nodes.find((node) => node.id !== master.id);
  const fromSlaveMs = slave !== undefined && isLive(view, slave) ? (slave.report?.peer.grantRunsMs ?? 0) : 0;
  const remainingMs = Math.max(master.grantRunsMs, fromSlaveMs);
  if (remainingMs === 0) return { holder: null, from: 'none', remainingMs };
  return { holder: master.id, from: master.grantRunsMs >= fromSlaveMs ? 'controller' : 'slave', remainingMs };
}

function nodeStatus(view: GroupView, node: NodeView): Omit<NodeStatus, 'connections'> {
  const { record } = view;
  const { report } = node;
  const end = (position: { epoch: number; seq: number }) => ({ epoch: position.epoch, seq: position.seq });
  return {
    id: node.id,
    role: report?.role ?? null,
    phase: report?.phase ?? null,
    app: report?.app.state ?? null,
    appDetail: report?.app.detail ?? '',
    health: { verdict: node.probe.verdict, detail: node.probe.detail },
    linked: node.linked,
    silentMs: report === null ? null : node.silentMs,
    peerLinked: report?.peer.linked ?? null,
    logEnd: report === null ? null : end(report.log.end),
    lag: lagOf(view, node),
    catchUp: report?.peer.catchUp ?? null,
    inSync: record.inSync.includes(node.id),
    drained: record.drained.includes(node.id),
    trouble: report?.trouble ?? '',
    divergence: report?.divergence
      ? {
          ownEnd: end(report.divergence.ownEnd),
          peerEnd: end(report.divergence.peerEnd),
          forkSeq: report.divergence.forkSeq,
          acknowledgedFrom: report.divergence.acknowledgedFrom,
        }
      : null,
    addresses: report?.addresses ?? [],
    archives: report?.archives ?? [],
    version: report?.version ?? null,
    certificateEndsWallMs: null,
  };
}

function lagOf(view: GroupView, node: NodeView): NodeStatus['lag'] {
  const master = masterOf(view);
  if (master === null || master.id === node.id) return null;
  const masterSeq = master.report?.log.end.seq;
  const seq = node.report?.log.end.seq;
  const records = masterSeq === undefined || seq === undefined ? null : Math.max(0, masterSeq - seq);
  return { records, bytes: records === 0 ? 0 : (node.report?.peer.lagBytes ?? null) };
}

function trafficStatus(controller: GroupController, driver: TrafficDriver): TrafficStatus {
  return {
    name: driver.name,
    active: controller.wantedTraffic?.active ?? null,
    detail: controller.trouble,
    settled: controller.trafficSettled,
  };
}
