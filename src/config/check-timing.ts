import { formatDuration } from '../kit/units.ts';
import type { GroupConfig } from './config.ts';
import { error, warning, type Finding } from './finding.ts';
import type { FilePath } from './problem.ts';

/** Heartbeats that must fit into one lease, so that a single late one costs nothing. */
const HEARTBEATS_IN_LEASE = 3;
const HEARTBEATS_IN_DETECT = 2;

/** Numbers that contradict each other within one group. */
export function* checkTiming(group: GroupConfig): Generator<Finding> {
  const { leaseMs, heartbeatMs, detectMs, stallTimeoutMs, finishWorkMs, switchoverTimeoutMs } = group.failover;
  const at = (key: string): FilePath => ['groups', group.name, 'failover', key];
  const lease = formatDuration(leaseMs);
  const heartbeat = formatDuration(heartbeatMs);
  const detect = formatDuration(detectMs);

  if (heartbeatMs * HEARTBEATS_IN_LEASE > leaseMs) {
    yield error(
      [at('heartbeat'), at('lease')],
      `a lease of ${lease} has no room for ${HEARTBEATS_IN_LEASE} heartbeats of ${heartbeat}`,
      `use heartbeat: ${formatDuration(Math.floor(leaseMs / HEARTBEATS_IN_LEASE))} or less, or lease: ${formatDuration(heartbeatMs * HEARTBEATS_IN_LEASE)} or more`,
    );
  }
  if (detectMs < heartbeatMs * HEARTBEATS_IN_DETECT) {
    yield error(
      [at('detect'), at('heartbeat')],
      `silence of ${detect} is less than ${HEARTBEATS_IN_DETECT} heartbeats of ${heartbeat}`,
      `use detect: ${formatDuration(heartbeatMs * HEARTBEATS_IN_DETECT)} or more`,
    );
  } else if (detectMs > leaseMs) {
    yield warning(
      [at('detect'), at('lease')],
      `silence is noticed after ${detect} only, though the lease of ${lease} has run out before`,
      `use detect: ${lease} or less, unless slow failover is wanted`,
    );
  }
  const leastStallMs = Math.max(leaseMs, detectMs);
  if (stallTimeoutMs < leastStallMs) {
    yield error(
      [at('stallTimeout'), at('lease'), at('detect')],
      `a slave is given up after ${formatDuration(stallTimeoutMs)}, before its lease (${lease}) or its silence (${detect}) is over`,
      `use stallTimeout: ${formatDuration(leastStallMs)} or more`,
    );
  }
  // Once to stop new work, once for requests under way to end.
  if (2 * finishWorkMs > switchoverTimeoutMs) {
    yield error(
      [at('finishWork'), at('switchoverTimeout')],
      `requests get ${formatDuration(finishWorkMs)} to end, more than half of the ${formatDuration(switchoverTimeoutMs)} after which a planned change is rolled back`,
      `use switchoverTimeout: ${formatDuration(2 * finishWorkMs)} or more, or a shorter finishWork`,
    );
  }
  yield* checkAppTiming(group);
}

function* checkAppTiming({ name, app }: GroupConfig): Generator<Finding> {
  const at = (...keys: string[]): FilePath => ['groups', name, 'app', ...keys];
  if (app.promote !== null && app.hookTimeoutMs > app.readyTimeoutMs) {
    yield error(
      [at('hookTimeout'), at('readyTimeout')],
      `the promote hook may take ${formatDuration(app.hookTimeoutMs)}, but the promotion fails after ${formatDuration(app.readyTimeoutMs)}`,
      `use hookTimeout: ${formatDuration(app.readyTimeoutMs)} or less, or a longer readyTimeout`,
    );
  }
}
