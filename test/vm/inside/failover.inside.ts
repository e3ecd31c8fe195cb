import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, GROUP, otherThan, USUAL_PORTS } from '../../rig/cluster.ts';
import { typescriptFriendList } from '../../rig/friend-list.ts';
import type { Attempt } from '../../rig/history.ts';
import { HistoryRun } from '../../rig/history-run.ts';
import { until } from '../../rig/until.ts';
import { FORWARDINGS, IpvsNet, virtualAddress } from '../ipvs-net.ts';

/**
 * A whole pair behind IPVS: one app, reached by NAT, DR and TUN at once, each by a client of its own. All clients
 * together make 200 connections a second, each with one write.
 */

const EVERY_MS = 15;
/** Emulation is slow: who waits longer than this has been forgotten. */
const PATIENCE_MS = 10_000;

describe('a pair behind IPVS', () => {
  let net: IpvsNet;
  let cluster: Cluster;
  let clients: readonly HistoryRun[];
  const attempts = (): Attempt[] => clients.flatMap((client) => client.soFar());
  const nextOk = (): Promise<unknown> => Promise.all(clients.map((client) => client.nextOk()));

  before(async () => {
    net = await IpvsNet.create();
    const { rig, director } = net;
    cluster = await Cluster.start({
      director,
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: typescriptFriendList,
      traffic: FORWARDINGS.map((forwarding) => {
        return { type: 'ipvs', virtual: `${virtualAddress(forwarding, 4)}:9000`, forwarding };
      }),
      profile: 'wan',
      failover: { holdDown: '0s' },
    });
    clients = await Promise.all(
      FORWARDINGS.map((name) => {
        const to = `${virtualAddress(name, 4)}:9000`;
        return HistoryRun.start(rig.host('client'), { to, name, everyMs: EVERY_MS, patienceMs: PATIENCE_MS });
      }),
    );
  });
  after(() => net.close());

  const becomesMaster = (node: string): Promise<unknown> =>
    until(`${node} to be the master`, async () => (await cluster.status()).master === node);

  it('changes its master by plan without a failed request', async () => {
    await nextOk();
    const to = otherThan(await cluster.master());
    const request = { operator: 'test', node: to, dryRun: false, force: false, allowDataLoss: false };
    await cluster.api.promote({ group: GROUP, ...request });
    await becomesMaster(to);
    await cluster.whole();
    await nextOk();
    const failed = attempts().filter(({ outcome }) => outcome !== 'ok');
    assert.deepEqual(failed, []);
    console.log(`planned change of a pair: ${attempts().length} writes, none failed`);
  });

  it('fails over when the app crashes', async () => {
    const old = await cluster.master();
    await cluster.app(old).kill();
    await becomesMaster(otherThan(old));
    await nextOk();
    await cluster.restartEnded();
    await cluster.whole();
  });

  it('has lost nothing that it acknowledged', async () => {
    for (const [index, client] of clients.entries()) {
      await client.stop();
      const { lost, ghosts, duplicates } = await client.check(`${virtualAddress(FORWARDINGS[index] ?? 'nat', 4)}:9000`);
      assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
    }
  });
});
