import { workerData } from 'node:worker_threads';
import fc from 'fast-check';
import { LogLife, anyCommands } from './log-commands.ts';
import { seeded } from './open-log.ts';

/** A thread that plays random lives of logs, as many as it is told; an error ends it. */
const { runs } = workerData as { readonly runs: number };

await fc.assert(
  fc.asyncProperty(anyCommands, fc.integer({ min: 1 }), async (commands, seed) => {
    await new LogLife(seeded(seed)).run(commands);
  }),
  { numRuns: runs },
);
