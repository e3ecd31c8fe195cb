import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Attempt } from '../../rig/history.ts';
import { machineMs } from '../../rig/machine-clock.ts';
import { GROUP, type NodeName, otherThan } from '../../rig/cluster.ts';
import { tool } from '../../rig/tool.ts';
import { until } from '../../rig/until.ts';
import { ASK_MS, IpvsPair, LIMIT_MS } from '../ipvs-pair.ts';

/** Times are printed, not asserted: emulation has its own. What is asserted is the order of events. */

const OPERATOR = { operator: 'test', group: GROUP } as const;
const secondsSince = (ms: number): string => `${((machineMs() - ms) / 1000).toFixed(2)} s`;
const failed = (attempts: readonly Attempt[]): Attempt[] => attempts.filter(({ outcome }) => outcome !== 'ok');

describe('a pair behind IPVS: NAT, DR and TUN, IPv4 and IPv6, TCP and UDP', () => {
  let pair: IpvsPair;
  before(async () => {
    pair = await IpvsPair.start();
  });
  after(() => pair.close());

  const connectionsOf = async (node: NodeName): Promise<number | null | undefined> =>
    (await pair.cluster.status()).nodes.find(({ id }) => id === node)?.connections;

  it('changes its master by plan under load without a failed request', async () => {
    const { cluster, writes } = pair;
    const from = await cluster.master();
    const to = otherThan(from);
    const load = await pair.load();
    await load.answeredBy('PONG', pair.places('tcp'));
    await load.answeredBy(from, pair.places('udp'));
    const beganMs = machineMs();
    await cluster.api.promote({ ...OPERATOR, node: to, dryRun: false, force: false, allowDataLoss: false });
    await pair.servedBy(to);
    await load.answeredBy(to, pair.places('udp'));
    const took = secondsSince(beganMs);
    const result = await load.stop();
    const attempts = writes.soFar();
    console.log(`planned change: over after ${took}; ${attempts.length} writes; ${result.words}`);
    assert.deepEqual(Object.keys(result.outcomes).toSorted(), ['PONG', 'a', 'b']);
    assert.deepEqual(failed(attempts).slice(0, 3), []);
  });

  it('has drained a node when the last connection ends, not before', async () => {
    const { cluster } = pair;
    const node = await cluster.master();
    const open = await pair.connections();
    await cluster.api.drain({ ...OPERATOR, node, timeoutMs: null });
    await pair.servedBy(otherThan(node));
    for (const [index, connection] of open.entries()) {
      const left = open.length - index;
      await until(`${left} connections to be left`, async () => (await connectionsOf(node)) === left, LIMIT_MS, ASK_MS);
      connection.shut();
      if (left > 1) continue;
      const endedMs = machineMs();
      await until('the drain to end', async () => (await connectionsOf(node)) === 0, LIMIT_MS, ASK_MS);
      console.log(`a drain ended ${secondsSince(endedMs)} after the last connection`);
    }
    await cluster.api.undrain({ ...OPERATOR, node });
  });

  it('goes on at the other node when the app crashes', async () => {
    const { cluster } = pair;
    await cluster.whole();
    const old = await cluster.master();
    const open = await pair.connections();
    const crashedMs = machineMs();
    await cluster.app(old).kill();
    for (const connection of open) await connection.over();
    await pair.servedBy(otherThan(old));
    console.log(`after a crash of the app served again, each way, after ${secondsSince(crashedMs)}`);
    await cluster.startApp(old);
    await cluster.whole();
  });

  it('leaves nobody on an entry of a machine that went silent', async () => {
    const { cluster, net } = pair;
    const old = await cluster.master();
    const open = await pair.connections();
    const silentMs = machineMs();
    await Promise.all([net.rig.isolate(old), net.rig.cutBoth('director', old)]);
    await pair.servedBy(otherThan(old));
    console.log(`after silence served again, each way, after ${secondsSince(silentMs)}`);
    const saidMs = machineMs();
    for (const connection of open) connection.say('PING');
    for (const connection of open) assert.equal(await connection.over(), 'ECONNRESET');
    console.log(`a client of the silent machine was told so after ${secondsSince(saidMs)}`);
    const host = net.rig.host(old);
    const entries = (await tool(['ipvsadm', '-Lnc'])).split('\n');
    const dead = entries.filter((line) => [`${host.address}:`, `[${host.address6}]:`].some((to) => line.includes(to)));
    assert.deepEqual(dead, []);
    await net.rig.healAll();
    await cluster.whole();
  });

  it('has lost nothing that it acknowledged', async () => {
    await pair.writes.stop();
    const { lost, ghosts, duplicates, outcomes } = await pair.writes.check('10.0.0.100:9000');
    console.log(`writes: ${JSON.stringify(outcomes)}`);
    assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
  });
});
