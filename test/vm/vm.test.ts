import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VmResult } from './result.ts';
import { TestVm } from './vm.ts';

const INSIDE = fileURLToPath(new URL('inside', import.meta.url));
/** A machine that has not told all by then hangs: it takes less than half of that where nobody else uses the processors. */
const LIMIT_MS = 280_000;

/** What this run reports of a test that ran in the VM. */
function retell({ outcome, failure }: VmResult): void {
  if (outcome !== 'failed') return;
  const error = new Error(failure);
  error.stack = failure;
  throw error;
}

/** Runs files in a machine of their own, as tests of `t`. */
async function runIn(t: TestContext, files: readonly string[]): Promise<void> {
  const vm = await TestVm.start(files.map((file) => join(INSIDE, file)));
  try {
    for await (const line of vm.results(LIMIT_MS)) {
      if (line.kind === 'said') {
        t.diagnostic(line.text);
        continue;
      }
      const seconds = (line.durationMs / 1000).toFixed(1);
      await t.test(`${line.name} (${seconds} s)`, { skip: line.outcome === 'skipped' }, () => retell(line));
    }
  } finally {
    await vm.close();
  }
}

// Two machines at once, as one alone uses little more than one of two processors.
describe('on a kernel with IPVS', { concurrency: true }, () => {
  const files = globSync('*.inside.ts', { cwd: INSIDE }).toSorted();
  const isLong = (file: string): boolean => file === 'ipvs-pair.inside.ts';
  const timeout = LIMIT_MS + 15_000;
  it('a pair', { timeout }, (t) => runIn(t, files.filter(isLong)));
  it('its parts', { timeout }, (t) =>
    runIn(
      t,
      files.filter((file) => !isLong(file)),
    ),
  );
});
