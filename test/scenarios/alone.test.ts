import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type ClusterStatus, clusterStatusSchema } from '../../src/model/status.ts';
import { type Cluster, GROUP, otherThan } from '../rig/cluster.ts';
import type { Host } from '../rig/host.ts';
import { VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { heldBy, onPair, type Scene } from './pair.ts';

const HASTY = { stallTimeout: '1s' };

/** Kills the slave's agent; resolves when its master goes on alone. */
async function loseSlave({ cluster, master, history }: Scene): Promise<void> {
  await cluster.agent(otherThan(master)).kill();
  await until('the master to be alone on record', async () => (await cluster.status()).inSync.length === 1);
  await history.nextOk();
}

describe('a slave that is silent for longer than the limit', () => {
  it('is left out: writes go on, and the first line of the status says that there is no protection', () =>
    onPair(
      async (scene) => {
        const { cluster, master, history } = scene;
        const { epoch } = await cluster.status();
        await loseSlave(scene);
        const status = await cluster.status();
        assert.deepEqual([status.master, status.epoch, status.inSync], [master, epoch, [master]]);
        assert.match(status.summary, new RegExp(`${master} is alone, no protection: ${otherThan(master)} silent`));
        assert.equal(status.severity, 'warning');
        await cluster.startAgent(otherThan(master));
        const { inSync } = await cluster.whole();
        assert.equal(inSync.length, 2, 'it is back in the set');
        await history.nextOk();
      },
      { failover: HASTY },
    ));
});

describe("the slave's agent is stopped", () => {
  it('says so: writes go on long before the limit', () =>
    onPair(
      async ({ cluster, master, history }) => {
        await cluster.agent(otherThan(master)).stop();
        await history.nextOk();
        assert.deepEqual((await cluster.status()).inSync, [master]);
        await cluster.startAgent(otherThan(master));
        await cluster.whole();
        await history.nextOk();
      },
      { failover: { stallTimeout: '60s' } },
    ));
});

describe('the controller is lost', () => {
  it("while both nodes are there: the pair goes on, and status asks the node's own agent", () =>
    onPair(async ({ rig, cluster, master, history }) => {
      await cluster.controller.kill();
      await history.nextOk();
      const status = await askAgents(rig.host(master), cluster);
      assert.deepEqual(
        [status.source, status.groups[0]?.master, status.groups[0]?.lease.from],
        ['agents', master, 'slave'],
      );
    }));

  it('while the master is alone: it serves on', () =>
    onPair(
      async (scene) => {
        const { rig, cluster, master, history } = scene;
        await loseSlave(scene);
        await cluster.controller.kill();
        await until('the last lease to have run out', () => hasNoLease(scene));
        await history.nextOk();
        assert.deepEqual(await rig.holders(VIP), [master]);
      },
      { failover: HASTY },
    ));

  it('while the master is alone, with onControllerLoss: stop: it stops, until the controller is back', () =>
    onPair(
      async (scene) => {
        const { rig, cluster, master, history } = scene;
        await loseSlave(scene);
        await cluster.controller.kill();
        await until('the address to be gone', async () => (await rig.holders(VIP)).length === 0);
        await cluster.startController();
        await history.nextOk();
        assert.equal(await cluster.master(), master);
      },
      { failover: { ...HASTY, onControllerLoss: 'stop' } },
    ));
});

/** What the status says where no controller answers: exit code 3, but the agents are asked. */
async function askAgents(host: Host, cluster: Cluster): Promise<ClusterStatus> {
  const unreachable = ['sh', '-c', '"$@" || [ $? = 3 ]', 'sh'];
  const printed = await host.run([...unreachable, ...cluster.command('status', '--json')]);
  return clusterStatusSchema.parse(JSON.parse(printed));
}

/** Whether the master's own word is that no grantor lets it serve. */
async function hasNoLease({ rig, cluster, master }: Scene): Promise<boolean> {
  return (await askAgents(rig.host(master), cluster)).groups[0]?.lease.remainingMs === 0;
}

describe('all at once fails for the controller', () => {
  it('both nodes are silent: it suspects itself and says so, and there is no failover', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const { epoch } = await cluster.status();
      await rig.isolate('director');
      assert.match(
        await heldBy(cluster, 'R620'),
        /yes {2}every node was lost to the controller at once: no agent is heard/,
      );
      assert.equal((await cluster.status()).severity, 'critical');
      const alarms = await until('an alarm on record', async () => {
        const events = await cluster.api.events({ group: GROUP, limit: 100 });
        const found = events.filter(({ kind }) => kind === 'alarm');
        return found.length > 0 && found;
      });
      assert.deepEqual(
        alarms.map(({ rule, message }) => [rule, message.split(':')[0]]),
        [['R620', 'the controller suspects itself']],
      );
      await rig.rejoin('director');
      await history.nextOk();
      const after = await cluster.whole();
      assert.deepEqual([after.master, after.epoch], [master, epoch]);
    }));

  it('both apps fail its probe: the same', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'hsctl-probe-'));
    const well = join(dir, 'well');
    writeFileSync(well, '');
    const probe = {
      type: 'exec',
      command: ['test', '-e', well],
      interval: '500ms',
      timeout: '400ms',
      from: 'controller',
    };
    try {
      await onPair(
        async ({ cluster, master, history }) => {
          const { epoch } = await cluster.status();
          rmSync(well);
          assert.match(await heldBy(cluster, 'R620'), /yes {2}every node was lost to the controller at once/);
          await history.nextOk();
          writeFileSync(well, '');
          await history.nextOk();
          const after = await cluster.whole();
          assert.deepEqual([after.master, after.epoch], [master, epoch]);
        },
        { appSettings: { probe } },
      );
    } finally {
      rmSync(dir, { recursive: true });
    }
  });
});
