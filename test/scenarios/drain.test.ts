import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, type NodeName, otherThan } from '../rig/cluster.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import { until } from '../rig/until.ts';
import { onPair, type Scene } from './pair.ts';

/** Connects to the app of a node at its own address, and says how that ends; `end` on its input ends it. */
const CLIENT = `
const socket = require('node:net').connect({ host: process.argv[1], port: 9000, allowHalfOpen: false });
socket.on('connect', () => console.log('connected')).on('data', () => undefined);
socket.on('error', (error) => console.log(error.code)).on('close', () => process.exit());
process.stdin.on('data', () => socket.destroy());
`;

async function connected({ rig }: Scene, node: NodeName): Promise<RigProcess> {
  const argv = [process.execPath, '-e', CLIENT, rig.host(node).address];
  const client = await rig.host('client').spawn(argv, { name: `client-of-${node}` });
  await client.waitFor(/connected/);
  return client;
}

/** `hsctl drain` at work: what it has told so far, and its end. */
async function drain({ rig, cluster }: Scene, node: NodeName, ...flags: readonly string[]): Promise<RigProcess> {
  const argv = cluster.command('drain', GROUP, node, '--wait', ...flags);
  return rig.host('director').spawn(argv, { name: 'drain' });
}

describe('a drain', () => {
  it('is over when the last connection to the node ends, whatever becomes of the controller meanwhile', () =>
    onPair(async (scene) => {
      const { cluster, master, history } = scene;
      const client = await connected(scene, master);
      const draining = await drain(scene, master);
      await draining.waitFor(/1 connection left/);
      await cluster.controller.kill();
      await cluster.startController();
      await until('the number to be known again', async () => {
        const status = await cluster.status().catch(() => null);
        const node = status?.nodes.find(({ id }) => id === master);
        return node?.drained === true && node.connections === 1;
      });
      assert.equal(await cluster.master(), otherThan(master));
      assert.ok(draining.running);
      client.write('end');
      await draining.waitFor(/has no more clients/);
      await draining.exited;
      await history.nextOk();
      await cluster.hsctl('undrain', GROUP, master);
    }));

  it('resets what is left when its time is over, and the drained node is not promoted, not even in need', () =>
    onPair(async (scene) => {
      const { cluster, master, history } = scene;
      const client = await connected(scene, master);
      const draining = await drain(scene, master, '--timeout', '1s');
      await client.waitFor(/ECONNRESET/);
      await draining.waitFor(/has no more clients/);
      await history.nextOk();
      await cluster.agent(otherThan(master)).kill();
      await until('the group to see it', async () => (await cluster.status()).serving === false);
      const explained = await cluster.hsctl('explain', GROUP);
      assert.match(explained, new RegExp(`${master} is drained`));
      await cluster.startAgent(otherThan(master));
      await history.nextOk();
      assert.equal(await cluster.master(), otherThan(master));
      await cluster.hsctl('undrain', GROUP, master);
    }));
});
