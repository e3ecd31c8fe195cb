import { tool } from '../../../test/rig/tool.ts';

/**
 * Lets processes have a processor whenever they want one, before all others, for as long as `body` takes: the master
 * and its client share this machine with a slave that has one of its own in the field, and what is to be seen is how
 * the master is disturbed by feeding it, not how the scheduler divides two processors among four programs. What the
 * processes start meanwhile is not preferred.
 */
export async function firstServed<T>(pids: readonly number[], body: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) return body();
  const schedule = (policy: readonly string[], priority: number): Promise<unknown> =>
    Promise.all(pids.map((pid) => tool(['chrt', '--all-tasks', ...policy, '--pid', `${priority}`, `${pid}`])));
  await schedule(['--reset-on-fork', '--rr'], 1);
  try {
    return await body();
  } finally {
    await schedule(['--other'], 0);
  }
}
