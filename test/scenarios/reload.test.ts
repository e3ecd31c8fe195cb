import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { type Cluster, GROUP, NODES } from '../rig/cluster.ts';
import { editConfig } from '../rig/edit-config.ts';
import { freePorts } from '../rig/free-ports.ts';
import { failures } from '../rig/history.ts';
import { HistoryRun } from '../rig/history-run.ts';
import { onLoopback } from '../rig/loopback.ts';
import { LocalMachine } from '../rig/machine.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

/** A client that writes all the while; what it did is given to `body`'s caller for the end. */
async function underLoad(cluster: Cluster, to: string, body: (history: HistoryRun) => Promise<void>): Promise<void> {
  const machine = new LocalMachine('client', join(dirname(cluster.records), 'client'));
  try {
    const history = await HistoryRun.start(machine, { to });
    await body(history);
    assert.deepEqual(failures(await history.stop(), 0, Infinity), []);
  } finally {
    await machine.close();
  }
}

async function open(endpoint: string): Promise<Socket> {
  const [host = '', port = ''] = endpoint.split(':');
  const socket = connect(Number(port), host);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the connection has ended, by a reset or otherwise. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.on('error', () => undefined).on('close', () => resolve());
  });
}

describe('hsctl config reload', () => {
  it('applies other times on controller and agents under load: no failed write, no other epoch', () =>
    onLoopback(async ({ cluster, service }) => {
      const before = await cluster.status();
      await underLoad(cluster, service, async (history) => {
        for (const failover of [
          { lease: '3s', heartbeat: '500ms', detect: '1500ms', stallTimeout: '4s' },
          { lease: '600ms', heartbeat: '50ms', detect: '400ms', stallTimeout: '1s' },
        ]) {
          editConfig(cluster, (group) => Object.assign(group.failover, failover));
          const preview = await cluster.hsctl('config', 'reload', '--dry-run');
          assert.match(preview, /friends: failover\.lease: \S+ becomes \S+s: for grants from now on/);
          assert.match(preview, /nothing was applied\n$/);
          assert.match(await cluster.hsctl('config', 'reload'), /applied\n$/);
          assert.match(await cluster.hsctl('config', 'reload'), /^nothing has changed\n$/);
          for (let writes = 0; writes < 20; writes += 1) await history.nextOk();
        }
      });
      const after = await cluster.status();
      assert.equal(after.epoch, before.epoch);
      const events = await cluster.api.events({ group: GROUP, limit: 100 });
      assert.ok(events.some(({ rule, message }) => rule === 'reload' && message.includes('failover.heartbeat')));
    }));

  it('leaves connections alone that go through what did not change, and ends those of what is gone', () =>
    onLoopback(async ({ cluster, service }) => {
      const [port = 0] = await freePorts(1);
      const second = `127.0.0.1:${port}`;
      const kept = await open(service);
      editConfig(cluster, (group) => group.traffic.push({ type: 'proxy', listen: second }));
      assert.match(await cluster.hsctl('config', 'reload'), new RegExp(`proxy ${second} is set up`));
      const lost = await open(second);
      const ended = closed(lost);
      editConfig(cluster, (group) => void group.traffic.pop());
      assert.match(await cluster.hsctl('config', 'reload'), /is given up, and its connections end/);
      await ended;
      await assert.rejects(open(second), /ECONNREFUSED/);
      assert.equal(kept.readyState, 'open');
      kept.destroy();
    }));

  it('changes nothing if the file is wrong, and prints every error where the operator is', () =>
    onLoopback(async ({ cluster }) => {
      const digests = await cluster.api.configDigests();
      editConfig(cluster, (group) => Object.assign(group.failover, { lease: 'soon', holdDown: '-1s' }));
      await assert.rejects(cluster.hsctl('config', 'reload'), (error: Error) => {
        assert.match(error.message, /failover\.lease/);
        assert.match(error.message, /failover\.holdDown/);
        return true;
      });
      assert.deepEqual(await cluster.api.configDigests(), digests);
      await cluster.whole();
    }));

  it('says what takes a restart, applies the rest, and the restart brings it about', () =>
    onLoopback(async ({ cluster }) => {
      editConfig(cluster, (group, file) => {
        file.cluster = 'another';
        Object.assign(group.nodes['b'] ?? {}, { store: `${cluster.store('b')}-2` });
        group.failover['holdDown'] = '7s';
      });
      const printed = await cluster.hsctl('config', 'reload');
      assert.match(printed, /friends: failover\.holdDown: 0s becomes 7s\n/);
      assert.match(printed, /after a restart: cluster: rig becomes another when every daemon is stopped and started/);
      assert.match(printed, /after a restart: friends: nodes\.b\.store: .* when the agent of b is restarted/);
      await cluster.whole();
    }));

  it('asks for no restart that a daemon has had since the file changed', () =>
    onLoopback(async ({ cluster }) => {
      editConfig(cluster, (group) => Object.assign(group.nodes['a'] ?? {}, { address: 'localhost' }));
      cluster.agent('b').signal('SIGTERM');
      await cluster.agent('b').exited;
      await cluster.restartEnded();
      await cluster.whole();
      const printed = await cluster.hsctl('config', 'reload');
      assert.match(printed, /nodes\.a\.address: 127\.0\.0\.1 becomes localhost when the agent of a is restarted\n/);
      assert.doesNotMatch(printed, /when (the agent of b|its agents)/);
      assert.match(printed, /applied\n$/);
      const again = await cluster.hsctl('config', 'reload', '--dry-run');
      assert.match(again, /^nothing has changed\n$/);
    }));

  it('starts new groups, and takes those out that nobody serves; one that serves only with --force', () =>
    onLoopback(async ({ cluster, service }) => {
      const [one = 0, two = 0, three = 0, four = 0] = await freePorts(4);
      editConfig(cluster, (group, file) => {
        const nodes = {
          a: { address: '127.0.0.1', control: one, replication: two },
          b: { address: '127.0.0.1', control: three, replication: four },
        };
        file.groups['spare'] = { ...structuredClone(group), nodes, traffic: [] };
      });
      assert.match(await cluster.hsctl('config', 'reload'), /spare: a new group/);
      assert.equal((await cluster.api.status('spare')).groups[0]?.stage, 'none');
      editConfig(cluster, (group, file) => void (file.groups = { [GROUP]: group }));
      assert.match(await cluster.hsctl('config', 'reload'), /spare: is not in the file any more/);
      await assert.rejects(cluster.api.status('spare'), /no group spare/);

      editConfig(cluster, (group, file) => void (file.groups = { renamed: group }));
      await assert.rejects(cluster.hsctl('config', 'reload'), /friends: [ab] serves it: stop its agents first/);
      await cluster.whole();
      const client = await open(service);
      const ended = closed(client);
      await cluster.hsctl('config', 'reload', '--force');
      await ended;
      await assert.rejects(cluster.status(), /no group friends/);
    }));

  it('is what SIGHUP asks of a controller and of an agent', () =>
    onLoopback(async ({ cluster }) => {
      editConfig(cluster, (group) => void (group.failover['stallTimeout'] = '5s'));
      cluster.agent('b').signal('SIGHUP');
      await cluster.agent('b').waitFor(/reload: failover\.stallTimeout: 2s becomes 5s/);
      cluster.controller.signal('SIGHUP');
      await cluster.agent('a').waitFor(/reload: failover\.stallTimeout: 2s becomes 5s/);
      await until('the controller to have it', async () => {
        const events = await cluster.api.events({ group: GROUP, limit: 10 });
        return events.some(({ message }) => message.startsWith('SIGHUP: reload: failover.stallTimeout')) || null;
      });
      for (const node of NODES) assert.ok(cluster.agent(node).running);
      await cluster.whole();
    }));

  it('has the master take an address that is new, and give up one that is gone, while it serves by another one', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const added = '10.0.0.101';
      const before = await cluster.status();
      editConfig(cluster, (group) => group.traffic.push({ type: 'vip', address: `${added}/32`, interface: 'eth0' }));
      assert.match(await cluster.hsctl('config', 'reload'), /traffic: vip 10\.0\.0\.101\/32 eth0.* is set up/);
      await until('the master to hold it', async () => (await rig.holders(added)).join() === master);
      editConfig(cluster, (group) => void group.traffic.pop());
      await cluster.hsctl('config', 'reload');
      await until('nobody to hold it', async () => (await rig.holders(added)).length === 0);
      await history.nextOk();
      assert.equal((await cluster.status()).epoch, before.epoch);
      assert.deepEqual(failures(history.soFar(), 0, Infinity), []);
    }));
});
