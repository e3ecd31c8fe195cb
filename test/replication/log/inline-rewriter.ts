import type { Disk } from '../../../src/replication/log/disk.ts';
import { turn } from '../../../src/replication/log/turns.ts';
import { rewriteRun } from '../../../src/replication/log/compaction/rewrite-run.ts';
import type { Rewriter } from '../../../src/replication/log/compaction/rewriter.ts';

/** Rewrites on the caller's own thread, in turns: for disks that no other thread can reach. Knows no pace. */
export function inlineRewriter(disk: Disk): Rewriter {
  return (job, answer, signal) =>
    rewriteRun(disk, job, answer, async () => {
      signal.throwIfAborted();
      await turn();
    });
}
