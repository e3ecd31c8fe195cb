import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Cluster, type ClusterOptions, type NodeName, USUAL_PORTS } from '../rig/cluster.ts';
import { buildCppFriendList, cppFriendList, typescriptFriendList } from '../rig/friend-list.ts';
import { HistoryRun } from '../rig/history-run.ts';
import { Rig } from '../rig/rig.ts';

const VIP = '10.0.0.100';

/** Where clients find the service, and the entry of the configuration that makes it so. */
const TRAFFIC = {
  vip: { service: `${VIP}:9000`, entry: { type: 'vip', address: `${VIP}/32`, interface: 'eth0' } },
  proxy: { service: '10.0.0.10:9000', entry: { type: 'proxy', listen: '10.0.0.10:9000' } },
} as const;

const APPS = { typescript: typescriptFriendList, cpp: cppFriendList } as const;

/** A pair in the rig that serves, and a client that writes to it. */
export interface Scene {
  readonly rig: Rig;
  readonly cluster: Cluster;
  /** Node that serves at the beginning. */
  readonly master: NodeName;
  readonly history: HistoryRun;
}

export interface PairOptions {
  readonly app?: keyof typeof APPS;
  readonly traffic?: keyof typeof TRAFFIC;
  readonly failover?: ClusterOptions['failover'];
}

/**
 * Plays `act` on a pair under a writing client; whatever it does, in the end the pair has to serve from one node, with
 * both in sync, the address on that node alone, and every acknowledged write in its lists.
 */
export function onPair(act: (scene: Scene) => Promise<void>, options: PairOptions = {}): Promise<void> {
  return Rig.use(async (rig) => {
    const { app = 'typescript', traffic = 'vip' } = options;
    const { service, entry } = TRAFFIC[traffic];
    if (app === 'cpp') await buildCppFriendList();
    const cluster = await Cluster.start({
      director: rig.host('director'),
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: APPS[app],
      traffic: [entry],
      failover: { holdDown: '0s', ...options.failover },
    });
    const history = await HistoryRun.start(rig.host('client'), { to: service });
    await history.nextOk();
    await act({ rig, cluster, master: await cluster.master(), history });
    await rig.healAll();
    await cluster.restartEnded();
    await cluster.whole();
    await history.nextOk();
    await history.stop();
    assert.deepEqual(await rig.holders(VIP), traffic === 'vip' ? [await cluster.master()] : []);
    const { lost, ghosts, duplicates } = await history.check(service);
    assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
  });
}
