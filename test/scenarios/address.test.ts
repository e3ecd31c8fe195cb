import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressWatch } from '../rig/address-watch.ts';
import { GROUP, NODES, otherThan } from '../rig/cluster.ts';
import type { Host } from '../rig/host.ts';
import { machineMs } from '../rig/machine-clock.ts';
import { TRAFFIC, VIP } from '../rig/pair-kinds.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

interface ShownAddress {
  readonly local?: string;
  readonly label?: string;
  readonly valid_life_time: number;
}

async function shown(host: Host, address: string): Promise<ShownAddress | undefined> {
  const [device] = JSON.parse(await host.run(['ip', '-j', 'addr', 'show', 'dev', 'eth0'])) as [
    { readonly addr_info: readonly ShownAddress[] },
  ];
  return device.addr_info.find(({ local }) => local === address);
}

describe('the address', () => {
  it('is removed by the kernel within its lifetime when the agent is killed, and taken by the other node only then', (t) =>
    onPair(async ({ rig, cluster, master, history }) => {
      const [former, next] = [rig.host(master), rig.host(otherThan(master))];
      const watch = await AddressWatch.start(VIP, former, next);
      await cluster.agent(master).kill();
      const killedAtMs = machineMs();
      const left = await shown(former, VIP);
      assert.ok(left !== undefined, 'a killed agent removes nothing');
      assert.ok(left.valid_life_time <= 1, `the kernel keeps it for ${left.valid_life_time} s, longer than the lease`);
      await until('the kernel to remove it', async () => !(await former.holds(VIP)), 10_000, 5);
      const goneMs = machineMs() - killedAtMs;
      await until('the other node to take it', () => next.holds(VIP), 10_000, 5);
      t.diagnostic(
        `gone ${Math.round(goneMs)} ms after the kill, taken after ${Math.round(machineMs() - killedAtMs)} ms`,
      );
      await history.nextOk();
      assert.deepEqual(watch.stop(), [], 'never on both');
      assert.ok(watch.looks > 10);
    }));

  it('is where the neighbours look for it at once when a split has healed', (t) =>
    onPair(async ({ rig, cluster, master, history }) => {
      const next = otherThan(master);
      const [client, former, holder] = [rig.host('client'), rig.host(master), rig.host(next)];
      // The clients are on the side of the former master, which may not serve there.
      for (const here of ['client', master]) for (const there of ['director', next]) await rig.cutBoth(here, there);
      await until('the other side to take it', async () => (await holder.holds(VIP)) && !(await former.holds(VIP)));
      // Fresh knowledge, which nothing but an announcement changes.
      const entry = ['lladdr', await former.hardwareAddress(), 'dev', 'eth0', 'nud', 'reachable'];
      await client.run(['ip', 'neigh', 'replace', VIP, ...entry]);
      await rig.healAll();
      const healedAtMs = machineMs();
      await until(
        'the client to know the holder',
        async () => (await client.neighbour(VIP)) === (await holder.hardwareAddress()),
        10_000,
        5,
      );
      t.diagnostic(`the neighbour's table was right ${Math.round(machineMs() - healedAtMs)} ms after the split`);
      await history.nextOk();
      assert.equal(await cluster.master(), next);
    }));

  it('may be several, of both families, with a label, routes and rules: all come and go together', () => {
    const all = [VIP, '10.0.0.101', 'fd77::100'];
    const rule = `from 10.0.0.101 table 100 priority 100`;
    const entries = [
      TRAFFIC.vip.entry,
      {
        ...TRAFFIC.vip.entry,
        address: '10.0.0.101/32',
        label: 'eth0:web',
        routes: ['10.9.0.0/16 dev eth0 src 10.0.0.101 table 100'],
        rules: [rule],
      },
      { ...TRAFFIC.vip.entry, address: 'fd77::100/128' },
    ];
    const isWhole = async (host: Host): Promise<readonly boolean[]> => [
      ...(await Promise.all(all.map((address) => host.holds(address)))),
      (await host.run(['ip', 'rule'])).includes('from 10.0.0.101 lookup 100'),
      (await host.run(['ip', 'route', 'show', 'table', 'all'])).includes('10.9.0.0/16 dev eth0 table 100'),
    ];
    return onPair(
      async ({ rig, cluster, master, history }) => {
        const next = otherThan(master);
        const both = async (): Promise<unknown> =>
          Object.fromEntries(
            await Promise.all(NODES.map(async (node) => [node, [...new Set(await isWhole(rig.host(node)))]])),
          );
        await until('all to be there', async () => (await isWhole(rig.host(master))).every(Boolean));
        assert.deepEqual(await both(), { [master]: [true], [next]: [false] });
        assert.equal((await shown(rig.host(master), '10.0.0.101'))?.label, 'eth0:web');
        await cluster.hsctl('promote', GROUP, next, '--wait');
        await until('all to have moved', async () => (await isWhole(rig.host(next))).every(Boolean));
        assert.deepEqual(await both(), { [master]: [false], [next]: [true] });
        await cluster.app(next).kill();
        await history.nextOk();
        await until('all to be back', async () => (await isWhole(rig.host(master))).every(Boolean));
        assert.deepEqual(await both(), { [master]: [true], [next]: [false] });
      },
      { lead: async () => ({ service: TRAFFIC.vip.service, entries }) },
    );
  });

  it('that another machine uses as well is told in the first line of the status, until that one is gone', () =>
    onPair(async ({ rig, cluster, master, history }) => {
      const stranger = rig.host('director');
      await stranger.run(['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'eth0']);
      const text = `${master}: ${VIP} is used by the machine ${await stranger.hardwareAddress()} too`;
      await until('the status to tell of it', async () => (await cluster.status()).summary.includes(text));
      assert.equal((await cluster.status()).severity, 'warning');
      await stranger.run(['ip', 'addr', 'del', `${VIP}/32`, 'dev', 'eth0']);
      await until('the status to be calm again', async () => (await cluster.status()).severity === 'ok');
      await history.nextOk();
      assert.equal(await cluster.master(), master);
    }));
});
