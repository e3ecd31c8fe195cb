import { test } from 'node:test';
import fc from 'fast-check';
import { LogLife, anyCommands } from './log-commands.ts';

/** Number of random lives; issue 3 asks for 10,000 once. */
const RUNS = Number(process.env['HSCTL_LOG_RUNS'] ?? 300);

test('a log that is killed, cut and reset at random is what a list of batches would be', async () => {
  await fc.assert(
    fc.asyncProperty(anyCommands, fc.integer({ min: 1 }), async (commands, seed) => {
      await new LogLife(seeded(seed)).run(commands);
    }),
    { numRuns: RUNS },
  );
});

/** mulberry32 */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
