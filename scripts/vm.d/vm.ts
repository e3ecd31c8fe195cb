/** See scripts/vm. */
import { resolve } from 'node:path';
import { openShell, TestVm } from '../../test/vm/vm.ts';

const LIMIT_MS = 600_000;

async function runFiles(files: readonly string[]): Promise<number> {
  const vm = await TestVm.start(
    files.map((file) => resolve(file)),
    (text) => void process.stderr.write(text),
  );
  let failed = 0;
  let ran = 0;
  try {
    for await (const line of vm.results(LIMIT_MS)) {
      if (line.kind === 'said') continue; // seen on the console
      const { name, outcome, durationMs, failure } = line;
      console.log(`${outcome.padEnd(7)} ${name} (${(durationMs / 1000).toFixed(1)} s)${failure && `\n${failure}`}`);
      if (outcome === 'failed') failed += 1;
      ran += 1;
    }
  } finally {
    await vm.close();
  }
  return failed === 0 && ran > 0 ? 0 : 1;
}

const files = process.argv.slice(2);
process.exitCode = files.length === 0 ? await openShell() : await runFiles(files);
