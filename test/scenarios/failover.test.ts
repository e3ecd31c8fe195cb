import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { connect } from '../../src/sdk/index.ts';
import { otherThan } from '../rig/cluster.ts';
import { VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

describe('failover', () => {
  for (const [app, traffic] of [
    ['typescript', 'vip'],
    ['typescript', 'proxy'],
    ['cpp', 'vip'],
  ] as const) {
    it(`when the app is killed (${app}, ${traffic})`, () =>
      onPair(
        async ({ cluster, master, history }) => {
          await cluster.app(master).kill();
          await history.nextOk();
          assert.equal(await cluster.master(), otherThan(master));
        },
        { app, traffic },
      ));
  }

  it('when the app hangs', () =>
    onPair(async ({ cluster, master, history }) => {
      cluster.app(master).freeze();
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
      cluster.app(master).thaw();
    }));

  it('when the agent is killed: the kernel takes the address away', () =>
    onPair(async ({ cluster, master, history }) => {
      await cluster.agent(master).kill();
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
    }));

  it('when the machine goes silent', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      await rig.isolate(master);
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
    }));

  it('reaches also a client that heard no announcement, once it can hear again', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const next = otherThan(master);
      await rig.cut(next, 'client');
      await cluster.app(master).kill();
      await until('the other node to hold the address', async () => (await rig.holders(VIP)).includes(next));
      await rig.heal(next, 'client');
      await history.nextOk(); // sooner than the neighbour's own entry gets old
      assert.equal(await rig.host('client').neighbour(VIP), await rig.host(next).hardwareAddress());
    }));

  it('goes on where it was when the controller is killed in the middle and started again', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      await rig.isolate(master);
      await until('the failover to be decided', async () => (await cluster.status()).stage !== 'serving');
      await cluster.controller.kill();
      await cluster.startController();
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
    }));
});

describe('no failover', () => {
  it('when the controller is killed and comes back', () =>
    onPair(async ({ cluster, master, history }) => {
      await cluster.controller.kill();
      await history.nextOk();
      await cluster.startController();
      await cluster.whole();
      assert.equal(await cluster.master(), master);
    }));

  it('when the slave comes back without its disk: writes do not wait for its catch-up', () =>
    onPair(
      async ({ cluster, master, history }) => {
        const slave = otherThan(master);
        const state = connect({ socket: cluster.socket(master) });
        for (let index = 0; index < 48; index += 1) await state.set(`bulk:${index}`, Buffer.alloc(65_536, index));
        await state.close();
        await cluster.agent(slave).kill();
        rmSync(cluster.store(slave), { recursive: true });
        await cluster.startAgent(slave);
        await until('the slave to catch up', async () => {
          const { nodes } = await cluster.status();
          return nodes.find(({ id }) => id === slave)?.catchUp;
        });
        await history.nextOk();
        const { inSync } = await cluster.status();
        assert.deepEqual(inSync, [master], 'it has not caught up yet');
        assert.equal(await cluster.master(), master);
      },
      { replication: { catchUpRate: '384KiB/s' } },
    ));

  it('when the master is cut off from the controller alone', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      await rig.cutBoth(master, 'director');
      await until('the controller to miss the node', async () => {
        const node = (await cluster.status()).nodes.find(({ id }) => id === master);
        return node?.linked === false;
      });
      await history.nextOk();
      assert.equal((await cluster.status()).master, master);
    }));
});
