import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GroupConfig } from '../../../src/config/config.ts';
import { GroupProbes } from '../../../src/daemon/controller/group-probes.ts';
import { foregroundScheduler } from '../../../src/kit/clock.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { TestServer, deadTarget } from '../../probes/servers.ts';
import { Told, groupWith } from '../probe-group.ts';

const quick = 'interval: 500ms, fastInterval: 20ms, timeout: 500ms, fall: 1, rise: 1';

function probing(group: GroupConfig): { told: Told<readonly [string, string]>; stop: () => Promise<void> } {
  const told = new Told<readonly [string, string]>();
  const stop = new AbortController();
  const deps = { scheduler: foregroundScheduler, random: () => 0, logger: silentLogger };
  const ended = new GroupProbes(group, deps, (node, { verdict }) => told.add([node, verdict])).run(stop.signal);
  return {
    told,
    async stop() {
      stop.abort();
      await ended;
    },
  };
}

describe('GroupProbes', () => {
  it('has a verdict for each node, until it is stopped', async () => {
    const server = await TestServer.listen((socket) => socket.resume());
    const dead = await deadTarget();
    const group = groupWith([server.target.port ?? 0, dead.port ?? 0], `probe: { type: tcp, ${quick} }`);
    const { told, stop } = probing(group);
    await told.until(() => told.all.length === 2);
    assert.deepEqual(
      told.all.toSorted(([one], [other]) => one.localeCompare(other)),
      [
        ['a', 'up'],
        ['b', 'down'],
      ],
    );
    await server.close();
    await told.until(([node, verdict]) => node === 'a' && verdict === 'down');
    await stop();
  });

  it('leaves to agents what is theirs', async () => {
    const file = `{ type: file, path: /nonexistent/file, ${quick} }`;
    const server = await TestServer.listen((socket) => socket.resume());
    const tcp = `{ type: tcp, port: ${server.target.port}, ${quick} }`;
    const { told, stop } = probing(groupWith([1, 2], `probe: { type: all, of: [${file}, ${tcp}] }`));
    await told.until(() => told.all.length === 2);
    assert.deepEqual(
      told.all.toSorted(([one], [other]) => one.localeCompare(other)),
      [
        ['a', 'up'],
        ['b', 'up'],
      ],
    );
    await stop();
    await server.close();
  });

  it('has nothing to do without a probe', async () => {
    const { told, stop } = probing(groupWith([1, 2], 'port: 9'));
    await stop();
    assert.deepEqual(told.all, []);
  });
});
