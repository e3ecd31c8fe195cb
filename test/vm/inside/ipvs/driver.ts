import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, beforeEach, describe, it } from 'node:test';
import { parseSaved } from '../../../../src/traffic/ipvs/parse.ts';
import { tool } from '../../../rig/tool.ts';
import { until } from '../../../rig/until.ts';
import { IpvsDrivers, nameOf, type Service, wish } from '../../ipvs-drivers.ts';
import { FORWARDINGS, virtualAddress } from '../../ipvs-net.ts';

/** What only IPVS has to do, on the real kernel. */

/** Nobody may wait longer for an entry that leads nowhere. */
const HANG_LIMIT_MS = 1000;
const NAT: Service = { forwarding: 'nat', family: 4, protocol: 'tcp' };
/** Connections so far of each service and server. */
const counts = async (): Promise<readonly string[]> => {
  const lines = (await tool(['ipvsadm', '-Ln', '--stats'])).matchAll(/^(?:TCP|\s+->)\s+(\S+:\d+)\s+(\d+)/gm);
  return [...lines].map(([, name, count]) => `${name} ${count}`);
};
const setting = (name: string): string => readFileSync(`/proc/sys/net/ipv4/vs/${name}`, 'utf8').trim();

export const registerDriverTests = (): void =>
  void describe('IPVS', () => {
    let drivers: IpvsDrivers;
    before(async () => {
      drivers = await IpvsDrivers.shared();
    });
    beforeEach(() => drivers.reset());

    for (const forwarding of FORWARDINGS) {
      for (const family of [4, 6] as const) {
        const place = `${forwarding}, IPv${family}`;

        it(`lets present connections go on in a planned change, and drains: ${place}`, async () => {
          const service: Service = { forwarding, family, protocol: 'tcp' };
          const driver = drivers.driver(service);
          await driver.apply(wish({ active: 'a' }));
          const connection = await drivers.client.open(virtualAddress(forwarding, family), 9000);
          assert.equal(await connection.outcome(), 'a');
          const counted = forwarding === 'nat' ? [1, 0] : [null, null];
          assert.deepEqual([await driver.connections('a'), await driver.connections('b')], counted);
          await driver.apply(wish({ active: 'b', epoch: 2 }));
          assert.equal(await drivers.reach(service), 'b');
          connection.say('still');
          await connection.heard('still');
          connection.shut();
          if (forwarding !== 'nat') return;
          await until('the drain to end', async () => (await driver.connections('a')) === 0, 1000);
        });

        it(`ends what goes to a silent, dead node: ${place}`, async () => {
          const [tcp, udp] = (['tcp', 'udp'] as const).map((protocol): Service => ({ forwarding, family, protocol }));
          assert.ok(tcp && udp);
          const both = [drivers.driver(tcp), drivers.driver(udp)];
          await Promise.all(both.map((driver) => driver.apply(wish({ active: 'a' }))));
          const address = virtualAddress(forwarding, family);
          const connection = await drivers.client.open(address, 9000);
          assert.equal(await connection.outcome(), 'a');
          assert.equal(await drivers.client.ask(`dead-${forwarding}${family}`, address, 9000), 'a');
          await drivers.net.rig.cutBoth('client', 'a');
          await drivers.net.rig.cutBoth('director', 'a');
          await Promise.all(both.map((driver) => driver.apply(wish({ active: 'b', dead: ['a'], epoch: 2 }))));
          connection.say('anybody');
          assert.equal(await connection.over(HANG_LIMIT_MS), 'ECONNRESET');
          assert.equal(await drivers.client.ask(`dead-${forwarding}${family}`, address, 9000, HANG_LIMIT_MS), 'b');
          await drivers.net.rig.healAll();
        });

        it(`moves UDP clients, which never say that they are done: ${place}`, async () => {
          const service: Service = { forwarding, family, protocol: 'udp' };
          const driver = drivers.driver(service);
          const ask = (): Promise<string> =>
            drivers.client.ask(`moved-${forwarding}${family}`, virtualAddress(forwarding, family), 9000);
          await driver.apply(wish({ active: 'a' }));
          assert.equal(await ask(), 'a');
          await driver.apply(wish({ hold: true }));
          assert.equal(await ask(), 'a');
          await driver.apply(wish({ active: 'b', epoch: 2 }));
          assert.equal(await ask(), 'b');
          await driver.apply(wish({ active: 'a', epoch: 3 }));
          assert.equal(await ask(), 'a');
        });
      }
    }

    for (const scheduler of ['rr', 'wlc'] as const) {
      it(`moves a service with scheduler ${scheduler}`, async () => {
        const driver = drivers.driver(NAT, { scheduler });
        for (const active of ['a', 'b', 'a']) {
          await driver.apply(wish({ active }));
          assert.equal(await drivers.reach(NAT), active);
          assert.equal(await drivers.reach(NAT), active);
        }
      });
    }

    it('moves clients that stick to their node; with another setting of the kernel they would not move', async () => {
      const careless = drivers.driver(NAT, { persistenceS: 60, setSysctls: false });
      await careless.apply(wish({ active: 'a' }));
      assert.equal(await drivers.reach(NAT), 'a');
      await careless.apply(wish({ active: 'b' }));
      assert.equal(await drivers.reach(NAT), 'a');
      assert.match(JSON.stringify(await careless.check()), /expire_quiescent_template is 0/);
      const driver = drivers.driver(NAT, { persistenceS: 60 });
      await driver.apply(wish({ active: 'b' }));
      assert.equal(await drivers.reach(NAT), 'b');
      assert.deepEqual(await driver.check(), []);
    });

    it('serves what rules have marked, several ports as one service', async () => {
      await tool(
        ['nft', '-f', '-'],
        `table inet marks {
  chain arriving {
    type filter hook prerouting priority mangle;
    ip daddr ${virtualAddress('dr', 4)} tcp dport { 9000, 9001 } meta mark set 7
    ip6 daddr ${virtualAddress('dr', 6)} tcp dport { 9000, 9001 } meta mark set 7
  }
}`,
      );
      for (const family of [4, 6] as const) {
        const service: Service = { forwarding: 'dr', family, protocol: 'tcp' };
        const driver = drivers.driver(service, { fwmark: 7 });
        for (const active of ['a', 'b']) {
          await driver.apply(wish({ active }));
          assert.deepEqual([await drivers.reach(service), await drivers.reach(service, 9001)], [active, active]);
        }
        await driver.apply(wish({ hold: true }));
        const waiting = await drivers.client.open(virtualAddress('dr', family), 9001);
        await driver.apply(wish({ active: 'a' }));
        assert.equal(await waiting.outcome(), 'a');
        waiting.shut();
      }
      assert.deepEqual([...parseSaved(await tool(['ipvsadm', '-Sn'])).keys()].toSorted(), ['-f 7', '-f 7 -6']);
    });

    it('never touches services and connections of others', async () => {
      const foreign: Service = { forwarding: 'dr', family: 4, protocol: 'tcp' };
      const name = nameOf(foreign);
      const line = `-A ${name} -s wrr -p 300\n-a ${name} -r 10.0.0.12:9000 -g -w 100\n`;
      await tool(['ipvsadm', '-R'], line);
      const connection = await drivers.client.open(virtualAddress('dr', 4), 9000);
      assert.equal(await connection.outcome(), 'b');
      const driver = drivers.driver(NAT);
      await driver.apply(wish({ active: 'a' }));
      await driver.apply(wish({ active: 'b', dead: ['a'] }));
      await driver.apply(wish({}));
      const kept = (await tool(['ipvsadm', '-Sn'])).split('\n').filter((one) => one.includes(name));
      assert.deepEqual(kept, line.trim().split('\n'));
      connection.say('still');
      await connection.heard('still');
      connection.shut();
    });

    it('takes its service away with its entry, but not one that it found', async () => {
      const services = async (): Promise<readonly string[]> => [...parseSaved(await tool(['ipvsadm', '-Sn'])).keys()];
      const maker = drivers.driver(NAT);
      await maker.apply(wish({ active: 'a' }));
      await maker.remove();
      assert.deepEqual(await services(), []);
      await tool(['ipvsadm', '-A', ...nameOf(NAT).split(' '), '-s', 'rr']);
      const finder = drivers.driver(NAT);
      await finder.apply(wish({ active: 'a' }));
      await finder.remove();
      assert.deepEqual(await services(), [nameOf(NAT)]);
    });

    it('adopts what it finds without a change, so that a restarted controller leaves no gap', async () => {
      await drivers.driver(NAT).apply(wish({ active: 'a' }));
      const connection = await drivers.client.open(virtualAddress('nat', 4), 9000);
      assert.equal(await connection.outcome(), 'a');
      // The kernel shows every two seconds what it has counted.
      await until('the connection to be counted', async () => (await counts()).includes('10.0.0.100:9000 1'));
      const counted = await counts();
      const next = drivers.driver(NAT);
      await next.apply(wish({ active: 'a' }));
      // Counters start anew with whatever was removed and added again.
      assert.deepEqual(await counts(), counted);
      assert.equal(await next.connections('a'), 1);
      connection.shut();
    });

    it('sets what it needs in a kernel that has only just loaded IPVS', async () => {
      await tool(['ipvsadm', '-C']);
      await tool(['modprobe', '-r', 'ip_vs_fo', 'ip_vs_rr', 'ip_vs_wlc', 'ip_vs_wrr', 'ip_vs']);
      await drivers.driver(NAT, { conntrack: true }).apply(wish({ active: 'a' }));
      const names = ['expire_nodest_conn', 'expire_quiescent_template', 'conn_reuse_mode', 'conntrack'];
      assert.deepEqual(names.map(setting), ['1', '1', '1', '1']);
      assert.equal(await drivers.reach(NAT), 'a');
      const without = drivers.driver(NAT, { conntrack: false });
      assert.match(JSON.stringify(await without.check()), /net\.ipv4\.vs\.conntrack is 1/);
      await without.apply(wish({ active: 'a' }));
      assert.equal(setting('conntrack'), '0');
    });
  });
