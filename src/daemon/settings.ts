import type { GroupConfig } from '../config/config.ts';
import type { AgentSettings } from '../agent/core/agent-ports.ts';
import type { GroupSettings } from '../controller/group-controller.ts';
import { HsctlError } from '../kit/errors.ts';
import { grantDurationMs } from '../kit/lease.ts';
import { addressOutlivesLeaseMs } from '../traffic/vip/plan.ts';

/** What the controller and the agents of a group have to agree on, from the one configuration. */

/** Work under way gets this long to end in a switchover before it is cut off. */
const DRAIN_MS = 200;

/**
 * How long a VIP may stay on a node whose lease has ended without its agent, for the grantors to wait out. Agents
 * renew an address only while less than half a heartbeat of the lease is gone.
 */
function lingerMs(group: GroupConfig): number {
  if (!group.traffic.some(({ type }) => type === 'vip')) return 0;
  return addressOutlivesLeaseMs(group.failover.leaseMs) + group.failover.heartbeatMs / 2;
}

export function groupSettings(group: GroupConfig): GroupSettings {
  const { failover } = group;
  return {
    group: group.name,
    nodes: group.nodes.map(({ id }) => id),
    mode: failover.mode,
    prefer: failover.prefer,
    leaseMs: failover.leaseMs,
    grantMs: grantDurationMs(failover.leaseMs, lingerMs(group)),
    heartbeatMs: failover.heartbeatMs,
    detectMs: failover.detectMs,
    holdDownMs: failover.holdDownMs,
    readyTimeoutMs: group.app.readyTimeoutMs,
    switchoverTimeoutMs: failover.switchoverTimeoutMs,
    onControllerLoss: failover.onControllerLoss,
    appJoins: group.app.ready === 'app',
  };
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
    drainMs: DRAIN_MS,
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
