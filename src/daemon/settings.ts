import type { GroupConfig } from '../config/config.ts';
import type { AgentSettings } from '../agent/core/agent-ports.ts';
import type { GroupSettings } from '../controller/group-ports.ts';
import { HsctlError } from '../kit/errors.ts';
import { grantDurationMs } from '../kit/lease.ts';
import { addressOutlivesLeaseMs } from '../traffic/vip/plan.ts';
import { BITE_LATENESS_MS } from '../traffic/watchdog/keeper.ts';

/** What the controller and the agents of a group have to agree on, from the one configuration. */

/**
 * How long a VIP may stay on a node whose lease has ended without its agent, for the grantors to wait out. Agents
 * renew an address only while less than half a heartbeat of the lease is gone.
 */
function lingerMs(group: GroupConfig): number {
  const outlivesMs = trafficOutlivesMs(group, group.failover.leaseMs);
  return outlivesMs === 0 ? 0 : outlivesMs + group.failover.heartbeatMs / 2;
}

/**
 * For how long an address that a node of the group takes for `remainingMs` may stay beyond that by itself, and a machine
 * whose watchdog is fed now may go on without its agent.
 */
export function trafficOutlivesMs(group: GroupConfig, remainingMs: number): number {
  const addressMs = holdsAddress(group) ? addressOutlivesLeaseMs(remainingMs) : 0;
  const bites = group.nodes.map(({ watchdog }) =>
    watchdog === null ? 0 : watchdog.timeoutS * 1000 + BITE_LATENESS_MS,
  );
  return Math.max(addressMs, ...bites.map((biteMs) => biteMs - remainingMs), 0);
}

function holdsAddress({ traffic }: GroupConfig): boolean {
  return traffic.some(({ type }) => type === 'vip');
}

export function groupSettings(group: GroupConfig): GroupSettings {
  const { failover } = group;
  return {
    group: group.name,
    nodes: group.nodes.map(({ id }) => id),
    mode: failover.mode,
    prefer: failover.prefer,
    leaseMs: failover.leaseMs,
    lingerMs: lingerMs(group),
    grantMs: grantDurationMs(failover.leaseMs, lingerMs(group)),
    heartbeatMs: failover.heartbeatMs,
    detectMs: failover.detectMs,
    holdDownMs: failover.holdDownMs,
    readyTimeoutMs: group.app.readyTimeoutMs,
    finishWorkMs: failover.finishWorkMs,
    probeSettleMs: probeSettleMs(group),
    switchoverTimeoutMs: failover.switchoverTimeoutMs,
    onControllerLoss: failover.onControllerLoss,
    appJoins: group.app.ready === 'app',
    fence: failover.fence,
    fenceable: group.nodes.filter(({ fence }) => fence.length > 0).map(({ id }) => id),
  };
}

/** Probes do not run in step: each begins its looks within an interval of the others. */
function probeSettleMs({ app }: GroupConfig): number {
  const own = app.probe?.of.filter(({ from }) => from !== 'agent') ?? [];
  return Math.max(0, ...own.map(({ intervalMs, timeoutMs }) => intervalMs + timeoutMs));
}

/** For while agents may still work by the former numbers: the longer times of both, the rest as it will be. */
export function lenientSettings(former: GroupSettings, next: GroupSettings): GroupSettings {
  const leaseMs = Math.max(former.leaseMs, next.leaseMs);
  const longestLingerMs = Math.max(former.lingerMs, next.lingerMs);
  const detectMs = Math.max(former.detectMs, next.detectMs);
  const grantMs = grantDurationMs(leaseMs, longestLingerMs);
  return { ...next, leaseMs, lingerMs: longestLingerMs, grantMs, detectMs };
}

export function agentSettings(group: GroupConfig, node: string): AgentSettings {
  const { failover } = group;
  const peer = group.nodes.find(({ id }) => id !== node);
  if (peer === undefined) throw new HsctlError('config', `group ${group.name} has no second node`);
  return {
    node,
    peer: peer.id,
    heartbeatMs: failover.heartbeatMs,
    leaseMs: failover.leaseMs,
    lingerMs: lingerMs(group),
    detectMs: failover.detectMs,
    stallTimeoutMs: failover.stallTimeoutMs,
    onControllerLoss: failover.onControllerLoss,
    drainMs: failover.finishWorkMs,
    quiesceLimitMs: failover.switchoverTimeoutMs,
  };
}

/** The group of that name. @throws HsctlError('usage') naming those that there are */
export function groupNamed(groups: readonly GroupConfig[], name: string): GroupConfig {
  const group = groups.find((each) => each.name === name);
  if (group !== undefined) return group;
  throw new HsctlError(
    'usage',
    `there is no group ${name}`,
    `the configuration has: ${groups.map((each) => each.name).join(', ')}`,
  );
}
