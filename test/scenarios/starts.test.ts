import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { describe, it } from 'node:test';
import { RawClient } from '../agent/resp/raw-client.ts';
import { type Cluster, GROUP, NODES, type NodeName, otherThan } from '../rig/cluster.ts';
import { HangingIp } from '../rig/hanging-ip.ts';
import { VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { heldBy, onPair } from './pair.ts';

async function killAll(cluster: Cluster): Promise<void> {
  const programs = [cluster.controller, ...NODES.flatMap((node) => [cluster.agent(node), cluster.app(node)])];
  await Promise.all(programs.map((one) => one.kill()));
}

async function startNode(cluster: Cluster, node: NodeName): Promise<void> {
  await cluster.startAgent(node);
  await cluster.startApp(node);
}

async function replyOf(socket: string, ...command: string[]): Promise<string> {
  const client = new RawClient(socket);
  try {
    client.send(command);
    const [reply] = await client.replies(1);
    return JSON.stringify(reply);
  } finally {
    await client.close();
  }
}

describe('an agent that starts', () => {
  it('serves nothing and has no address, whatever it was before, until it is told what it is', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const { epoch } = await cluster.status();
      await cluster.controller.kill();
      await cluster.agent(otherThan(master)).kill();
      await cluster.agent(master).kill();
      await cluster.startAgent(master);
      const socket = cluster.socket(master);
      await until('the agent to answer', () => replyOf(socket, 'PING').catch(() => null));
      assert.match(await replyOf(socket, 'SET', 'a', 'b'), /READONLY/);
      assert.deepEqual(await rig.holders(VIP), []);
      await cluster.startAgent(otherThan(master));
      await cluster.startController();
      await history.nextOk();
      assert.ok((await cluster.whole()).epoch > epoch, 'the former reign is not resumed');
    }));

  it('ends when it is told to, also while it still removes what a former agent left', async () => {
    const ip = new HangingIp('*');
    await ip.install();
    try {
      await onPair(
        async ({ cluster, master }) => {
          const node = otherThan(master);
          await cluster.agent(node).stop();
          ip.arm(node);
          await cluster.startAgent(node);
          await ip.hangs();
          const stopping = cluster.agent(node).stop();
          ip.goOn();
          assert.deepEqual(await stopping, { code: 0, signal: null });
        },
        { env: ({ name }) => ip.env(name) },
      );
    } finally {
      ip.goOn();
      ip.remove();
    }
  });
});

describe('both nodes start', () => {
  it('and nothing is on record: the log wins over an empty disk, though that is on the preferred node', () =>
    onPair(
      async ({ cluster, history }) => {
        await killAll(cluster);
        rmSync(cluster.records, { recursive: true });
        rmSync(cluster.store('a'), { recursive: true });
        await cluster.startController();
        for (const node of NODES) await startNode(cluster, node);
        await history.nextOk();
        assert.equal(await cluster.master(), 'b');
        const events = await cluster.api.events({ group: GROUP, limit: 100 });
        assert.ok(events.some(({ rule }) => rule === 'R210'));
      },
      { failover: { prefer: 'a' } },
    ));

  it('and nothing was ever written: the preferred one is the first master', () =>
    onPair(
      async ({ master }) => {
        assert.equal(master, 'b');
      },
      { failover: { prefer: 'b' } },
    ));

  it('but one of them is late: the other one, which is in sync on record, serves without it', () =>
    onPair(async ({ cluster, master, history }) => {
      const slave = otherThan(master);
      await killAll(cluster);
      await cluster.startController();
      await startNode(cluster, slave);
      await history.nextOk();
      const { master: present, inSync } = await cluster.status();
      assert.deepEqual([present, inSync], [slave, [slave]]);
    }));

  it('but only the one that is not in sync is there: it waits for the other', () =>
    onPair(
      async ({ cluster, master, history }) => {
        const slave = otherThan(master);
        await cluster.agent(slave).kill();
        await until('the master to be alone on record', async () => (await cluster.status()).inSync.length === 1);
        await history.nextOk();
        await killAll(cluster);
        await cluster.startController();
        await startNode(cluster, slave);
        const waiting = await until('the node to be there', async () => {
          const status = await cluster.status().catch(() => null);
          const node = status?.nodes.find(({ id }) => id === slave);
          return node?.linked === true && node.app === 'up' && status;
        });
        const explained = await heldBy(cluster, 'R690');
        assert.match(explained, new RegExp(`no {3}another node .*: ${slave} is not in the in-sync set`));
        assert.deepEqual([waiting.serving, waiting.master], [false, master]);
        await startNode(cluster, master);
        await history.nextOk();
        assert.equal(await cluster.master(), master);
      },
      { failover: { stallTimeout: '1s' } },
    ));
});
