import assert from 'node:assert/strict';
import { cpSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { run } from '../../src/kit/exec.ts';
import type { NodeTrafficDeps } from '../../src/traffic/deps.ts';
import type * as frameSender from '../../src/traffic/vip/frame-sender.ts';
import { parseVirtualAddress } from '../../src/traffic/vip/plan.ts';
import { realDeps } from '../traffic/group.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  files: string[];
  exports: Record<string, { types: string; default: string }>;
};

suite('the package that is published', () => {
  let folder = '';

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'hsctl-package-'));
    const tsc = ['tsc', '-p', join(ROOT, 'tsconfig.build.json'), '--outDir', join(folder, 'dist')];
    await run([join(ROOT, 'node_modules/.bin', tsc[0] ?? ''), ...tsc.slice(1)], { timeoutMs: 120_000 });
    for (const file of ['package.json', ...manifest.files]) {
      if (file !== 'dist') cpSync(join(ROOT, file), join(folder, file), { recursive: true });
    }
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('runs without the source it was built from', async () => {
    const env = { NODE_DISABLE_COMPILE_CACHE: '1' };
    const { stdout } = await run([join(folder, 'bin/hsctl.js'), '--version'], { timeoutMs: 30_000, env });
    assert.equal(stdout, `hsctl ${manifest.version}\n`);
  });

  test('every module of it can be loaded', async () => {
    const modules = globSync('dist/**/*.js', { cwd: folder });
    assert.ok(modules.length > 50);
    const load = modules.map((path) => `await import(${JSON.stringify(pathToFileURL(join(folder, path)).href)});`);
    const command = [process.execPath, '--input-type=module', '-'];
    await run(command, { timeoutMs: 60_000, input: load.join('\n') });
  });

  test('finds the program that it brings along', async () => {
    const path = join(folder, 'dist/traffic/vip/frame-sender.js');
    const built = (await import(pathToFileURL(path).href)) as typeof frameSender;
    const commands: (readonly string[])[] = [];
    const deps: NodeTrafficDeps = {
      ...realDeps,
      run: (command) => {
        commands.push(command);
        return Promise.resolve({ stdout: '', stderr: '', exitCode: 0 });
      },
    };
    await new built.FrameSender(parseVirtualAddress('10.0.0.100/32', 'eth0'), deps).fault();
    const [, program = ''] = commands[0] ?? [];
    assert.ok(program.startsWith(folder) && existsSync(program), program);
  });

  test('what it exports is there, with its types', () => {
    for (const [name, target] of Object.entries(manifest.exports)) {
      for (const file of typeof target === 'string' ? [target] : Object.values(target)) {
        assert.ok(existsSync(join(folder, file)), `${name}: ${file}`);
      }
    }
  });
});
