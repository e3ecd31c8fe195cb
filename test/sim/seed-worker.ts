import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { mutantHooks } from './mutant.ts';
import type { SeedResult, WorkerData } from './run-seeds.ts';

/** Runs the seeds that it is sent, one after the other; with a mutant, in code that was changed while it was loaded. */

const { mutant } = workerData as WorkerData;
const hooks = mutant === null ? null : mutantHooks(mutant);
if (hooks !== null) registerHooks(hooks.hooks);
const { Simulation } = await import('./simulation.ts');
hooks?.assertApplied();

let present: InstanceType<typeof Simulation> | null = null;
process.on('unhandledRejection', (reason: unknown) => present?.crashed(reason));

parentPort?.on('message', (seed: number) => {
  void runSeed(seed);
});

async function runSeed(seed: number): Promise<void> {
  const before = process.threadCpuUsage();
  present = new Simulation(seed, {
    ...(mutant?.faults === undefined ? {} : { only: mutant.faults }),
    ...(mutant?.story === undefined ? {} : { story: mutant.story }),
  });
  const { violation, hash, simulatedMs, changes, acknowledged } = await present.run();
  const { user, system } = process.threadCpuUsage(before);
  const cpuMs = (user + system) / 1000;
  const result: SeedResult = { seed, violation, hash, simulatedMs, changes, acknowledged, cpuMs };
  parentPort?.postMessage(result);
}
