import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { IpvsSync, parseDaemons } from '../../../../src/traffic/ipvs/sync.ts';
import { tool } from '../../../rig/tool.ts';
import { until } from '../../../rig/until.ts';
import { depsWithin } from '../../../traffic/group.ts';
import { IpvsDrivers, nameOf, patientDeps, type Service, wish } from '../../ipvs-drivers.ts';
import { virtualAddress } from '../../ipvs-net.ts';

/** Two directors: the VM itself, and the client's host, which stands by. */

const SERVICE: Service = { forwarding: 'nat', family: 4, protocol: 'tcp' };
const ID = 7;

export const registerSyncTests = (): void =>
  void describe('connection sync of IPVS', () => {
    let drivers: IpvsDrivers;
    let first: IpvsSync;
    let second: IpvsSync;
    const standby = (): string[] => ['ip', 'netns', 'exec', drivers.net.rig.host('client').namespace];
    const daemons = async (prefix: readonly string[] = []): Promise<readonly string[]> => [
      ...parseDaemons(await tool([...prefix, 'ipvsadm', '-L', '-n', '--daemon'])).keys(),
    ];

    before(async () => {
      drivers = await IpvsDrivers.shared();
      await drivers.reset();
      first = new IpvsSync({ interface: 'eth0', id: ID }, patientDeps);
      second = new IpvsSync({ interface: 'eth0', id: ID }, depsWithin(standby()));
    });
    after(async () => {
      await Promise.all(
        [[], standby()].flatMap((prefix) =>
          ['master', 'backup'].map((role) => tool([...prefix, 'ipvsadm', '--stop-daemon', role]).catch(() => '')),
        ),
      );
    });

    it('starts and stops the daemons with the role, and reads back', async () => {
      await first.become('master');
      assert.deepEqual(await daemons(), ['master']);
      await first.become('master');
      assert.deepEqual(await daemons(), ['master']);
      await first.become('backup');
      assert.deepEqual(await daemons(), ['backup']);
      await first.become('master');
      assert.deepEqual(await daemons(), ['master']);
    });

    it('tells the other director of a connection', async () => {
      await second.become('backup');
      assert.deepEqual(await daemons(standby()), ['backup']);
      await drivers.driver(SERVICE).apply(wish({ active: 'a' }));
      const connection = await drivers.client.open(virtualAddress('nat', 4), 9000);
      assert.equal(await connection.outcome(), 'a');
      await until('the other director to know it', async () => {
        connection.say('more'); // it tells of a connection after some packets
        const known = await tool([...standby(), 'ipvsadm', '-Lnc']);
        return known.includes(nameOf(SERVICE).split(' ')[1] ?? '') && known.includes('ESTABLISHED');
      });
      connection.shut();
    });
  });
