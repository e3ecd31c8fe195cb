import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { checkFile, checkLength, type Rule, RULES, type Violation } from './check-file.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

function show({ rule, path, line, detail }: Violation): string {
  return `${path}:${line}: ${detail} (${RULES[rule]})`;
}

suite('the source keeps to its architecture', () => {
  test('every file of src', () => {
    const source = join(ROOT, 'src');
    const paths = globSync('**/*.ts', { cwd: source });
    assert.ok(paths.length > 50, `only ${paths.length} files found`);
    const found = paths.flatMap((path) => checkFile(path, readFileSync(join(source, path), 'utf8')));
    assert.deepEqual(found.map(show), []);
  });

  test('no file is too long to be read at once', () => {
    const paths = globSync(['{src,test,scripts,examples}/**/*.{ts,js}', 'bin/*'], { cwd: ROOT });
    const found = paths.flatMap((path) => checkLength(path, readFileSync(join(ROOT, path), 'utf8')));
    assert.deepEqual(found.map(show), []);
  });

  test('no package that we install runs a script of its own when it is installed', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { hasInstallScript?: boolean; integrity?: string }>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== '');
    assert.ok(packages.length > 50);
    for (const [path, { hasInstallScript, integrity }] of packages) {
      assert.notEqual(hasInstallScript, true, path);
      assert.ok(integrity, `${path} has no checksum`);
    }
  });
});

/** For each rule, sources (path below src, text) that must be found guilty of just that. */
const GUILTY: Readonly<Record<Exclude<Rule, 'length'>, readonly (readonly [path: string, source: string])[]>> = {
  direction: [
    ['kit/a.ts', "import { x } from '../model/x.ts';"],
    ['model/a.ts', "import type { X } from '../protocol/link/x.ts';"],
    ['model/a.ts', "import { type X } from '../config/config.ts';"],
    ['model/a.ts', "import '../config/config.ts';"],
    ['model/a.ts', "export { x } from '../config/config.ts';"],
    ['model/a.ts', "export type { X } from '../config/config.ts';"],
    ['model/a.ts', "import {\n  x, // from './x.ts'\n  y,\n} from '../config/config.ts';"],
    ['model/a.ts', "type X = import('../config/config.ts').Config;"],
    ['config/a.ts', "import { x } from '../protocol/resp/x.ts';"],
    ['controller/decide.ts', "import { x } from '../replication/replica.ts';"],
    ['agent/core/a.ts', "import { x } from '../../traffic/plan.ts';"],
    ['records/a.ts', "import { x } from '../daemon/controller.ts';"],
    ['daemon/a.ts', "const { x } = await import('../commands/x.ts');"],
    ['daemon/a.ts', "import { x } from '../sdk/index.ts';"],
    ['sdk/index.ts', "import { x } from '../config/config.ts';"],
    ['sdk/index.ts', "import { x } from '../transport/link-connection.ts';"],
    ['misc/a.ts', "import { x } from '../kit/clock.ts';"],
  ],
  computed: [
    ['daemon/a.ts', 'await import(name);'],
    ['daemon/a.ts', 'await import(`./${name}.ts`);'],
  ],
  programs: [
    ['traffic/ip.ts', "import { execa } from 'execa';"],
    ['traffic/ip.ts', "import type { Result } from 'execa';"],
    ['kit/clock.ts', "import { spawn } from 'node:child_process';"],
    ['agent/app.ts', "const { fork } = require('child_process');"],
  ],
  'command line': [['daemon/a.ts', "import { ux } from '@oclif/core';"]],
  pure: [
    ['model/a.ts', "import type { Socket } from 'node:net';"],
    ['controller/decide.ts', "import { pino } from 'pino';"],
    ['controller/rules.ts', 'export const decide = async () => 1;'],
    ['agent/core/a.ts', 'let pending: Promise<void>;'],
    ['traffic/vip/plan.ts', "import { run } from '../../kit/exec.ts';"],
    ['replication/core/a.ts', "import { readFileSync } from 'node:fs';"],
    ['protocol/link/a.ts', "import { Buffer } from 'node:buffer';"],
  ],
  time: [
    ['agent/a.ts', 'const now = Date.now();'],
    ['agent/a.ts', 'const now = Date\n  .now();'],
    ['agent/a.ts', 'const now = new Date();'],
    ['agent/a.ts', 'const text = `at ${Date.now()}`;'],
    ['agent/a.ts', 'const text = `${`${performance.now()}`}`;'],
    ['agent/a.ts', 'const now = process.hrtime.bigint();'],
    ['agent/a.ts', 'setTimeout(tick, 5);'],
    ['agent/a.ts', 'globalThis.setInterval(tick, 5);'],
    ['agent/a.ts', 'const signal = AbortSignal.timeout(5);'],
    ['agent/a.ts', 'const dice = Math.random;'],
    ['agent/a.ts', "import { randomUUID } from 'node:crypto';"],
    ['agent/a.ts', "import { setTimeout as wait } from 'node:timers/promises';"],
    ['agent/a.ts', 'const half = total / 2; Date.now(); const third = total / 3;'],
    ['agent/a.ts', 'const quote = /[/"]/; Date.now(); const other = /"/;'],
  ],
  directories: [['traffic/a.ts', "import { mkdirSync } from 'node:fs';"]],
  barrel: [['model/index.ts', "export * from './a.ts';"]],
  hint: [
    ['agent/a.ts', "throw new HsctlError('failed', 'no disk', 'Mount one');"],
    [
      'agent/a.ts',
      "new HsctlError(code, text(`${a}, ${b}`, { c, d }), isFull ? 'make room' : 'mount one.', { cause });",
    ],
    ['agent/a.ts', "const finding = { what, hint: 'see `ip link`' };"],
    ['agent/a.ts', "const PLACE_HINT = 'Name one';"],
  ],
  built: [['replication/store/a.ts', "new Worker(new URL('./worker.ts', import.meta.url));"]],
};

/** What looks like a violation and is none. */
const INNOCENT: readonly (readonly [path: string, source: string])[] = [
  ['model/a.ts', "import { z } from 'zod';\nimport { x } from '../kit/units.ts';\nexport type { X } from './x.ts';"],
  ['agent/a.ts', "import { x } from '../replication/replica.ts';\nimport { y } from './core/y.ts';"],
  ['daemon/a.ts', "const { run } = await import('../api/server.ts');"],
  ['kit/clock.ts', 'export const now = () => Date.now() + performance.now(); setTimeout(x, 1);'],
  ['kit/exec.ts', "import { execa } from 'execa';"],
  ['commands/a.ts', "import { Command } from '@oclif/core';"],
  ['sdk/index.ts', "import { x } from '../protocol/resp/x.ts';"],
  ['agent/a.ts', '// Date.now()\n/* Math.random() */ const text = \'setTimeout(\' + "Date.now()" + `Date.now()`;'],
  ['agent/a.ts', 'socket.setTimeout(5); setImmediate(x); const at = new Date(ms); scheduler.after(5, x);'],
  ['agent/a.ts', 'const pattern = /Date.now()/; const inClass = /[/]Date.now()/;'],
  ['agent/a.ts', "const list = Array.from('abc'); driver.import(name); const words = ['from', './x.ts'];"],
  ['controller/ports.ts', 'interface Driver { apply(): Promise<void>; }'],
  ['model/a.ts', '/** Never a Promise, never async. */ const kinds = z.enum(["async"]);'],
  ['agent/a.ts', "new HsctlError('failed', 'Of A. B', 'HTTP needs one'); const hint = { of: 'A' }; const b = 'A.';"],
  ['traffic/vip/driver.ts', "import { run } from '../../kit/exec.ts';"],
];

suite('the check of the architecture can fail', () => {
  for (const [rule, sources] of Object.entries(GUILTY)) {
    for (const [path, source] of sources) {
      test(`${rule}: ${path}: ${source}`, () => {
        assert.deepEqual([...new Set(checkFile(path, source).map((violation) => violation.rule))], [rule]);
      });
    }
  }

  test('length', () => {
    assert.deepEqual(checkLength('src/a.ts', '\n'.repeat(399) + 'x\n'), []);
    assert.equal(checkLength('src/a.ts', '\n'.repeat(400) + 'x\n').length, 1);
  });

  for (const [path, source] of INNOCENT) {
    test(`innocent: ${path}: ${source}`, () => assert.deepEqual(checkFile(path, source).map(show), []));
  }

  test('a violation is shown with its place', () => {
    const [violation] = checkFile('agent/a.ts', '/*\n*/ `\n`;\nDate.now();');
    assert.ok(violation);
    assert.equal(show(violation), 'agent/a.ts:4: Date.now (only kit names clocks, random sources and timers)');
  });
});
