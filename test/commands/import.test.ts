import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'config', 'keepalived');
const example = (name: string): string => join(EXAMPLES, `${name}.conf`);

let cli: CliFixture;
beforeEach(() => {
  cli = new CliFixture();
});
afterEach(() => cli.close());

describe('hsctl import', () => {
  it('writes the configuration of both machines, remarks aside', async () => {
    const output = join(cli.directory, 'new.yaml');
    const files = [example('unicast-pair'), example('unicast-pair.other')];
    const { code, stdout, stderr } = await cli.run(['import', ...files, '--cluster', 'realm', '--output', output]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /new\.yaml: group world\nnext: hsctl config check --config .*new\.yaml/);
    assert.match(readFileSync(output, 'utf8'), /\ncluster: realm\n/);
    assert.equal((await cli.run(['config', 'check', '--config', output])).code, 0);
    assert.match((await cli.run(['import', ...files, '--output', output])).stderr, /is there already\n/);
  });

  it('takes what the file does not say from flags', async () => {
    const addresses = ['--address', 'a=192.0.2.1', '--address', 'b=192.0.2.2'];
    const { code, stdout, stderr } = await cli.run(['import', example('single-address'), ...addresses]);
    assert.equal(code, 0);
    assert.match(stdout, /\n {6}a: \{ address: 192\.0\.2\.1 \}\n {6}b: \{ address: 192\.0\.2\.2 \}\n/);
    assert.match(stderr, /single-address\.conf:11: omitted: authentication: .*hsctl cert init/);
    assert.doesNotMatch(stderr, /gap/);
  });

  it('leaves a mark where nobody knows, and config check points at it', async () => {
    const output = join(cli.directory, 'new.yaml');
    await cli.run(['import', example('notify'), '--output', output]);
    const { code, stderr } = await cli.run(['config', 'check', '--config', output]);
    assert.equal(code, 2);
    assert.match(stderr, /groups\.cache\.nodes\.b\.address: found "FILL IN: the address of node b"; write an address/);
  });

  it('reads one file as each of its machines', async () => {
    const ids = ['--config-id', 'left', '--config-id', 'right'];
    const { stdout } = await cli.run(['import', example('conditional'), ...ids, '--json']);
    const { groups, remarks } = JSON.parse(stdout) as { groups: string[]; remarks: object[] };
    assert.deepEqual(groups, ['chat']);
    assert.equal(remarks.length, 2);
    const without = await cli.run(['import', example('conditional')]);
    assert.equal(without.code, 2);
    assert.match(
      without.stderr,
      /for the machines left, right only\n {2}name both machines: --config-id left --config-id right/,
    );
  });

  it('refuses what is no file, or no text, without a look at its bytes', async () => {
    const binary = join(cli.directory, 'binary');
    writeFileSync(binary, 'vrrp_instance "\u001b[2J\0');
    for (const [path, why] of [
      [binary, 'not text'],
      [cli.directory, 'not a file'],
      ['/dev/zero', 'not a file'],
    ] as const) {
      const { code, stderr } = await cli.run(['import', path]);
      assert.deepEqual([code, stderr], [2, `hsctl: ${path}: ${why}\n  name a keepalived.conf that can be read\n`]);
    }
  });

  it('refuses what cannot be read, naming file and line', async () => {
    const broken = join(cli.directory, 'broken.conf');
    writeFileSync(broken, 'vrrp_instance v {\n');
    for (const [path, stderr] of [
      [broken, /broken\.conf:1: the block of "vrrp_instance" is not closed/],
      [join(cli.directory, 'none.conf'), /none\.conf: .*ENOENT/],
      [example('balancer'), /balancer\.conf:2: omitted: .*3 servers that all work at once/],
    ] as const) {
      const outcome = await cli.run(['import', path]);
      assert.deepEqual([outcome.code, outcome.stdout], [2, '']);
      assert.match(outcome.stderr, stderr);
    }
  });
});
