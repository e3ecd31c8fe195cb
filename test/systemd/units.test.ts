import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, suite, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run, type RunResult } from '../../src/kit/exec.ts';

const UNITS = fileURLToPath(new URL('../../scripts/systemd', import.meta.url));
/** In tenths, as systemd-analyze wants it: what the units may expose at most. */
const MOST_EXPOSURE = '25';

suite('systemd units', () => {
  let folder = '';
  const names = readdirSync(UNITS);

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'hsctl-units-'));
    for (const name of names) {
      // That hsctl is installed is not what is checked here.
      const text = readFileSync(join(UNITS, name), 'utf8').replaceAll(/^(Exec\w+)=hsctl /gm, '$1=true ');
      writeFileSync(join(folder, name), text);
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  function analyze(...args: readonly string[]): Promise<RunResult> {
    return run(['systemd-analyze', ...args], { timeoutMs: 60_000, acceptExit: () => true });
  }

  test('are a controller and a template of agents', () => {
    assert.deepEqual(names, ['hsctl-agent@.service', 'hsctl-controller.service']);
  });

  for (const name of names) {
    test(`${name} is understood by systemd`, async () => {
      const { exitCode, stdout, stderr } = await analyze('verify', '--man=no', join(folder, name));
      assert.deepEqual([exitCode, stdout, stderr], [0, '', '']);
    });

    test(`${name} exposes little`, async () => {
      const { exitCode, stdout } = await analyze(
        'security',
        '--offline=true',
        `--threshold=${MOST_EXPOSURE}`,
        '--no-pager',
        join(folder, name),
      );
      assert.equal(exitCode, 0, stdout);
    });
  }

  test('leave nothing of a former run behind: an order to `ip` that comes late would put an address back', () => {
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8');
      assert.match(text, /^KillMode=mixed$/m, name);
      assert.doesNotMatch(text, /^SendSIGKILL=no$/m, name);
    }
  });

  test('the checks can fail', async () => {
    const wrong = join(folder, 'wrong.service');
    writeFileSync(wrong, '[Service]\nExecStart=/bin/true\nWatchdogSecs=5\n');
    assert.match((await analyze('verify', '--man=no', wrong)).stderr, /WatchdogSecs/);
    const { exitCode } = await analyze('security', '--offline=true', `--threshold=${MOST_EXPOSURE}`, wrong);
    assert.equal(exitCode, 1);
  });
});
