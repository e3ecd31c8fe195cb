import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../../src/controller/ports.ts';
import { tool } from '../../../rig/tool.ts';
import { until } from '../../../rig/until.ts';
import { IpvsDrivers, type Service, wish } from '../../ipvs-drivers.ts';
import { type Forwarding, FORWARDINGS } from '../../ipvs-net.ts';
import { Load } from '../../load.ts';

/** Both IP versions and both protocols at once, under 200 requests a second in all, each over a connection of its own. */

const EVERY_MS = 5;
const servicesOf = (forwarding: Forwarding): readonly Service[] =>
  ([4, 6] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({ forwarding, family, protocol })),
  );

export const registerSwitchTests = (): void =>
  void describe('a change of master under load, through IPVS', () => {
    let net: IpvsDrivers;
    before(async () => {
      net = await IpvsDrivers.shared();
    });
    beforeEach(() => net.reset());

    /** All of them lead to a, which answers. */
    async function loaded(services: readonly Service[]) {
      const drivers = services.map((service) => net.driver(service));
      const all = (change: Partial<DesiredTraffic>) => Promise.all(drivers.map((driver) => driver.apply(wish(change))));
      await all({ active: 'a' });
      const load = await Load.start(net.net.rig.host('client'), services, EVERY_MS);
      await load.answeredBy('a');
      return { all, load };
    }

    for (const forwarding of FORWARDINGS) {
      const services = servicesOf(forwarding);

      it(`fails no request when it was planned: ${forwarding}`, async () => {
        const { all, load } = await loaded(services);
        await all({ hold: true });
        await all({ active: 'b', epoch: 2 });
        await load.answeredBy('b');
        const outcomes = JSON.stringify(Object.fromEntries(await load.stop()));
        console.log(`planned change under load, ${forwarding}: ${outcomes}`);
        assert.match(outcomes, /^\{"a":\d+,"b":\d+\}$/);
      });

      it(`leaves no entry of a dead node, so that nobody hangs on one: ${forwarding}`, async () => {
        const { all, load } = await loaded(services);
        await Promise.all(['client', 'director'].map((host) => net.net.rig.cutBoth(host, 'a')));
        await all({ active: 'b', dead: ['a'], epoch: 2 });
        const remains = async (): Promise<boolean> =>
          /(10\.0\.0\.11|\[fd77::11\]):9000\s*$/m.test(await tool(['ipvsadm', '-Lnc']));
        await until('the kernel to forget the dead node', async () => !(await remains()), 1000);
        await load.answeredBy('b');
        await load.kill();
        await net.net.rig.healAll();
      });
    }
  });
