import { once } from 'node:events';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { tries } from '../../effort.ts';

/** Number of random lives, and of threads that share them. There, the test runner's hooks do not see each promise. */
const RUNS = tries(10_000);
const THREADS = 2;

test('a log that is killed, cut and reset at random is what a list of batches would be', async () => {
  const threads = Array.from({ length: THREADS }, () => {
    return new Worker(new URL('./lives-thread.ts', import.meta.url), {
      workerData: { runs: Math.ceil(RUNS / THREADS) },
    });
  });
  try {
    await Promise.all(threads.map((thread) => once(thread, 'exit')));
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
});
