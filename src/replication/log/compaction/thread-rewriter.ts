import { Worker } from 'node:worker_threads';
import { HsctlError } from '../../../kit/errors.ts';
import { Damage } from '../disk-failure.ts';
import type { LivenessAnswer, RewriteJob, RewriteResult, Rewriter } from './rewriter.ts';
import type { FromThread, ToThread } from './thread-messages.ts';

/**
 * Rewrites in a thread of its own, on the machine's file system, at the job's pace. The thread is started with the first
 * job, kept for the next ones, and keeps the process alive only while it has one. One job at a time.
 */
export function threadRewriter(): Rewriter {
  let worker: Worker | null = null;
  return async (job, answer, signal) => {
    signal.throwIfAborted();
    worker ??= startThread();
    const present = worker;
    try {
      return await runJob(present, job, answer, signal);
    } catch (error) {
      // A thread that fell over is not used again; one that was told to stop is in order.
      if (!signal.aborted) {
        worker = null;
        await present.terminate();
      }
      throw error;
    }
  };
}

function startThread(): Worker {
  // Named without its ending: it is .ts in the source tree and .js once built.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const thread = new Worker(new URL(`./rewrite-thread${ending}`, import.meta.url));
  thread.unref();
  return thread;
}

function runJob(worker: Worker, job: RewriteJob, answer: LivenessAnswer, signal: AbortSignal): Promise<RewriteResult> {
  const send = (message: ToThread): void => worker.postMessage(message, []);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => send({ type: 'abort' });
    const onError = (error: unknown): void => finish(() => reject(asError(error)));
    const onMessage = (message: FromThread): void => {
      if (message.type === 'done') return finish(() => resolve(message.result));
      if (message.type === 'failed') return finish(() => reject(errorOf(message)));
      answer(message.input, message.entries).then((live) => send({ type: 'answer', live }), onError);
    };
    const finish = (settle: () => void): void => {
      worker.off('message', onMessage).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      worker.unref();
      settle();
    };
    worker.on('message', onMessage).on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    worker.ref();
    send({ type: 'job', job });
  });
}

function errorOf({ message, hint, damage }: Extract<FromThread, { type: 'failed' }>): HsctlError {
  return damage ? new Damage('disk', message, hint) : new HsctlError('disk', message, hint);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
