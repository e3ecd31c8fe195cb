import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RawClient } from '../agent/resp/raw-client.ts';
import { type NodeName, otherThan } from '../rig/cluster.ts';
import { type Loopback, onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

const MiB = 1024 * 1024;

/** A busy machine takes its time with batches of this size, and heartbeats wait for it. */
const UNHURRIED = { failover: { detect: '4s', lease: '6s', stallTimeout: '10s' } };

/** Ends the slave's agent and gives the master `mebibytes` to say, which it confirms alone. */
async function fallBehind({ cluster, client }: Loopback, slave: NodeName, mebibytes: number): Promise<void> {
  await cluster.agent(slave).kill();
  const writer = client(otherThan(slave));
  const value = Buffer.alloc(MiB, 'x');
  for (let number = 0; number < mebibytes; number++) {
    assert.equal(await writer.ask('SET', `large:${number}`, value), 'OK');
  }
}

async function infoOf(client: RawClient): Promise<ReadonlyMap<string, string>> {
  const lines = (await client.text('INFO', 'hsctl')).split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

describe('a late slave', () => {
  it('comes at the pace that is set while it does; INFO and the status tell how far it is', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      const slave = otherThan(master);
      await fallBehind(loopback, slave, 40);
      const operator = client(master);
      assert.equal(await operator.ask('CONFIG', 'SET', 'catch-up-rate', '4MiB/s'), 'OK');
      await cluster.startAgent(slave);

      const info = await until('the catch-up to go on', async () => {
        const found = await infoOf(operator);
        return Number(found.get('catch_up_done_bytes')) > 4 * MiB ? found : null;
      });
      const done = Number(info.get('catch_up_done_bytes'));
      const rate = Number(info.get('catch_up_bytes_per_second'));
      assert.ok(Number(info.get('catch_up_total_bytes')) > 40 * MiB);
      assert.ok(rate > 2 * MiB && rate < 6 * MiB, `${rate} bytes a second`);
      assert.ok(Number(info.get('catch_up_seconds_left')) <= 18);

      const first = await until('the status to tell of it', async () => {
        return (await cluster.status()).nodes.find(({ id }) => id === slave)?.catchUp ?? null;
      });
      await until('the status to go on with it', async () => {
        const next = (await cluster.status()).nodes.find(({ id }) => id === slave)?.catchUp;
        return (next?.doneBytes ?? 0) > first.doneBytes;
      });
      assert.match(await cluster.hsctl('status'), /\d+% of \d+ MiB at \d.*\/s, \d.* left/);
      assert.ok(Number((await infoOf(operator)).get('catch_up_done_bytes')) < 40 * MiB, `${done} bytes at first`);

      assert.equal(await operator.ask('CONFIG', 'SET', 'catch-up-rate', 'unlimited'), 'OK');
      await cluster.whole();
      assert.equal((await infoOf(operator)).get('catch_up_seconds_left'), '-1');
      assert.equal(await client(slave).ask('STRLEN', 'large:39'), MiB);
    }));
});

describe('values of the largest size', () => {
  it('are written, replicated, read from both nodes and in a transaction', () =>
    onLoopback(async ({ cluster, client }) => {
      const master = await cluster.master();
      const slave = otherThan(master);
      const largest = Buffer.alloc(64 * MiB);
      for (let at = 0; at < largest.length; at += 4096) largest.writeUInt32LE(at, at);
      const writer = client(master);
      assert.equal(await writer.ask('SET', 'largest', largest), 'OK');
      writer.send(
        ['MULTI'],
        ['SET', 'one', largest.subarray(0, 30 * MiB)],
        ['SET', 'two', largest.subarray(30 * MiB)],
        ['EXEC'],
      );
      assert.deepEqual(await writer.replies(4), ['OK', 'QUEUED', 'QUEUED', ['OK', 'OK']]);
      for (const node of [master, slave]) {
        const reader = client(node);
        const found = await reader.text('GET', 'largest');
        assert.ok(Buffer.from(found, 'latin1').equals(largest));
        assert.deepEqual([await reader.ask('STRLEN', 'one'), await reader.ask('STRLEN', 'two')], [30 * MiB, 34 * MiB]);
      }
      const { nodes } = await cluster.whole();
      assert.deepEqual(
        nodes.map(({ trouble }) => trouble),
        ['', ''],
      );
    }, UNHURRIED));
});
