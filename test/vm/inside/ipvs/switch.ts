import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../../src/controller/ports.ts';
import { tool } from '../../../rig/tool.ts';
import { until } from '../../../rig/until.ts';
import { IpvsDrivers, PORT, type Service, wish } from '../../ipvs-drivers.ts';
import { type Forwarding, FORWARDINGS } from '../../ipvs-net.ts';
import { Load, placeOf } from '../../load.ts';

/** Both IP versions and both protocols at once, under 200 requests a second in all, each over a connection of its own. */

const PER_SECOND = 200;
/** What counts as that. */
const ENOUGH_PER_SECOND = 190;
/** On a machine that somebody else keeps busy, emulation may be too slow for a while. */
const TRIES = 3;
/** Under load before the change, and after it. */
const AROUND_S = 2;

const servicesOf = (forwarding: Forwarding): readonly Service[] =>
  ([4, 6] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({ forwarding, family, protocol })),
  );

export const registerSwitchTests = (): void =>
  void describe(`a change of master under ${PER_SECOND} connections a second, through IPVS`, () => {
    let net: IpvsDrivers;
    before(async () => {
      net = await IpvsDrivers.shared();
    });
    beforeEach(() => net.reset());

    /** All of them lead to a, which has answered for a while. */
    async function loaded(services: readonly Service[]) {
      const drivers = services.map((service) => net.driver(service));
      const all = (change: Partial<DesiredTraffic>) => Promise.all(drivers.map((driver) => driver.apply(wish(change))));
      await all({ active: 'a' });
      const places = services.map((service) => placeOf(service, PORT));
      const load = await Load.start(net.net.rig.host('client'), places, PER_SECOND);
      await load.answeredBy('a');
      await load.seconds(AROUND_S);
      return { all, load };
    }

    for (const forwarding of FORWARDINGS) {
      const services = servicesOf(forwarding);

      async function changeByPlan(): Promise<Loaded> {
        const { all, load } = await loaded(services);
        await all({ hold: true });
        await all({ active: 'b', epoch: 2 });
        await load.answeredBy('b');
        await load.seconds(AROUND_S);
        const result = await load.stop();
        assert.deepEqual(Object.keys(result.outcomes).toSorted(), ['a', 'b'], result.words);
        return { bySecond: load.bySecond, words: `planned change, ${forwarding}: ${result.words}` };
      }

      async function loseOne(): Promise<Loaded> {
        const { all, load } = await loaded(services);
        await Promise.all(['client', 'director'].map((host) => net.net.rig.cutBoth(host, 'a')));
        await all({ active: 'b', dead: ['a'], epoch: 2 });
        const remains = async (): Promise<boolean> =>
          /(10\.0\.0\.11|\[fd77::11\]):9000\s*$/m.test(await tool(['ipvsadm', '-Lnc']));
        await until('the kernel to forget the dead node', async () => !(await remains()), 1000);
        await load.answeredBy('b');
        await load.seconds(AROUND_S);
        await load.kill();
        await net.net.rig.healAll();
        return { bySecond: load.bySecond, words: `silent node, ${forwarding}` };
      }

      it(`fails no request when it was planned: ${forwarding}`, () => underFullLoad(changeByPlan));

      it(`leaves no entry of a dead node, so that nobody hangs on one: ${forwarding}`, () => underFullLoad(loseOne));
    }
  });

/** What was done under load: requests in each second, and what is to be told of it. */
interface Loaded {
  readonly bySecond: readonly number[];
  readonly words: string;
}

/** Repeats what was done under too little load. */
async function underFullLoad(change: () => Promise<Loaded>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    const { bySecond, words } = await change();
    const mean = bySecond.reduce((sum, count) => sum + count, 0) / bySecond.length;
    const rate = `${mean.toFixed(0)} connections a second for ${bySecond.length} s, ${Math.min(...bySecond)} in the least`;
    console.log(`${words}; ${rate}`);
    if (mean >= ENOUGH_PER_SECOND) return;
    assert.ok(tries < TRIES, `only ${rate}`);
  }
}
