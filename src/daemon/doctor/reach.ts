import { connect } from 'node:net';
import { formatEndpoint } from '../../kit/address.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { critical, fine, warning, type Look } from './finding.ts';
import type { Listening } from './ports.ts';

const CONNECT_TIMEOUT_MS = 2000;

/** Whether somebody takes connections there, and how long it takes beside the heartbeats. */
export function lookAtReach(
  what: string,
  endpoint: Listening,
  heartbeatMs: number,
  scheduler: Scheduler,
): Promise<Look> {
  const check = `reach ${what}`;
  const where = formatEndpoint(endpoint);
  return new Promise((resolve) => {
    const beganMs = scheduler.monotonicMs();
    const socket = connect(endpoint);
    const finish = (look: Look): void => {
      timer.cancel();
      socket.destroy();
      resolve(look);
    };
    const timer = scheduler.after(CONNECT_TIMEOUT_MS, () =>
      finish(
        critical(
          check,
          `${where} does not answer`,
          'see routes and firewalls between the machines, and whether it is on',
        ),
      ),
    );
    socket.once('connect', () => {
      const tookMs = scheduler.monotonicMs() - beganMs;
      if (tookMs <= heartbeatMs) return finish(fine(check, `${where} answers in ${tookMs.toFixed(1)} ms`));
      finish(
        warning(
          check,
          `${where} takes ${Math.round(tookMs)} ms, longer than a heartbeat`,
          'use a profile with longer times, like wan',
        ),
      );
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') {
        return finish(warning(check, `nobody listens at ${where}`, 'start its agent; its machine is there'));
      }
      finish(critical(check, `${where}: ${error.message}`, 'see routes and firewalls between the machines'));
    });
  });
}
