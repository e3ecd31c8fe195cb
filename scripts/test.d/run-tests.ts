/**
 * Runs test files under node's own runner and closes with one line of counts.
 * A run fails when a test fails, a file runs none, a file hangs, and in CI (CI=true) when a test is skipped.
 *
 *   run-tests.ts [--fast] [--file-limit SECONDS] [PATH...]
 */

import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { HsctlError, messageOf } from '../../src/kit/errors.ts';
import { Tally } from './tally.ts';
import { findTestFiles } from './test-files.ts';

const TEST_ROOT = fileURLToPath(new URL('../../test', import.meta.url));
const TEST_LIMIT_MS = 300_000;
const UNIT_PROCESSES = 2;

const { values: flags, positionals } = parseArgs({
  options: { fast: { type: 'boolean', default: false }, 'file-limit': { type: 'string', default: '900' } },
  allowPositionals: true,
});

/** Runs files, `processes` at a time, their results on standard output. */
async function runFiles(files: readonly string[], processes: number, tally: Tally): Promise<void> {
  if (files.length === 0) return;
  const limitMs = Number(flags['file-limit']) * 1000;
  const off = new AbortController();
  const running = new Map<string, NodeJS.Timeout>();
  const events = run({ files: [...files], concurrency: processes, timeout: TEST_LIMIT_MS, signal: off.signal });
  events.on('test:dequeue', ({ name, file }) => {
    if (name !== file) return;
    const hung = (): void => {
      console.error(`${file}: still running after ${limitMs / 1000} s; all test files are stopped`);
      off.abort();
    };
    running.set(file, setTimeout(hung, limitMs));
  });
  events.on('test:complete', ({ name, file }) => {
    if (name === file) clearTimeout(running.get(file));
  });
  events.on('data', (event: TestEvent) => tally.add(event));
  for await (const text of events.compose(new spec())) process.stdout.write(text as string);
}

async function main(): Promise<void> {
  const tally = new Tally();
  const { unit, hosts } = findTestFiles(TEST_ROOT, positionals);
  if (hosts.length > 0 && !flags.fast && process.getuid?.() !== 0) {
    throw new HsctlError(
      'refused',
      'some of these tests make network namespaces, which only root may',
      'Run as root, or with --fast, which leaves them out.',
    );
  }
  await runFiles(unit, UNIT_PROCESSES, tally);
  if (!flags.fast) await runFiles(hosts, 1, tally);
  const complaints = tally.complaints(process.env['CI'] === 'true');
  for (const complaint of complaints) console.log(`scripts/test: ${complaint}`);
  console.log(tally.closingLine());
  process.exitCode = tally.failed > 0 || complaints.length > 0 ? 1 : 0;
}

try {
  await main();
} catch (thrown) {
  console.error(`scripts/test: ${messageOf(thrown)}`);
  if (thrown instanceof HsctlError && thrown.hint !== '') console.error(`scripts/test: ${thrown.hint}`);
  process.exitCode = 2;
}
