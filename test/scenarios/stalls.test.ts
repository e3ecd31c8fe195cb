import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { type NodeName, otherThan } from '../rig/cluster.ts';
import { busy, busyEnv, type Fault, frozen, suspended } from '../rig/faults.ts';
import { typescriptFriendList } from '../rig/friend-list.ts';
import { TRAFFIC, VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { Witnesses } from '../rig/witnesses.ts';
import { onPair, type PairOptions, type Scene, tiltOf } from './pair.ts';

/** Times of seconds, so that a stall of one is below all of them also on a busy machine. */
const PATIENT: PairOptions = {
  failover: { detect: '4s', lease: '6s', stallTimeout: '10s' },
  appSettings: { heartbeat: { interval: '100ms', misses: 50 } },
};
const SHORT_MS = 1000;

const CAN_STALL: PairOptions = {
  clocks: true,
  env: busyEnv,
  app: (socket, port) => {
    const env = Object.entries(busyEnv({ dir: dirname(socket) })).map(([name, value]) => `${name}=${value}`);
    return ['env', ...env, ...typescriptFriendList(socket, port)];
  },
};

interface Stall {
  readonly name: string;
  readonly make: (scene: Scene, node: NodeName) => Fault;
}

const OF_A_NODE: readonly Stall[] = [
  { name: 'its app is stopped', make: (scene, node) => frozen(scene, `app ${node}`) },
  { name: 'its app does nothing but collect garbage', make: (scene, node) => busy(scene, `app ${node}`) },
  { name: 'its agent is stopped', make: (scene, node) => frozen(scene, `agent ${node}`) },
  { name: 'its agent does nothing but collect garbage', make: (scene, node) => busy(scene, `agent ${node}`) },
  {
    name: 'its machine is suspended',
    make: (scene, node) => suspended(scene, node, scene.clocks!.of(scene.rig.host(node))),
  },
];

const OF_THE_CONTROLLER: readonly Stall[] = [
  { name: 'is stopped', make: (scene) => frozen(scene, 'controller') },
  { name: 'does nothing but collect garbage', make: (scene) => busy(scene, 'controller') },
];

/** Decisions by which a node lost its reign or its place in the record. */
async function changes({ cluster }: Scene): Promise<string[]> {
  const events = await cluster.api.events({ limit: 1000 });
  return events.filter(({ kind }) => kind === 'decision').map(({ rule, message }) => `${rule} ${message}`);
}

describe('a stall that is shorter than all limits', () => {
  it('changes nothing, whoever stands still', async (t) => {
    await onPair(
      async (scene) => {
        const { master, history } = scene;
        const before = await changes(scene);
        const play = (name: string, fault: Fault): Promise<void> =>
          t.test(name, async () => {
            await fault.begin();
            await pause(SHORT_MS);
            await fault.end();
            await history.nextOk();
            await scene.cluster.whole();
            assert.deepEqual(await changes(scene), before);
          });
        for (const { name, make } of OF_A_NODE) await play(`of the master: ${name}`, make(scene, master));
        for (const { name, make } of OF_A_NODE) await play(`of the slave: ${name}`, make(scene, otherThan(master)));
        for (const { name, make } of OF_THE_CONTROLLER) await play(`the controller ${name}`, make(scene, master));
      },
      { ...CAN_STALL, ...PATIENT },
    );
  });
});

describe('a stall that is longer than the limits', () => {
  it('of the master: the other node takes over, and the one that goes on does not serve', async (t) => {
    await onPair(async (scene) => {
      const { rig, cluster, history } = scene;
      const witnesses = await Witnesses.start(rig, TRAFFIC.vip.service, VIP);
      for (const { name, make } of OF_A_NODE) {
        await t.test(name, async () => {
          const former = await cluster.master();
          const fault = make(scene, former);
          await fault.begin();
          await until('the other node to be master', async () => (await cluster.status()).master !== former, 30_000);
          await history.nextOk();
          await fault.end();
          await cluster.restartEnded();
          await cluster.whole();
          const { nodes, master } = await cluster.status();
          assert.deepEqual([master, nodes.find(({ id }) => id === former)?.role], [otherThan(former), 'slave']);
        });
      }
      const testimony = await witnesses.stop();
      assert.deepEqual(testimony, { violations: [], bothServed: [], bothHeld: [] });
    }, CAN_STALL);
  });

  it('of the slave: the master goes on alone, and the slave is in sync again afterwards', async (t) => {
    await onPair(
      async (scene) => {
        const { cluster, master, history } = scene;
        const slave = otherThan(master);
        const { epoch } = await cluster.status();
        for (const { name, make } of OF_A_NODE.filter((stall) => !stall.name.startsWith('its app'))) {
          await t.test(name, async () => {
            const fault = make(scene, slave);
            await fault.begin();
            await until('the master to be alone on record', async () => (await cluster.status()).inSync.length === 1);
            await history.nextOk();
            await fault.end();
            const after = await cluster.whole();
            assert.deepEqual([after.master, after.epoch, after.inSync.length], [master, epoch, 2]);
          });
        }
      },
      { ...CAN_STALL, failover: { stallTimeout: '1s' } },
    );
  });

  it('of the controller: it decides nothing on what it missed, and the pair goes on', async (t) => {
    await onPair(async (scene) => {
      const { cluster, history, master } = scene;
      const before = await changes(scene);
      for (const [number, { name, make }] of OF_THE_CONTROLLER.entries()) {
        await t.test(name, async () => {
          const fault = make(scene, master);
          await fault.begin();
          await pause(3 * SHORT_MS); // longer than a lease, and than anything that it waits for
          await history.nextOk();
          await fault.end();
          await cluster.controller.waitFor(new RegExp(`(the process stood still for [^]*){${number + 1}}`));
          await until('it to trust its clocks again', async () => (await tiltOf(cluster)) === null);
          await cluster.whole();
          assert.deepEqual(await changes(scene), before);
        });
      }
    }, CAN_STALL);
  });
});
