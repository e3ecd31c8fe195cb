import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Mutant } from './mutant.ts';
import type { Violation } from './world.ts';

export interface WorkerData {
  readonly mutant: Mutant | null;
}

export interface SeedResult {
  readonly seed: number;
  readonly violation: Violation | null;
  readonly hash: number;
  readonly simulatedMs: number;
  readonly changes: number;
  readonly acknowledged: number;
  /** What the run cost on this machine. */
  readonly cpuMs: number;
}

export interface SeedsOptions {
  readonly from: number;
  readonly count: number;
  readonly workers?: number;
  readonly mutant?: Mutant;
  /** Stops when this says so; told of each seed as it ends. */
  readonly onResult?: (result: SeedResult) => 'stop' | 'go on';
}

/** Runs seeds in parallel. Results come in the order of the seeds, as far as the run got. */
export async function runSeeds(options: SeedsOptions): Promise<SeedResult[]> {
  const { from, count, mutant = null, onResult } = options;
  const workers = Math.min(options.workers ?? availableParallelism(), count);
  const results: SeedResult[] = [];
  let next = from;
  let stopped = false;
  const started: Worker[] = [];
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const data: WorkerData = { mutant };
      const worker = new Worker(new URL('seed-worker.ts', import.meta.url), { workerData: data });
      started.push(worker);
      const goOn = (): void => {
        if (stopped || next >= from + count) return resolve();
        worker.postMessage(next);
        next += 1;
      };
      worker.on('error', reject);
      worker.on('exit', () => reject(new Error('a worker of the simulation ended by itself')));
      worker.on('message', (result: SeedResult) => {
        results.push(result);
        if (onResult?.(result) === 'stop') stopped = true;
        goOn();
      });
      goOn();
    });
  try {
    await Promise.all(Array.from({ length: workers }, runOne));
  } finally {
    await Promise.all(started.map((worker) => worker.terminate()));
  }
  return results.toSorted((one, other) => one.seed - other.seed);
}
