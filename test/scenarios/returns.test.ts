import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { messageOf } from '../../src/kit/errors.ts';
import { RawClient } from '../agent/resp/raw-client.ts';
import { GROUP, otherThan } from '../rig/cluster.ts';
import { onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

describe('an old master that returns', () => {
  it('with a tail that nobody confirmed: the tail is in an archive, which the status names, and it follows', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const next = otherThan(master);
      const client = new RawClient(cluster.socket(master));
      try {
        await rig.isolate(master);
        client.send(['SET', 'tail', 'that nobody has']);
        await until('the other node to be master', async () => (await cluster.status()).master === next, 30_000);
        await history.nextOk();
        await rig.rejoin(master);
        await cluster.whole();
        assert.doesNotMatch(JSON.stringify(await client.replies(1).catch(messageOf)), /OK/, 'it was not acknowledged');
        const { nodes } = await cluster.status();
        const [archive = '', ...more] = nodes.find(({ id }) => id === master)?.archives ?? [];
        assert.deepEqual(more, []);
        const shown = await cluster.hsctl('store', 'archives', GROUP, master);
        assert.ok(shown.includes(archive.split('/').at(-1) ?? '-'), shown);
        const reader = new RawClient(cluster.socket(next));
        reader.send(['GET', 'tail']);
        assert.deepEqual(await reader.replies(1), [null]);
        await reader.close();
      } finally {
        await client.close();
      }
    }));

  it('with a tail that it acknowledged alone: it refuses to join, both ends are shown, and an operator chooses', () =>
    onLoopback(
      async ({ cluster, client }) => {
        const master = await cluster.master();
        const slave = otherThan(master);
        await cluster.agent(slave).kill();
        await until('the master to be alone on record', async () => (await cluster.status()).inSync.length === 1);
        assert.equal(await client(master).ask('SET', 'friends:alice', 'alone'), 'OK');
        await cluster.agent(master).kill();
        await cluster.startAgent(slave);
        await until('the slave to be heard, and the master not', async () => {
          const { nodes, serving } = await cluster.status();
          const node = nodes.find(({ id }) => id === slave);
          return !serving && node?.linked === true && node.app === 'up';
        });
        await cluster.hsctl('fenced', GROUP, master);
        await cluster.hsctl('promote', GROUP, slave, '--allow-data-loss', '--timeout', '20s');
        assert.equal(await client(slave).ask('SET', 'friends:alice', 'after the loss'), 'OK');

        await cluster.startAgent(master);
        const parted = await until('the former master to refuse', async () => {
          const { nodes } = await cluster.status();
          const node = nodes.find(({ id }) => id === master);
          return node?.role === 'diverged' && node.divergence !== null && node;
        });
        const { forkSeq, ownEnd, peerEnd, acknowledgedFrom } = parted.divergence!;
        assert.ok(forkSeq < ownEnd.seq && forkSeq < peerEnd.seq && acknowledgedFrom > forkSeq);
        assert.ok(ownEnd.epoch < peerEnd.epoch);
        const text = await cluster.hsctl('status');
        assert.match(text, new RegExp(`${ownEnd.epoch}[-.:]${ownEnd.seq}`), text);
        const { protectedBy } = await cluster.status();
        assert.deepEqual(protectedBy, []);

        await cluster.hsctl('promote', GROUP, slave, '--allow-data-loss', '--no-wait');
        const { nodes } = await cluster.whole();
        assert.equal(nodes.find(({ id }) => id === master)?.archives.length, 1);
        assert.equal(await client(master).ask('GET', 'friends:alice'), 'after the loss');
      },
      { failover: { stallTimeout: '1s' } },
    ));
});
