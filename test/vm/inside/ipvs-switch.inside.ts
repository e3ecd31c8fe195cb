import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { tool } from '../../rig/tool.ts';
import { until } from '../../rig/until.ts';
import { IpvsDrivers, type Service, wish } from '../ipvs-drivers.ts';
import { FORWARDINGS } from '../ipvs-net.ts';
import { Load } from '../load.ts';

/** All ways of forwarding, IP versions and protocols at once, under 200 requests a second in all. */

const EVERY_MS = 5;
const SERVICES: readonly Service[] = FORWARDINGS.flatMap((forwarding) =>
  ([4, 6] as const).flatMap((family) =>
    (['tcp', 'udp'] as const).map((protocol) => ({ forwarding, family, protocol })),
  ),
);

describe('a change of master under load, through IPVS', () => {
  let net: IpvsDrivers;
  before(async () => {
    net = await IpvsDrivers.create();
  });
  beforeEach(() => net.reset());
  after(() => net.close());

  it('fails no request when it was planned', async () => {
    const drivers = SERVICES.map((service) => net.driver(service));
    await Promise.all(drivers.map((driver) => driver.apply(wish({ active: 'a' }))));
    const load = await Load.start(net.net.rig.host('client'), SERVICES, EVERY_MS);
    await load.answeredBy('a');
    await Promise.all(drivers.map((driver) => driver.apply(wish({ hold: true }))));
    await Promise.all(drivers.map((driver) => driver.apply(wish({ active: 'b', epoch: 2 }))));
    await load.answeredBy('b');
    const outcomes = await load.stop();
    assert.deepEqual([...outcomes.keys()].toSorted(), ['a', 'b'], JSON.stringify([...outcomes]));
    // What it came to, for a reader of the console.
    console.log(`planned change under load: ${JSON.stringify([...outcomes])}`);
  });

  it('leaves no entry of a dead node, so that nobody hangs on one', async () => {
    const drivers = SERVICES.map((service) => net.driver(service));
    await Promise.all(drivers.map((driver) => driver.apply(wish({ active: 'a' }))));
    const load = await Load.start(net.net.rig.host('client'), SERVICES, EVERY_MS);
    await load.answeredBy('a');
    await Promise.all(['client', 'director'].map((host) => net.net.rig.cutBoth(host, 'a')));
    await Promise.all(drivers.map((driver) => driver.apply(wish({ active: 'b', dead: ['a'], epoch: 2 }))));
    const toDead = async (): Promise<boolean> =>
      /(10\.0\.0\.11|fd77::11\]?):9000\s*$/m.test(await tool(['ipvsadm', '-Lnc']));
    await until('the kernel to forget the dead node', async () => !(await toDead()), 1000);
    await load.answeredBy('b');
    await load.stop();
    await net.net.rig.healAll();
  });
});
