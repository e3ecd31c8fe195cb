import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GROUP, NODES, otherThan } from '../rig/cluster.ts';
import { until } from '../rig/until.ts';
import { onPair, tiltOf } from './pair.ts';

const HOUR_MS = 3_600_000;
const WAYS = [
  { way: 'forward', byMs: HOUR_MS },
  { way: 'back', byMs: -HOUR_MS },
] as const;

describe('a clock that is set', () => {
  for (const { way, byMs } of WAYS) {
    it(`${way} by an hour, on one machine after the other: it is noticed, and there is no failover`, async (t) => {
      await onPair(
        async ({ rig, cluster, clocks, master, history }) => {
          const { epoch } = await cluster.status();
          for (const machine of ['director', ...NODES]) {
            await t.test(machine, async () => {
              clocks?.of(rig.host(machine)).setWall(byMs);
              if (machine === 'director')
                await cluster.controller.waitFor(/the wall clock jumped by -?(36000|35999)\d\d ms/);
              await history.nextOk();
              const after = await cluster.whole();
              assert.deepEqual([after.master, after.epoch], [master, epoch]);
            });
          }
        },
        { clocks: true },
      );
    });
  }
});

describe('while the controller doubts its clocks', () => {
  it('it says so, and decides nothing that it would decide else; afterwards it does', () =>
    onPair(
      async ({ rig, cluster, clocks, master, history }) => {
        clocks?.of(rig.host('director')).setWall(HOUR_MS);
        await until('the status to tell of the doubt', () => tiltOf(cluster));
        await cluster.app(master).kill();
        const status = await until('the master to have given up', async () => {
          const now = await cluster.status();
          return now.nodes.find(({ id }) => id === master)?.phase === 'released' && now;
        });
        assert.match((await tiltOf(cluster)) ?? '', /the wall clock jumped by \d+ ms: no decisions for 5.0 s/);
        assert.deepEqual([status.master, status.stage], [master, 'serving']);
        assert.match(await cluster.hsctl('explain', GROUP), /R100/);
        await history.nextOk();
        assert.equal(await cluster.master(), otherThan(master));
      },
      { clocks: true, failover: { detect: '5s', lease: '6s', stallTimeout: '10s' } },
    ));
});
