import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { RawClient } from '../agent/resp/raw-client.ts';
import { type NodeName, otherThan } from '../rig/cluster.ts';
import { type Loopback, onLoopback } from '../rig/loopback.ts';
import { until } from '../rig/until.ts';

const KEYS = 500;

function keyOf(number: number): string {
  return `damage:${String(number).padStart(4, '0')}`;
}

function valueOf(number: number): string {
  return `value-${number}-`.repeat(20);
}

async function fill(client: RawClient): Promise<void> {
  client.send(...Array.from({ length: KEYS }, (_, number) => ['SET', keyOf(number), valueOf(number)]));
  assert.deepEqual(new Set(await client.replies(KEYS)), new Set(['OK']));
}

/** Flips a bit of the place at which `text` stands in the node's log. Returns the file. */
function flip(store: string, text: string, offset: number): string {
  const file = readdirSync(store).find(
    (name) => name.endsWith('.log') && readFileSync(join(store, name)).includes(text),
  );
  assert.ok(file !== undefined);
  const path = join(store, file);
  const handle = openSync(path, 'r+');
  try {
    const place = readFileSync(path).indexOf(text) + offset;
    const byte = Buffer.alloc(1);
    readSync(handle, byte, 0, 1, place);
    byte[0]! ^= 4;
    writeSync(handle, byte, 0, 1, place);
  } finally {
    closeSync(handle);
  }
  return path;
}

/** Everything is there, on both nodes, and no node complains. */
async function assertHealed({ cluster, client }: Loopback, damaged: NodeName): Promise<void> {
  await until('the repair', async () => {
    const node = (await cluster.status()).nodes.find(({ id }) => id === damaged);
    return node !== undefined && node.archives.some((path) => path.includes('damaged-log'));
  });
  // An app whose own reads met the damage has ended.
  await cluster.restartEnded();
  const { nodes } = await cluster.whole();
  assert.deepEqual(
    nodes.map(({ trouble }) => trouble),
    ['', ''],
  );
  for (const node of ['a', 'b'] as const) {
    const reader = client(node);
    reader.send(...Array.from({ length: KEYS }, (_, number) => ['GET', keyOf(number)]));
    assert.deepEqual(
      await reader.replies(KEYS),
      Array.from({ length: KEYS }, (_, number) => valueOf(number)),
    );
  }
}

describe('a flipped bit', () => {
  it('on the slave: it says where, gives nothing out, and copies the state from its master', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      const slave = otherThan(master);
      await fill(client(master));
      const path = flip(cluster.store(slave), valueOf(7), 3);
      const reader = client(slave);
      reader.send(['GET', keyOf(7)], ['GET', keyOf(300)]);
      const [first, later] = (await reader.replies(2)).map(String);
      // Whoever reads first is told where; the app's own follower may have been it, and everybody else is told too.
      assert.ok(first?.includes(`${path} is damaged at byte `), first);
      assert.match(later ?? '', /^-MISCONF .* is damaged at byte/);
      assert.equal(await client(master).ask('GET', keyOf(7)), valueOf(7));
      await assertHealed(loopback, slave);
      assert.equal(await cluster.master(), master);
      assert.match(cluster.agent(slave).output, /is damaged at byte \d+/);
    }));

  it('on the master: it says where, gives its lease back, and follows the node that takes over', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      await fill(client(master));
      const path = flip(cluster.store(master), valueOf(100), 5);
      const answer = await client(master).text('GET', keyOf(100));
      // Whoever reads first is told where; the app's own follower may have been it.
      assert.ok(answer.includes(`${path} is damaged at byte `), answer);
      await until('the other node to take over', async () => (await cluster.status()).master === otherThan(master));
      await assertHealed(loopback, master);
      assert.equal(await cluster.master(), otherThan(master));
    }));

  it('in a header, found when the agent of the slave starts', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      const slave = otherThan(master);
      await fill(client(master));
      await cluster.agent(slave).kill();
      flip(cluster.store(slave), 'HSB1', 20);
      await cluster.startAgent(slave);
      await assertHealed(loopback, slave);
      assert.match(cluster.agent(slave).output, /is damaged at byte 0: /);
    }));

  it('in a header, found when the agent of the former master starts', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      await fill(client(master));
      await cluster.agent(master).kill();
      flip(cluster.store(master), 'HSB1', 9);
      await until('the other node to serve', async () => {
        const { master: present, serving } = await cluster.status();
        return present === otherThan(master) && serving;
      });
      await client(otherThan(master)).ask('SET', 'meanwhile', '1');
      await cluster.startAgent(master);
      await assertHealed(loopback, master);
      assert.equal(await client(master).ask('GET', 'meanwhile'), '1');
    }));

  it('on a node that holds the only copy: it serves no more, and throws nothing away', () =>
    onLoopback(async (loopback) => {
      const { cluster, client } = loopback;
      const master = await cluster.master();
      const other = otherThan(master);
      await fill(client(master));
      await cluster.agent(other).kill();
      await until('the master to be alone', async () => (await cluster.status()).inSync.length === 1);
      await client(master).ask('SET', 'alone', '1');
      await cluster.agent(master).kill();
      flip(cluster.store(master), 'HSB1', 20);
      await cluster.startAgent(master);
      await cluster.startAgent(other);
      const status = await until('both to report', async () => {
        const found = await cluster.status();
        const wrong = found.nodes.find(({ id }) => id === master)?.trouble ?? '';
        return found.nodes.every(({ linked }) => linked) && /is damaged/.test(wrong) ? found : null;
      });
      assert.equal(status.serving, false);
      assert.match(status.summary, new RegExp(`${master}: .* is damaged at byte 0`));
      // An operator gives the acknowledged records up that the other node lacks; still they are not thrown away.
      await cluster.hsctl('promote', other, '--force', '--allow-data-loss');
      await until('the other node to reign', async () => (await cluster.status()).master === other);
      await until('the damaged one to ask', async () => {
        const { nodes } = await cluster.status();
        return nodes.find(({ id }) => id === master)?.divergence !== null;
      });
      assert.deepEqual(
        readdirSync(cluster.store(master)).filter((name) => name === 'archives'),
        [],
      );
      await cluster.hsctl('promote', other, '--allow-data-loss');
      await assertHealed(loopback, master);
    }));
});
