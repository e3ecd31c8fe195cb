import assert from 'node:assert/strict';
import { tool } from '../../../rig/tool.ts';
import { until } from '../../../rig/until.ts';
import { type DriverWorld, type Reached, registerDriverTests } from '../../../traffic/register-driver-tests.ts';
import { IpvsDrivers, nameOf, type Service } from '../../ipvs-drivers.ts';
import { virtualAddress } from '../../ipvs-net.ts';

/** What every driver must do, by IPVS with real packets. */

/** Each IP version and protocol; driver.ts has all ways. */
const SERVICES: readonly Service[] = [
  { forwarding: 'nat', family: 4, protocol: 'tcp' },
  { forwarding: 'dr', family: 6, protocol: 'udp' },
];

let drivers: IpvsDrivers;

const named = (outcome: string): Reached => {
  assert.match(outcome, /^a$|^b$|^over ECONNREFUSED$/);
  return outcome === 'a' || outcome === 'b' ? outcome : 'refused';
};

function worldOf(service: Service): DriverWorld {
  const address = virtualAddress(service.forwarding, service.family);
  return {
    makeDriver: () => drivers.driver(service),
    reach: async () => named(await drivers.reach(service)),
    wait:
      service.protocol === 'udp'
        ? null
        : async () => {
            const connection = await drivers.client.open(address, 9000);
            await until('the first packet was sent', async () =>
              (await drivers.net.rig.host('client').run(['ss', '-Htn', 'state', 'syn-sent'])).includes(address),
            );
            assert.ok(!connection.settled);
            return async () => {
              const outcome = named(await connection.outcome());
              connection.shut();
              return outcome;
            };
          },
    state: () => tool(['ipvsadm', '-Sn']),
    disturb: async () => {
      const stranger = service.family === 4 ? '10.0.0.66:9000' : '[fd77::66]:9000';
      const name = nameOf(service).split(' ');
      await tool(['ipvsadm', '-E', ...name, '-s', 'wlc']);
      await tool(['ipvsadm', '-a', ...name, '-r', stranger, '-g', '-w', '9']);
    },
    refuses: true,
    reset: () => drivers.reset(),
    close: () => Promise.resolve(),
  };
}

export function registerContractTests(): void {
  for (const service of SERVICES) {
    const { forwarding, family, protocol } = service;
    registerDriverTests(`ipvs, ${forwarding}, IPv${family}, ${protocol}`, async () => {
      drivers = await IpvsDrivers.shared();
      return worldOf(service);
    });
  }
}
