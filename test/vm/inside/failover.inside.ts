import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Cluster, GROUP, otherThan, USUAL_PORTS } from '../../rig/cluster.ts';
import { type Attempt, failures } from '../../rig/history.ts';
import { typescriptFriendList } from '../../rig/friend-list.ts';
import { HistoryRun } from '../../rig/history-run.ts';
import type { Host } from '../../rig/host.ts';
import { machineMs } from '../../rig/machine-clock.ts';
import type { Machine } from '../../rig/machine.ts';
import { type Family, FORWARDINGS, IpvsNet, virtualAddress } from '../ipvs-net.ts';

/**
 * A whole pair behind IPVS: one app, reached by NAT, DR and TUN at once, each by a client of its own. All clients
 * together make 200 connections a second, each with one write.
 */

const EVERY_MS = 15;
/** Emulation is slow: who waits longer than this has been forgotten. */
const PATIENCE_MS = 10_000;
const HANG_LIMIT_MS = 1000;

/** The host, as one that is known by its address of that family. */
function knownBy(host: Host, family: Family): Machine {
  return {
    name: host.name,
    address: family === 4 ? host.address : host.address6,
    dir: host.dir,
    spawn: (argv, options) => host.spawn(argv, options),
    run: (argv, input) => host.run(argv, input),
  };
}

for (const family of [4, 6] as const) {
  describe(`a pair behind IPVS, IPv${family}`, () => {
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
        nodes: { a: knownBy(rig.host('a'), family), b: knownBy(rig.host('b'), family) },
        dir: join(rig.dir, 'cluster'),
        ports: USUAL_PORTS,
        app: typescriptFriendList,
        traffic: FORWARDINGS.map((forwarding) => {
          const host = virtualAddress(forwarding, family);
          return { type: 'ipvs', virtual: family === 6 ? `[${host}]:9000` : `${host}:9000`, forwarding };
        }),
        profile: 'wan',
        failover: { holdDown: '0s' },
      });
      clients = await Promise.all(
        FORWARDINGS.map((name) =>
          HistoryRun.start(rig.host('client'), {
            to: `${virtualAddress(name, family)}:9000`,
            name,
            everyMs: EVERY_MS,
            patienceMs: PATIENCE_MS,
          }),
        ),
      );
    });
    after(() => net.close());

    it('changes its master by plan without a failed request', async () => {
      await nextOk();
      const old = await cluster.master();
      await cluster.hsctl('promote', GROUP, otherThan(old), '--wait');
      await nextOk();
      assert.equal(await cluster.master(), otherThan(old));
      assert.deepEqual(failures(attempts(), 0, Infinity), []);
      assert.deepEqual(
        attempts().filter(({ outcome }) => outcome !== 'ok'),
        [],
      );
      await cluster.whole();
    });

    it('fails over when the app crashes, and nobody hangs', async () => {
      const old = await cluster.master();
      const crashMs = machineMs();
      await cluster.app(old).kill();
      await nextOk();
      assert.equal(await cluster.master(), otherThan(old));
      const hung = attempts().filter(
        ({ startMs, doneMs, outcome }) => outcome !== 'ok' && doneMs - startMs > HANG_LIMIT_MS,
      );
      assert.deepEqual(
        hung.filter(({ doneMs }) => doneMs > crashMs),
        [],
      );
      await cluster.restartEnded();
      await cluster.whole();
    });

    it('has lost nothing that it acknowledged', async () => {
      for (const [index, client] of clients.entries()) {
        await client.stop();
        const forwarding = FORWARDINGS[index] ?? 'nat';
        const { lost, ghosts, duplicates } = await client.check(`${virtualAddress(forwarding, family)}:9000`);
        assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
      }
    });
  });
}
