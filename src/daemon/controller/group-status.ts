import type { GroupController } from '../../controller/group-controller.ts';
import type { TrafficDriver } from '../../controller/ports.ts';
import { hasRenounced, isLive, masterOf, obstaclesTo, type GroupView, type NodeView } from '../../controller/view.ts';
import { assessGroup, type GroupFacts } from '../../model/assessment.ts';
import type { GroupEvent } from '../../model/event.ts';
import { nodeStatusOf } from '../../model/node-status.ts';
import type { GroupStatus, NodeStatus, TrafficStatus } from '../../model/status.ts';
import { probeWarnings } from '../../probes/prober.ts';

const OTHER_FILE = 'its agent goes by another configuration; copy the file there, then "hsctl config reload"';

export interface StatusParts {
  readonly controller: GroupController;
  readonly drivers: readonly TrafficDriver[];
  /** Whether the agent of a node goes by another file than the controller. */
  readonly differs: (node: string) => boolean;
  /** Connections of clients to each node, where they are counted. */
  readonly connections: ReadonlyMap<string, number>;
  readonly lastEvent: GroupEvent | null;
  readonly wallMs: number;
}

/** What the API tells of a group, from one view of it. */
export function groupStatus(parts: StatusParts): GroupStatus {
  const { controller, drivers, lastEvent, wallMs } = parts;
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
    nodes: view.nodes.map((node) => nodeStatus(view, node, parts)),
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

function nodeStatus(view: GroupView, node: NodeView, { connections, differs }: StatusParts): NodeStatus {
  const { record } = view;
  const status = nodeStatusOf(node.id, node.report, {
    health: { verdict: node.probe.verdict, detail: node.probe.detail },
    linked: node.linked,
    silentMs: node.report === null ? null : node.silentMs,
    inSync: record.inSync.includes(node.id),
    drained: record.drained.includes(node.id),
    drainEndsWallMs: record.drainEndsWallMs[node.id] ?? null,
    connections: connections.get(node.id) ?? null,
    masterEndSeq: masterOf(view)?.report?.log.end.seq ?? null,
  });
  // The agent's own probe may warn of the same.
  const warnings = new Set([...status.warnings, ...probeWarnings(node.probe)]);
  if (differs(node.id)) warnings.add(OTHER_FILE);
  return { ...status, warnings: [...warnings] };
}

function trafficStatus(controller: GroupController, driver: TrafficDriver): TrafficStatus {
  return {
    name: driver.name,
    active: controller.wantedTraffic?.active ?? null,
    detail: controller.trouble,
    settled: controller.trafficSettled,
  };
}
