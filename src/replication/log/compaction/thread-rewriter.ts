import { Worker } from 'node:worker_threads';
import { HsctlError } from '../../../kit/errors.ts';
import { Damage } from '../disk-failure.ts';
import { ENTRY_WORDS } from '../entry-list.ts';
import type { LivenessAnswer, RewriteJob, RewriteResult, Rewriter } from './rewriter.ts';
import { type FromThread, type QuestionRoom, questionRoom, type ToThread } from './thread-messages.ts';

/**
 * Rewrites in a thread of its own, on the machine's file system, at the job's pace. The thread is started with the first
 * job, kept for the next ones, and keeps the process alive only while it has one. One job at a time.
 */
export function threadRewriter(): Rewriter {
  const room = questionRoom();
  let worker: Worker | null = null;
  return async (job, answer, signal) => {
    signal.throwIfAborted();
    worker ??= startThread(room);
    const present = worker;
    try {
      return await runJob(present, job, answerIn(room, answer), signal);
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

type Answer = (input: number, entries: number) => Promise<void>;

function answerIn({ words, live }: QuestionRoom, answer: LivenessAnswer): Answer {
  return async (input, entries) => live.set(await answer(input, words.subarray(0, entries * ENTRY_WORDS)));
}

function startThread(workerData: QuestionRoom): Worker {
  // Named without its ending: it is .ts in the source tree and .js once built.
  const ending = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  const thread = new Worker(new URL(`./rewrite-thread${ending}`, import.meta.url), { workerData });
  thread.unref();
  return thread;
}

function runJob(worker: Worker, job: RewriteJob, answer: Answer, signal: AbortSignal): Promise<RewriteResult> {
  const send = (message: ToThread): void => worker.postMessage(message, []);
  return new Promise((resolve, reject) => {
    const onAbort = (): void => send({ type: 'abort' });
    const onError = (error: unknown): void => finish(() => reject(asError(error)));
    const onMessage = (message: FromThread): void => {
      if (message.type === 'done') return finish(() => resolve(message.result));
      if (message.type === 'failed') return finish(() => reject(errorOf(message)));
      answer(message.input, message.entries).then(() => send({ type: 'answer' }), onError);
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
