import type { Disk } from '../disk.ts';
import { turn } from '../turns.ts';
import { rewriteRun } from './rewrite-run.ts';
import type { Rewriter } from './rewriter.ts';

/** Rewrites on the caller's own thread, in turns: for disks that no other thread can reach. Knows no pace. */
export function inlineRewriter(disk: Disk): Rewriter {
  return (job, answer, signal) =>
    rewriteRun(disk, job, answer, async () => {
      signal.throwIfAborted();
      await turn();
    });
}
