import type { Scheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import { SdNotify } from '../kit/sd-notify.ts';

const STATUS_MS = 5_000;

export interface SystemdWord {
  /** To be called as soon as the daemon was told to stop. */
  stopping(): void;
  /** Resolves when systemd has what was said. */
  close(): Promise<void>;
}

/**
 * Says that the daemon is ready, that its event loop turns, and what it is doing. Does nothing where systemd did not
 * start the process.
 */
export function notifySystemd(scheduler: Scheduler, logger: Logger, status: () => string): SystemdWord {
  const notify = new SdNotify(process.env, logger);
  notify.ready();
  const timers = notify.isHeard ? [scheduler.every(STATUS_MS, () => notify.status(status()), 0)] : [];
  if (notify.watchdogMs !== null) timers.push(scheduler.every(notify.watchdogMs / 3, () => notify.watchdog()));
  return {
    stopping: () => notify.stopping(),
    close() {
      for (const timer of timers) timer.cancel();
      return notify.close();
    },
  };
}
