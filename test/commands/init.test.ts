import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
let file: string;
beforeEach(() => {
  cli = new CliFixture();
  file = join(cli.directory, 'etc', 'new.yaml');
});
afterEach(() => cli.close());

const PAIR = ['--address', 'a=192.0.2.11', '--address', 'b=192.0.2.12', '--port', '9000'];
const FLAGS = [...PAIR, '--virtual', '192.0.2.100/32', '--interface', 'eth0', '--group', 'arena'];

describe('hsctl init', () => {
  it('writes a commented file that passes its own check, and says what comes next', async () => {
    const { code, stdout, stderr } = await cli.run(['init', ...FLAGS, '--output', file]);
    assert.deepEqual([code, stderr], [0, '']);
    assert.match(stdout, /is written\n\nnext:\n {2}hsctl cert init /);
    assert.match(stdout, /systemctl enable --now hsctl-agent@arena:a /);
    assert.match(stdout, /\n\nthe units are in \/.*\/scripts\/systemd: copy them to \/etc\/systemd\/system, after /);
    const columns = stdout
      .split('\n')
      .slice(3, -3)
      .map((line) => /\S {2,}(?=\S)/.exec(line.trimStart()));
    assert.equal(new Set(columns.map((found) => found && found.index + found[0].length)).size, 1, 'one column');
    assert.match(
      readFileSync(file, 'utf8'),
      /^# The same file on every machine[^]*\n {2}arena:\n[^]*# How clients reach the master/,
    );
    const check = await cli.run(['config', 'check', '--config', file]);
    assert.deepEqual([check.code, check.stderr], [0, '']);
  });

  it('never replaces a file unasked', async () => {
    await cli.run(['init', ...FLAGS, '--output', file]);
    writeFileSync(file, 'mine\n');
    const { code, stderr } = await cli.run(['init', ...FLAGS, '--output', file]);
    assert.equal(code, 1);
    assert.match(stderr, /^hsctl: .*new\.yaml is there already\n {2}.*--force\n$/);
    assert.equal(readFileSync(file, 'utf8'), 'mine\n');
    assert.equal((await cli.run(['init', ...FLAGS, '--output', file, '--force'])).code, 0);
    assert.notEqual(readFileSync(file, 'utf8'), 'mine\n');
  });

  it('makes a file for each way to the master, and for both nodes on one machine', async () => {
    for (const [traffic, virtual] of [
      ['vip', '192.0.2.100'],
      ['ipvs', '192.0.2.100:9000'],
      ['nft', '192.0.2.100:9000'],
      ['proxy', '192.0.2.10:9000'],
    ] as const) {
      const way = ['--traffic', traffic, '--virtual', virtual];
      const { code, stderr } = await cli.run(['init', ...PAIR, ...way, '--output', file, '--force']);
      assert.deepEqual([code, stderr], [0, '']);
    }
    const local = ['--address', 'a=127.0.0.1', '--address', 'b=127.0.0.1', '--port', '9001'];
    const { code, stdout } = await cli.run([
      'init',
      ...local,
      '--traffic',
      'proxy',
      '--virtual',
      '127.0.0.1:9000',
      '-o',
      '-',
    ]);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /^tls:/m);
  });

  it('asks on a terminal, until Ctrl-C ends it without a file', async () => {
    const child = cli.startShell(`exec script -qec '"$NODE" "$HSCTL" init -o "${file}"' /dev/null`);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (!shown.includes('Name of the cluster') && `${shown}${chunk.toString()}`.includes('Name of the cluster'))
        child.stdin.write('\u0003');
      shown += chunk.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 1, shown);
    assert.match(shown, /given up\r\n {2}nothing was written\r\n$/);
    assert.equal(existsSync(file), false);
  });

  it('takes every line that is pasted at once, and asks again for what makes no sense', async () => {
    const answers = ['yard', 'arena', '192.0.2.11', '192.0.2.12', '70000', '9000', '', '192.0.2.100/32', 'eth7', 'wan'];
    const child = cli.startShell(`exec script -qec '"$NODE" "$HSCTL" init -o "${file}"' /dev/null`);
    let shown = '';
    child.stdout.on('data', (chunk: Buffer) => {
      if (shown === '') child.stdin.write(`${answers.join('\n')}\n`);
      shown += chunk.toString();
    });
    const [code] = (await once(child, 'close')) as [number];
    assert.equal(code, 0, shown);
    assert.match(shown, /clients: 70000\r\n {2}write a port\r\nThe app's port for clients: 9000\r\n/);
    const text = readFileSync(file, 'utf8');
    assert.match(
      text,
      /^cluster: yard\n[^]*\n {2}arena:\n {4}profile: wan\b[^]*192\.0\.2\.12[^]*192\.0\.2\.100\/32, interface: eth7/m,
    );
  });

  it('takes answers from a pipe, what is usual when they end, and nothing that makes no sense', async () => {
    const piped = (lines: string): ReturnType<CliFixture['shell']> =>
      cli.shell(`printf '${lines}' | "$NODE" "$HSCTL" init --address a=192.0.2.11 -o "${file}"`);
    const short = await piped('yard\\n\\n192.0.2.12');
    assert.deepEqual([short.code, existsSync(file)], [2, false]);
    assert.match(short.stderr, /nobody to ask, and these are missing: --port, --virtual\n {2}.*\n$/);
    const wrong = await piped('yard\\n\\n192.0.2.12\\nhttp\\n9000\\n');
    assert.deepEqual([wrong.code, existsSync(file)], [2, false]);
    assert.match(wrong.stderr, /\nhsctl: The app's port for clients: "http"\n {2}write a port\n$/);
    const { code, stderr } = await piped('yard\\n\\n192.0.2.12\\n9000\\nproxy\\n192.0.2.10:9000\\n');
    assert.equal(code, 0, stderr);
    assert.match(
      readFileSync(file, 'utf8'),
      /^cluster: yard\n[^]*\n {2}world:\n[^]*type: proxy, listen: 192\.0\.2\.10:9000/m,
    );
  });

  it('says what is missing where nobody can be asked, and what does not fit', async () => {
    const none = await cli.run(['init', '--output', file]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /nobody to ask, and these are missing: .*--address b=, --port, --virtual\n/);
    for (const [argv, stderr] of [
      [[...PAIR, '--virtual', '192.0.2.300', '--interface', 'eth0'], /groups\.world\.traffic\[0\]\.address/],
      [[...PAIR, '--virtual', '192.0.2.11/32'], /is the address of a|node/],
      [['--address', 'c=192.0.2.1'], /c=192\.0\.2\.1 is no address of a node/],
    ] as const) {
      const outcome = await cli.run(['init', ...argv, '--output', file]);
      assert.equal(outcome.code, 2, outcome.stderr);
      assert.match(outcome.stderr, stderr);
      assert.equal(existsSync(file), false);
    }
  });
});
