import type { Scheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import { SdNotify } from '../kit/sd-notify.ts';

const STATUS_MS = 5_000;

/**
 * Says that the daemon is ready, that its event loop turns, and what it is doing. Call the result when it stops.
 * Does nothing where systemd did not start the process.
 */
export function notifySystemd(scheduler: Scheduler, logger: Logger, status: () => string): () => Promise<void> {
  const notify = new SdNotify(process.env, logger);
  notify.ready();
  const timers = [scheduler.every(STATUS_MS, () => notify.status(status()), 0)];
  if (notify.watchdogMs !== null) timers.push(scheduler.every(notify.watchdogMs / 3, () => notify.watchdog()));
  return async () => {
    for (const timer of timers) timer.cancel();
    notify.stopping();
    await notify.close();
  };
}
