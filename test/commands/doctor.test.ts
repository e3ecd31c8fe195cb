import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { doctorAnswerSchema, type DoctorFinding } from '../../src/model/doctor-answer.ts';
import { CliFixture } from './cli-fixture.ts';

let cli: CliFixture;
beforeEach(() => {
  cli = new CliFixture();
});
afterEach(() => cli.close());

async function findings(...argv: readonly string[]): Promise<{ code: number | null; found: readonly DoctorFinding[] }> {
  const { code, stdout, stderr } = await cli.run(['doctor', '--json', ...argv]);
  assert.equal(stderr, '');
  return { code, found: doctorAnswerSchema.parse(JSON.parse(stdout)).findings };
}

const about = (found: readonly DoctorFinding[], check: RegExp): DoctorFinding | undefined =>
  found.find((finding) => check.test(finding.check));

/** A pair in TLS whose nodes are `a` (here) and one that is nowhere near. */
function configure(more: string, control = 7401): string {
  const path = join(cli.directory, 'doctor.yaml');
  writeFileSync(
    path,
    `cluster: realm-7
tls: { dir: ${join(cli.directory, 'tls')} }
controller: { socket: ${cli.socketPath}, state: ${join(cli.directory, 'state')} }
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: ${control}, port: 9001, store: ${join(cli.directory, 'store')} }
      b: { address: 192.0.2.12 }
    traffic: [{ type: script, command: [/no/such/program] }]
${more}`,
  );
  return path;
}

describe('hsctl doctor', () => {
  it('looks at the machine for both nodes of a pair on loopback, and leaves no trace', async () => {
    const before = [...readdirSync(cli.directory), 'cache'].toSorted();
    const { found } = await findings();
    assert.deepEqual([...new Set(found.map(({ role }) => role))], ['machine', 'agent world:a', 'agent world:b']);
    for (const check of [
      /^clock synchronised$/,
      /^clock source$/,
      /^clock steady$/,
      /^disk of .*store-a/,
      /^reach the other/,
    ])
      assert.ok(about(found, check), String(check));
    assert.equal(about(found, /^certificate/), undefined, 'nothing is looked at that the configuration does not need');
    assert.equal(about(found, /^CAP_/), undefined);
    assert.deepEqual(readdirSync(cli.directory).toSorted(), before, 'but the cache of compiled code');
  });

  it('says how to mend what it finds, worst first in the exit code', async () => {
    const { code, stdout } = await cli.run(['doctor', 'controller', '--config', configure('')]);
    assert.equal(code, 2);
    assert.match(stdout, /^CRITICAL {2}\d+ looks: \d+ critical, \d+ to think about\n\n/);
    assert.match(
      stdout,
      /critical {2}program of groups\.world\.traffic: \/no\/such\/program is not there.*\n +install it/,
    );
    assert.match(stdout, /certificate controller\.pem: .*\n +.*hsctl cert/);
    assert.match(stdout, /reach the agent of world:b: /);
  });

  it('knows a certificate that is another one, has run out soon, or whose key anyone may read', async () => {
    const config = configure('');
    const dir = join(cli.directory, 'tls');
    mkdirSync(dir);
    const cert = (...argv: readonly string[]) => cli.run(['cert', ...argv, '--config', config]);
    await cert('init');
    await cert('issue', 'node', 'a', '--days', '10');
    chmodSync(join(dir, 'a.key'), 0o644);
    const { found } = await findings('agent', '--node', 'a', '--config', config);
    assert.equal(about(found, /^certificate a\.pem$/)?.severity, 'ok');
    assert.match(about(found, /^certificate a\.pem, time$/)?.what ?? '', /^runs out in (9|10) days$/);
    assert.match(about(found, /^key a\.key$/)?.hint ?? '', /^chmod 600 /);
  });

  it('names who holds a port that is not hsctl', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    try {
      const { port } = holder.address() as AddressInfo;
      const { found } = await findings('agent', '--node', 'a', '--config', configure('', port));
      const finding = about(found, new RegExp(`^port 127\\.0\\.0\\.1:${port}$`));
      assert.deepEqual([finding?.severity, finding?.what.includes(`process ${process.pid}`)], ['critical', true]);
      assert.equal(about(found, /^port 127\.0\.0\.1:7402$/)?.what, 'free');
    } finally {
      holder.close();
    }
  });

  it('refuses nodes that there are not, and files that are wrong', async () => {
    assert.match(
      (await cli.run(['doctor', '--node', 'z'])).stderr,
      /the cluster has no node z\n {2}its nodes are: a, b\n/,
    );
    const { code } = await cli.run(['doctor', '--config', '/nowhere']);
    assert.equal(code, 2);
  });
});
