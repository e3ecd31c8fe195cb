import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/kit/exec.ts';

const RUNNER = fileURLToPath(new URL('../../scripts/test.d/run-tests.ts', import.meta.url));
const HEAD = "import { suite, test, before } from 'node:test';\n";

suite('the test runner', () => {
  let folder = '';
  before(() => void (folder = mkdtempSync(join(tmpdir(), 'hsctl-runner-'))));
  after(() => rmSync(folder, { recursive: true }));

  /** Runs one test file of this text; returns the exit code, the closing line and everything printed. */
  async function outcome(text: string, args: readonly string[] = [], ci = 'false') {
    const file = join(folder, 'it.test.ts');
    writeFileSync(file, HEAD + text);
    // Node's runner refuses to run below itself as long as it is told that it does.
    const command = ['env', '-u', 'NODE_TEST_CONTEXT', process.execPath, RUNNER, ...args, file];
    const result = await run(command, { timeoutMs: 60_000, env: { CI: ci }, acceptExit: () => true });
    const closing = result.stdout.trimEnd().split('\n').at(-1);
    return { exit: result.exitCode, closing, printed: result.stdout + result.stderr };
  }

  test('counts tests, not suites, and keeps the counts of node in sight', async () => {
    const { exit, closing, printed } = await outcome(
      `suite('s', () => { test('a', () => {}); test('b', () => {}); });`,
    );
    assert.deepEqual([exit, closing], [0, '2 passed, 0 failed, 0 skipped']);
    assert.match(printed, /tests 2\n/);
  });

  test('a failed test fails the run', async () => {
    const { exit, closing } = await outcome(`test('a', () => {}); test('b', () => { throw new Error('b'); });`);
    assert.deepEqual([exit, closing], [1, '1 passed, 1 failed, 0 skipped']);
  });

  test('a file that cannot be loaded fails the run', async () => {
    assert.equal((await outcome(`import './absent.ts';`)).exit, 1);
  });

  test('a hook that fails after its tests passed fails the run', async () => {
    const { exit } = await outcome(`import { after } from 'node:test';
      suite('s', () => { after(() => { throw new Error('after'); }); test('a', () => {}); });`);
    assert.equal(exit, 1);
  });

  test('a file without a test fails the run', async () => {
    const { exit, closing, printed } = await outcome('export {};');
    assert.deepEqual([exit, closing], [1, '0 passed, 0 failed, 0 skipped']);
    assert.match(printed, /no test ran in .*it\.test\.ts/);
  });

  test('skipped and to-do tests pass at the desk and fail in CI', async () => {
    const text = `test('a', () => {}); test.skip('b'); test.todo('c');`;
    const desk = await outcome(text);
    assert.deepEqual([desk.exit, desk.closing], [0, '1 passed, 0 failed, 2 skipped']);
    const ci = await outcome(text, [], 'true');
    assert.equal(ci.exit, 1);
    assert.match(ci.printed, /CI does not accept: .*it\.test\.ts: b/);
  });

  test('a file that never ends is stopped and named', async () => {
    const text = `test('a', () => {}); setInterval(() => {}, 1000);`;
    const { exit, printed } = await outcome(text, ['--file-limit', '1']);
    assert.equal(exit, 1);
    assert.match(printed, /it\.test\.ts: still running after 1 s/);
  });

  test('a path that holds no test is an error', async () => {
    const command = ['env', '-u', 'NODE_TEST_CONTEXT', process.execPath, RUNNER, '/nonexistent'];
    const result = await run(command, { timeoutMs: 60_000, acceptExit: () => true });
    assert.deepEqual([result.exitCode, result.stderr], [2, 'scripts/test: /nonexistent: no such file or folder\n']);
  });
});
