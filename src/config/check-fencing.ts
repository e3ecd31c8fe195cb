import { formatDuration } from '../kit/units.ts';
import type { GroupConfig } from './config.ts';
import { error, warning, type Finding } from './finding.ts';
import type { FilePath } from './problem.ts';

/** Beyond this many leases a takeover is slower than anybody expects. */
const LEASES_IN_BITE = 5;

/** Fence commands and watchdogs that do not do what they are there for. */
export function* checkFencing(group: GroupConfig): Generator<Finding> {
  const { failover, nodes } = group;
  const at = (...keys: string[]): FilePath => ['groups', group.name, ...keys];
  for (const node of nodes) {
    if (failover.fence === 'always' && node.fence.length === 0) {
      yield error(
        [at('failover', 'fence')],
        `node ${node.id} has no fence commands, so it would never be replaced`,
        `add groups.${group.name}.nodes.${node.id}.fence, or use fence: doubt`,
      );
    }
    if (node.watchdog === null) continue;
    const { timeoutS } = node.watchdog;
    const least = Math.ceil((3 * failover.heartbeatMs) / 1000);
    if (timeoutS < least) {
      yield error(
        [at('nodes', node.id, 'watchdog', 'timeout')],
        `the watchdog bites after ${timeoutS}s, before three heartbeats of ${formatDuration(failover.heartbeatMs)}`,
        `use timeout: ${least}s or more`,
      );
    }
    if (timeoutS * 1000 > LEASES_IN_BITE * failover.leaseMs) {
      yield warning(
        [at('nodes', node.id, 'watchdog', 'timeout')],
        `after silence the other node takes over only when the watchdog has surely bitten, ${timeoutS}s instead of the lease of ${formatDuration(failover.leaseMs)}`,
        'use a shorter timeout, if the device allows it and short stalls need not be survived',
      );
    }
  }
}
