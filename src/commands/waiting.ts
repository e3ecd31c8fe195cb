import type { ApiClient } from '../api/client.ts';
import { sleep, type Scheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import { roundDuration } from '../kit/amounts.ts';
import type { GroupEvent } from '../model/event.ts';
import type { GroupStatus } from '../model/status.ts';

/** How often a command that waits looks again. */
const LOOK_MS = 100;
const EVENTS_PER_LOOK = 100;

export interface Wait {
  readonly client: ApiClient;
  readonly scheduler: Scheduler;
  readonly group: string;
  /** After this long the wait fails; null: never. */
  readonly timeoutMs: number | null;
  /** What is waited for, for the error: `b serves world`. */
  readonly what: string;
  /** Told of each event of the group behind this one. */
  readonly afterEventId: number;
  onEvent(event: GroupEvent): void;
}

/**
 * Looks at the group until `verdict` gives something other than null, which is returned. A controller that restarts
 * meanwhile is waited for. @throws HsctlError('timeout'), and whatever `verdict` throws
 */
export async function waitFor<Result>(wait: Wait, verdict: (group: GroupStatus) => Result | null): Promise<Result> {
  const startMs = wait.scheduler.monotonicMs();
  let afterId = wait.afterEventId;
  for (;;) {
    try {
      const [group] = (await wait.client.status(wait.group)).groups;
      const events = await wait.client.events({ group: wait.group, afterId, limit: EVENTS_PER_LOOK });
      for (const event of events) {
        wait.onEvent(event);
        afterId = event.id;
      }
      const result = group === undefined ? null : verdict(group);
      if (result !== null) return result;
    } catch (error) {
      if (!(error instanceof HsctlError) || error.code !== 'unreachable') throw error;
    }
    if (wait.timeoutMs !== null && wait.scheduler.monotonicMs() - startMs >= wait.timeoutMs) {
      throw new HsctlError(
        'timeout',
        `waited ${roundDuration(wait.timeoutMs)} in vain: ${wait.what}`,
        'it may still come; see "hsctl status" and "hsctl explain"',
      );
    }
    await sleep(wait.scheduler, LOOK_MS);
  }
}
