import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { percentile } from '../../scripts/bench.d/percentile.ts';

const BENCH = fileURLToPath(new URL('../../scripts/bench.d/bench.ts', import.meta.url));

function bench(...args: readonly string[]): Promise<{ code: number | string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [BENCH, ...args], (error, _stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stderr });
    });
  });
}

describe('scripts/bench', () => {
  it('names its benches when asked for none or another', async () => {
    for (const args of [[], ['nothing'], ['failover', 'failover'], ['failover', '--runs', '0'], ['--fast']]) {
      const { code, stderr } = await bench(...args);
      assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /usage: scripts\/bench NAME .*\n.*failover/);
    }
  });
});

describe('percentile', () => {
  it('is the nearest rank', () => {
    const values = [5, 1, 4, 2, 3];
    assert.equal(percentile(values, 0.5), 3);
    assert.equal(percentile(values, 0.99), 5);
    assert.equal(percentile(values, 0.2), 1);
    assert.equal(percentile(values, 0), 1);
    assert.equal(percentile([1, 2], 0.5), 1);
  });

  it('is rounded to a tenth, and null of nothing', () => {
    assert.equal(percentile([1.26], 0.5), 1.3);
    assert.equal(percentile([], 0.5), null);
  });
});
