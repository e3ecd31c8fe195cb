import { readAgentReport } from '../api/agent-client.ts';
import type { Config, GroupConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import type { Scheduler } from '../kit/clock.ts';
import type { AgentReport } from '../model/agent-report.ts';
import { assessCluster, assessGroup } from '../model/assessment.ts';
import { nodeStatusOf } from '../model/node-status.ts';
import { API_VERSION, type ClusterStatus, type GroupStatus, type NodeStatus } from '../model/status.ts';

/** What is known without a controller: what the agents on this machine report. */

const ANSWER_TIMEOUT_MS = 1_000;

/** Asks every agent of the configuration that has its socket here. Null if none answers. @throws HsctlError('config') */
export async function localStatus(
  configPath: string,
  group: string | undefined,
  scheduler: Scheduler,
): Promise<ClusterStatus | null> {
  const { config } = loadConfig(configPath);
  const asked = config.groups.filter((each) => group === undefined || each.name === group);
  const answers = await Promise.all(asked.map((each) => askAgents(each, scheduler)));
  const reports = new Map(asked.map((each, index) => [each.name, answers[index] ?? []]));
  return statusFromReports(config, reports, scheduler.wallMs());
}

async function askAgents(group: GroupConfig, scheduler: Scheduler): Promise<AgentReport[]> {
  const sockets = new Set(group.nodes.map((node) => node.socket));
  const answers = await Promise.allSettled(
    [...sockets].map((socket) => readAgentReport(socket, scheduler, ANSWER_TIMEOUT_MS)),
  );
  return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
}

/** The cluster as far as these reports tell; groups without a report are left out, null if there is none at all. */
export function statusFromReports(
  config: Config,
  reports: ReadonlyMap<string, readonly AgentReport[]>,
  wallMs: number,
): ClusterStatus | null {
  const groups = config.groups.flatMap((group) => {
    const found = reports.get(group.name) ?? [];
    return found.length === 0 ? [] : [groupFromReports(group, found, wallMs)];
  });
  if (groups.length === 0) return null;
  return {
    apiVersion: API_VERSION,
    cluster: config.cluster,
    source: 'agents',
    ...assessCluster(groups, 'agents', null, wallMs),
    wallMs,
    controller: null,
    groups,
  };
}

function groupFromReports(group: GroupConfig, reports: readonly AgentReport[], wallMs: number): GroupStatus {
  const newest = reports.reduce((one, other) => (other.epoch > one.epoch ? other : one));
  const master = masterOf(group, reports);
  const masterReport = reports.find((report) => report.node === master);
  const slaveReport = reports.find((report) => report.node !== master);
  const inSync = (masterReport ?? newest).inSync;
  const nodes = group.nodes.map((node) => nodeFromReports(node.id, master, inSync, reports));
  const grantMs = slaveReport?.peer.grantRunsMs ?? 0;
  const facts = {
    group: group.name,
    master,
    // A master on another machine serves if its slave here still grants it a lease.
    serving: masterReport === undefined ? grantMs > 0 : isServing(masterReport),
    servingSinceWallMs: null,
    epoch: newest.epoch,
    stage: newest.epoch === 0 ? ('none' as const) : ('serving' as const),
    cause: null,
    rule: '',
    reason: '',
    inSync,
    protectedBy: nodes.filter((node) => node.id !== master && node.linked && node.inSync).map((node) => node.id),
    lease: {
      holder: grantMs > 0 ? master : null,
      from: grantMs > 0 ? ('slave' as const) : ('none' as const),
      remainingMs: grantMs,
    },
    mode: group.failover.mode,
    pausedUntilWallMs: null,
    heldDownUntilWallMs: null,
    drained: [],
    nodes,
    traffic: [],
    lastEvent: null,
  };
  return { ...facts, ...assessGroup(facts, wallMs) };
}

function isServing({ phase, app, trouble }: AgentReport): boolean {
  return phase === 'ready' && app.state === 'up' && trouble === '';
}

/** The node that says so, under the highest epoch; else the one that a slave is linked to, or granted a lease. */
function masterOf(group: GroupConfig, reports: readonly AgentReport[]): string | null {
  const masters = reports
    .filter((report) => report.role === 'master')
    .toSorted((one, other) => other.epoch - one.epoch);
  if (masters[0] !== undefined) return masters[0].node;
  const follower = reports.find(({ role, peer }) => role === 'slave' && (peer.linked || peer.grantRunsMs > 0));
  if (follower === undefined) return null;
  return group.nodes.find((node) => node.id !== follower.node)?.id ?? null;
}

/** A node on another machine is known by what its peer here hears of it. */
function nodeFromReports(
  id: string,
  master: string | null,
  inSync: readonly string[],
  reports: readonly AgentReport[],
): NodeStatus {
  const own = reports.find((report) => report.node === id) ?? null;
  const other = reports.find((report) => report.node !== id);
  const masterReport = reports.find((report) => report.node === master);
  return nodeStatusOf(id, own, {
    health: { verdict: 'unknown', detail: '' },
    linked: own !== null || other?.peer.linked === true,
    silentMs: own === null ? (other?.peer.silentMs ?? null) : 0,
    inSync: inSync.includes(id),
    drained: false,
    drainEndsWallMs: null,
    connections: null,
    masterEndSeq: masterReport?.log.end.seq ?? null,
  });
}
