import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, otherThan } from '../rig/cluster.ts';
import { until } from '../rig/until.ts';
import { heldBy, onPair } from './pair.ts';

describe('repeated failover', () => {
  it('is held down, and nothing fails back by itself; hsctl promote goes on at once', () =>
    onPair(
      async ({ cluster, master, history }) => {
        const next = otherThan(master);
        await cluster.app(master).kill();
        await history.nextOk();
        await cluster.startApp(master);
        const { heldDownUntilWallMs } = await cluster.whole();
        assert.ok(heldDownUntilWallMs !== null && heldDownUntilWallMs > Date.now());
        assert.equal(await cluster.master(), next);
        await cluster.app(next).kill();
        assert.match(await heldBy(cluster, 'R630'), /hold/);
        await cluster.hsctl('promote', GROUP, master, '--wait');
        await history.nextOk();
        assert.equal(await cluster.master(), master);
      },
      { failover: { holdDown: '1h' } },
    ));
});

describe('a switchover that fails before the master has given its lease back', () => {
  it('is rolled back: the master goes on under the same epoch', () =>
    onPair(
      async ({ cluster, master, history }) => {
        const slave = otherThan(master);
        const { epoch } = await cluster.status();
        cluster.agent(slave).freeze();
        const by = { group: GROUP, operator: 'rig' };
        await cluster.api.promote({ ...by, node: slave, dryRun: false, force: false, allowDataLoss: false });
        await until('the roll-back', async () => {
          const events = await cluster.api.events({ group: GROUP, limit: 100 });
          return events.some(({ rule }) => rule === 'R410');
        });
        cluster.agent(slave).thaw();
        await history.nextOk();
        const after = await cluster.whole();
        assert.deepEqual([after.master, after.epoch], [master, epoch]);
      },
      { failover: { detect: '4s', lease: '6s', stallTimeout: '10s' } },
    ));
});

describe('maintenance', () => {
  it('leases go on and nothing fails over; the first line of the status says so; afterwards it does', () =>
    onPair(async ({ cluster, master, history }) => {
      await cluster.hsctl('pause', GROUP, '--for', '1h');
      await history.nextOk();
      const { summary, pausedUntilWallMs, lease } = await cluster.status();
      assert.match(summary, /paused/);
      assert.ok(pausedUntilWallMs !== null);
      assert.equal(lease.holder, master);
      await cluster.app(master).kill();
      assert.match(await heldBy(cluster, 'R610'), /paused/);
      await cluster.hsctl('resume', GROUP);
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
    }));
});
