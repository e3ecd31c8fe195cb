import { HsctlError } from '../../kit/errors.ts';
import type { LogPosition } from '../../model/position.ts';
import type { Log } from '../log/log.ts';
import type { CutPlan } from './attach-plan.ts';

/**
 * Takes from the log what `plan` says has to go; each archive is told to `onArchive`. Resolves to false if the log
 * now starts from nothing and the master does not know: it has to be greeted again.
 * @throws HsctlError('disk')
 */
export async function carryOutCut(
  log: Log,
  plan: Exclude<CutPlan, { kind: 'conflict' | 'repair' }>,
  onArchive: (path: string) => void,
): Promise<boolean> {
  if (plan.kind === 'none') return true;
  if (plan.kind === 'cut') {
    const path = await cutTo(log, plan.to);
    if (path !== null && path !== '') onArchive(path);
    if (path !== null) return true;
  }
  onArchive(await log.reset());
  return plan.kind === 'reset' && !plan.greetAgain;
}

/** The archive's path, '' if there was nothing to keep; null if the log cannot be cut there any more, because it was compacted. */
async function cutTo(log: Log, position: LogPosition): Promise<string | null> {
  try {
    return await log.cut(position);
  } catch (thrown) {
    if (thrown instanceof HsctlError && thrown.code === 'refused') return null;
    throw thrown;
  }
}
