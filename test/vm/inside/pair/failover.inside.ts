import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { GroupStatus } from '../../../../src/model/status.ts';
import { Cluster, GROUP, otherThan, USUAL_PORTS } from '../../../rig/cluster.ts';
import { typescriptFriendList } from '../../../rig/friend-list.ts';
import { HistoryRun } from '../../../rig/history-run.ts';
import { until } from '../../../rig/until.ts';
import { FORWARDINGS, IpvsNet, virtualAddress } from '../../ipvs-net.ts';

/**
 * A whole pair behind IPVS: one app, reached by NAT, DR and TUN at once, each by a client of its own. All clients
 * together make 25 connections a second, each with one write: emulation leaves no time for more.
 */

const EVERY_MS = 120;
/** Emulation is slow: who waits longer than this has been forgotten. */
const PATIENCE_MS = 20_000;

describe('a pair behind IPVS', () => {
  let net: IpvsNet;
  let cluster: Cluster;
  let clients: readonly HistoryRun[];
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
      // A request takes seconds here when everything is busy with the change.
      failover: { holdDown: '0s', finishWork: '15s' },
    });
    clients = await Promise.all(
      FORWARDINGS.map((name) => {
        const to = `${virtualAddress(name, 4)}:9000`;
        return HistoryRun.start(rig.host('client'), { to, name, everyMs: EVERY_MS, patienceMs: PATIENCE_MS });
      }),
    );
  });
  after(() => net.close());

  const serves = (node: string): Promise<GroupStatus> =>
    until(`${node} to serve alone`, async () => {
      const status = await cluster.status();
      return status.serving && status.master === node && status.traffic.every(({ settled }) => settled) && status;
    });

  it('changes its master by plan without a failed request: NAT, DR, TUN', async () => {
    const to = otherThan(await cluster.master());
    const request = { operator: 'test', node: to, dryRun: false, force: false, allowDataLoss: false };
    await cluster.api.promote({ group: GROUP, ...request });
    await serves(to);
    await nextOk();
    const attempts = clients.flatMap((client) => client.soFar());
    assert.deepEqual(attempts.filter(({ outcome }) => outcome !== 'ok').slice(0, 3), []);
    console.log(`planned change of a pair: ${attempts.length} writes, none failed`);
  });

  it('fails over when the app crashes: NAT, DR, TUN', async () => {
    await cluster.whole();
    const old = await cluster.master();
    await cluster.app(old).kill();
    await serves(otherThan(old));
    await nextOk();
  });

  it('has lost nothing that it acknowledged', async () => {
    const verdicts = await Promise.all(
      clients.map(async (client, index) => {
        await client.stop();
        return client.check(`${virtualAddress(FORWARDINGS[index] ?? 'nat', 4)}:9000`);
      }),
    );
    for (const { lost, ghosts, duplicates, outcomes } of verdicts) {
      assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
      assert.ok(outcomes.ok > 0);
    }
  });
});
