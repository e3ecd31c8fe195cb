import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { statusFromReports } from '../../src/commands/local-status.ts';
import { parseConfig } from '../../src/config/load.ts';
import type { AgentReport } from '../../src/model/agent-report.ts';
import { clusterStatusSchema, type GroupStatus } from '../../src/model/status.ts';
import { reportOf } from '../model/reports.ts';
import { NOW_MS } from '../model/statuses.ts';
import { CliFixture } from './cli-fixture.ts';

const { config } = parseConfig(
  `cluster: realm-7
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 7411, replication: 7412, port: 9001 , socket: /run/a.sock, store: /var/a }
      b: { address: 127.0.0.1, control: 7421, replication: 7422, port: 9002 , socket: /run/b.sock, store: /var/b }
`,
  'test',
);

const master = reportOf('a', { role: 'master', phase: 'ready' });
const slave = reportOf('b', { peer: { ...reportOf('b').peer, grantRunsMs: 640, lagBytes: 0 } });

function groupFrom(...reports: AgentReport[]): GroupStatus {
  const status = statusFromReports(config, new Map([['world', reports]]), NOW_MS);
  assert.ok(status !== null);
  assert.deepEqual(clusterStatusSchema.parse(status), status);
  assert.equal(status.source, 'agents');
  assert.equal(status.controller, null);
  const [group] = status.groups;
  assert.ok(group);
  return group;
}

describe('status from agents', () => {
  it('of both nodes shows who serves, and the lease that the slave grants', () => {
    const group = groupFrom(slave, master);
    assert.equal(group.summary, 'a serves, protected by b');
    assert.deepEqual(group.lease, { holder: 'a', from: 'slave', remainingMs: 640 });
    assert.deepEqual(group.nodes[1]?.lag, { records: 0, bytes: 0 });
    assert.deepEqual(
      group.nodes.map((node) => [node.id, node.role, node.linked]),
      [
        ['a', 'master', true],
        ['b', 'slave', true],
      ],
    );
  });

  it('of one node tells of the other what it hears of it', () => {
    assert.equal(groupFrom(master).summary, 'a serves, protected by b');
    assert.equal(groupFrom(slave).summary, 'a serves, protected by b');
    assert.deepEqual(
      groupFrom(slave).nodes.map((node) => [node.id, node.role, node.linked, node.silentMs]),
      [
        ['a', null, true, 9],
        ['b', 'slave', true, 0],
      ],
    );
    const cut = { ...master.peer, linked: false, silentMs: 4_000 };
    assert.equal(groupFrom({ ...master, peer: cut }).summary, 'a is alone, no protection: b silent for 4.0s');
  });

  it('does not call a node master that only was', () => {
    const both = groupFrom({ ...master, epoch: 6 }, reportOf('b', { role: 'master', phase: 'ready', epoch: 7 }));
    assert.deepEqual([both.master, both.epoch], ['b', 7]);
    const lost = reportOf('b', { peer: { ...slave.peer, linked: false, silentMs: 9_000, grantRunsMs: 0 } });
    assert.match(groupFrom(lost).summary, /^no master is known/);
    assert.match(groupFrom({ ...master, trouble: 'no lease' }).summary, /^nobody serves: a: no lease/);
  });

  it('is nothing without reports', () => {
    assert.equal(statusFromReports(config, new Map(), NOW_MS), null);
  });
});

describe('hsctl status without a controller', () => {
  let cli: CliFixture;
  let agent: Server;
  let answer: string;
  beforeEach(async () => {
    cli = new CliFixture();
    const text = JSON.stringify(master);
    answer = `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
    agent = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes: Buffer) => {
        assert.equal(bytes.toString(), '*2\r\n$2\r\nHS\r\n$6\r\nSTATUS\r\n');
        // In two pieces, as a socket may deliver it.
        socket.write(answer.slice(0, 40));
        setImmediate(() => socket.write(answer.slice(40)));
      });
    }).listen(join(cli.directory, 'a.sock'));
    await once(agent, 'listening');
  });
  afterEach(async () => {
    await new Promise((resolve) => agent.close(resolve));
    await cli.close();
  });

  it('asks the agents here, says so first, and exits with 3', async () => {
    const { code, stdout, stderr } = await cli.run(['status']);
    assert.deepEqual([code, stderr], [3, '']);
    assert.match(
      stdout,
      /^WARNING {2}the controller does not answer, so nothing fails over; world: a serves, protected by b\n/,
    );
    assert.match(stdout, /\n\* a +master, ready +up/);
    const asJson = await cli.run(['status', 'world', '--json']);
    assert.equal(clusterStatusSchema.parse(JSON.parse(asJson.stdout)).source, 'agents');
  });

  it('is a warning to Nagios', async () => {
    const { code, stdout } = await cli.run(['status', '--check']);
    assert.equal(code, 1);
    assert.match(stdout, /^HSCTL WARNING - the controller does not answer/);
  });

  it('tells of the controller only, if what answers is no agent', async () => {
    for (const strange of [
      '-ERR unknown command\r\n',
      '$3\r\n{}x\r\n',
      '$2\r\n{}\r\n',
      '$99999999\r\n',
      'x'.repeat(2_000),
    ]) {
      answer = strange;
      const { code, stdout, stderr } = await cli.run(['status']);
      assert.deepEqual([code, stdout], [3, '']);
      assert.match(stderr, /^hsctl: no controller here/);
    }
  });
});
