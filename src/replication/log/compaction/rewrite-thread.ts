import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { sleep, systemScheduler } from '../../../kit/clock.ts';
import { HsctlError, messageOf } from '../../../kit/errors.ts';
import { TokenBucket } from '../../pace/token-bucket.ts';
import { Damage } from '../disk-failure.ts';
import { ENTRY_WORDS } from '../entry-list.ts';
import { NodeDisk } from '../node-disk.ts';
import { type Pacer, rewriteRun } from './rewrite-run.ts';
import type { LivenessAnswer, RewriteJob } from './rewriter.ts';
import type { FromThread, QuestionRoom, ToThread } from './thread-messages.ts';

/** The thread that rewrites segments: see `threadRewriter`, which starts it. */

const INTERVAL_MS = 50;

let abort = new AbortController();
let takeAnswer: () => void = () => undefined;

// Null where the module is loaded outside a thread, as by the test of the package.
if (parentPort !== null) listen(parentPort);

function listen(port: MessagePort): void {
  port.on('message', (message: ToThread) => {
    if (message.type === 'answer') takeAnswer();
    else if (message.type === 'abort') abort.abort();
    else void work(port, message.job);
  });
}

async function work(port: MessagePort, job: RewriteJob): Promise<void> {
  abort = new AbortController();
  try {
    const result = await rewriteRun(new NodeDisk(), job, asker(port), pacer(job, abort.signal));
    const buffers = result.moves.map((part) => part.buffer as ArrayBuffer);
    port.postMessage({ type: 'done', result } satisfies FromThread, buffers);
  } catch (error) {
    const hint = error instanceof HsctlError ? error.hint : '';
    const damage = error instanceof Damage;
    port.postMessage({ type: 'failed', message: messageOf(error), hint, damage } satisfies FromThread);
  }
}

function asker(port: MessagePort): LivenessAnswer {
  const { words, live } = workerData as QuestionRoom;
  return (input, entries) => {
    abort.signal.throwIfAborted();
    words.set(entries);
    return new Promise((resolve) => {
      takeAnswer = () => resolve(live.subarray(0, entries.length / ENTRY_WORDS));
      port.postMessage({ type: 'question', input, entries: entries.length / ENTRY_WORDS } satisfies FromThread);
    });
  };
}

/** Waits as the pace wants it; lets messages in between come through in any case. */
function pacer({ bytesPerSecond, hurry }: RewriteJob, signal: AbortSignal): Pacer {
  const bucket = new TokenBucket({ bytesPerSecond, intervalMs: INTERVAL_MS }, systemScheduler.monotonicMs());
  return async (bytes) => {
    signal.throwIfAborted();
    while (Atomics.load(hurry, 0) === 0) {
      const nowMs = systemScheduler.monotonicMs();
      const waitMs = bucket.waitMs(bytes, nowMs);
      if (waitMs === 0) return bucket.take(bytes, nowMs);
      await sleep(systemScheduler, waitMs, signal);
      signal.throwIfAborted();
    }
  };
}
