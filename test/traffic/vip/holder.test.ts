import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import type { RunningProgram } from '../../../src/kit/exec.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import { VipHolder } from '../../../src/traffic/vip/holder.ts';
import { parseVirtualAddress } from '../../../src/traffic/vip/plan.ts';
import type { Host } from '../../rig/host.ts';
import { Rig } from '../../rig/rig.ts';
import { until } from '../../rig/until.ts';
import { depsWithin, realDeps } from '../group.ts';

/** Real addresses on real interfaces, in network namespaces. */

const VIPS = { 4: '10.0.0.100', 6: 'fd77::100' } as const;
const TIMING = { count: 3, intervalMs: 20, refreshMs: 200 };
const LEASE_MS = 60_000;

interface ShownAddress {
  readonly local?: string;
  readonly prefixlen: number;
  readonly label?: string;
  readonly valid_life_time: number;
  readonly deprecated?: boolean;
}

/** No machine has it. */
const NOBODY = '02:00:00:00:00:01';

/** Has a client look for the address where nobody is. */
async function mislead(client: Host, vip: string, state: 'reachable' | 'stale'): Promise<void> {
  await client.run(['ip', 'neigh', 'replace', vip, 'lladdr', NOBODY, 'dev', 'eth0', 'nud', state]);
}

for (const family of [4, 6] as const) {
  describe(`VipHolder, IPv${family}`, () => {
    const vip = VIPS[family];
    const cidr = `${vip}/${family === 4 ? 32 : 128}`;
    let rig: Rig;
    let a: Host;
    let holders: VipHolder[];
    let programs: RunningProgram[];
    before(async () => {
      rig = await Rig.create(['client', 'a', 'b']);
      a = rig.host('a');
    });
    after(() => rig.close());
    beforeEach(() => {
      holders = [];
      programs = [];
    });
    afterEach(async () => {
      await Promise.all(holders.map((holder) => holder.close()));
    });

    const make = (
      host: Host,
      interfaceName = 'eth0',
      scheduler = realDeps.scheduler,
      parts: Parameters<typeof parseVirtualAddress>[2] = {},
    ): VipHolder => {
      const deps = { ...depsWithin(['ip', 'netns', 'exec', host.namespace]), scheduler };
      const holder = new VipHolder(parseVirtualAddress(cidr, interfaceName, parts), TIMING, {
        ...deps,
        startProgram: async (command, options) => {
          const program = await deps.startProgram(command, options);
          programs.push(program);
          return program;
        },
      });
      holders.push(holder);
      return holder;
    };
    const started = async (host: Host): Promise<VipHolder> => {
      const holder = make(host);
      await holder.start();
      return holder;
    };
    const withoutPerl = (host: Host): { readonly holder: VipHolder; readonly deps: { warnings: string[] } } => {
      const warnings: string[] = [];
      const deps = depsWithin(['ip', 'netns', 'exec', host.namespace]);
      const noPerl = ([program = '']: readonly string[]): void => {
        if (program === 'perl') throw new HsctlError('failed', 'perl: no such program');
      };
      const holder = new VipHolder(parseVirtualAddress(cidr, 'eth0'), TIMING, {
        ...deps,
        logger: { ...silentLogger, warn: (message) => void warnings.push(message) },
        run: async (command, options) => {
          noPerl(command);
          return deps.run(command, options);
        },
        startProgram: async (command, options) => {
          noPerl(command);
          return deps.startProgram(command, options);
        },
      });
      holders.push(holder);
      return { holder, deps: { warnings } };
    };
    const shown = async (): Promise<ShownAddress | undefined> => {
      const json = await a.run(['ip', '-j', 'addr', 'show', 'dev', 'eth0']);
      const [device] = JSON.parse(json) as { readonly addr_info: readonly ShownAddress[] }[];
      return device?.addr_info.find(({ local }) => local === vip);
    };

    it('takes the address with a lifetime of whole seconds within the lease, renews it and gives it up', async () => {
      const holder = await started(a);
      await holder.hold(LEASE_MS + 900);
      const address = await shown();
      assert.ok(address !== undefined && address.valid_life_time <= LEASE_MS / 1000);
      assert.ok(family === 4 ? address.label === 'eth0:hs' : address.deprecated);
      assert.ok(holder.held);
      await holder.hold(2 * LEASE_MS);
      assert.ok(((await shown())?.valid_life_time ?? 0) > LEASE_MS / 1000);
      await holder.release();
      assert.equal(await shown(), undefined);
      assert.ok(!holder.held);
    });

    it('is idempotent', async () => {
      const holder = await started(a);
      await Promise.all([holder.hold(LEASE_MS), holder.hold(LEASE_MS), holder.hold(LEASE_MS)]);
      await Promise.all([holder.release(), holder.release()]);
      await holder.release();
      assert.equal(await shown(), undefined);
      await holder.hold(LEASE_MS);
      assert.deepEqual(await rig.holders(vip), ['a']);
    });

    it('has the order to remove the address out before release returns, even behind one to take it', async () => {
      const holder = await started(a);
      const taking = assert.rejects(holder.hold(LEASE_MS), /was released while it was being set/);
      const releasing = holder.release();
      assert.equal(programs[0]?.unreadBytes(), 0);
      await Promise.all([taking, releasing]);
      assert.equal(await shown(), undefined);
    });

    it('gives the address up itself when the lease is not renewed', async () => {
      const holder = await started(a);
      await holder.hold(50);
      await until('the address is gone', async () => (await shown()) === undefined && !holder.held);
    });

    it('leaves it to the kernel when it cannot act any more', async () => {
      // An agent that is frozen: none of its timers runs.
      const frozen = { ...realDeps.scheduler, after: () => ({ cancel: () => undefined }) };
      const holder = make(a, 'eth0', frozen);
      await holder.start();
      await holder.hold(1000);
      assert.ok(await shown());
      await until('the kernel removed the address', async () => (await shown()) === undefined);
      assert.ok(holder.held, 'the holder has not noticed');
    });

    it('removes what a crashed agent left behind, whatever its prefix length', async () => {
      const other = family === 4 ? `${vip}/24` : `${vip}/64`;
      await a.run(['ip', 'addr', 'add', cidr, 'dev', 'eth0']);
      if (family === 4) await a.run(['ip', 'addr', 'add', other, 'dev', 'eth0']);
      await started(a);
      assert.equal(await shown(), undefined);
    });

    it('sets the address again after somebody removed it', async () => {
      const holder = await started(a);
      await holder.hold(LEASE_MS);
      await a.run(['ip', 'addr', 'del', cidr, 'dev', 'eth0']);
      await until('it is back', async () => {
        await holder.hold(LEASE_MS);
        return shown();
      });
    });

    it('removes the address by other means when its `ip` is stuck, and goes on with a new one', async () => {
      const holder = await started(a);
      await holder.hold(LEASE_MS);
      programs[0]?.kill('SIGSTOP');
      await holder.release();
      assert.equal(await shown(), undefined);
      await until('it can be taken again', () =>
        holder.hold(LEASE_MS).then(
          () => true,
          () => false,
        ),
      );
      assert.ok(await shown());
    });

    it('says what is wrong when the interface is missing', async () => {
      const holder = make(a, 'eth7');
      await holder.start();
      await assert.rejects(holder.hold(LEASE_MS), (error: Error) => {
        assert.match(error.message, /cannot set .* on eth7: .*eth7/);
        return error.name === 'HsctlError';
      });
      assert.ok(!holder.held);
      const [finding] = await holder.check();
      assert.match(finding?.what ?? '', /eth7/);
    });

    it('finds nothing wrong with a machine that has all it needs', async () => {
      const holder = await started(a);
      assert.deepEqual(await holder.check(), []);
    });

    it('needs no more rights than the agent has as a unit, and says which one it lacks', async () => {
      const findings = async (rights: string): Promise<string> => {
        const within = ['ip', 'netns', 'exec', a.namespace, 'setpriv', '--no-new-privs', `--bounding-set=${rights}`];
        const holder = new VipHolder(parseVirtualAddress(cidr, 'eth0'), TIMING, depsWithin(within));
        return (await holder.check()).map(({ what, hint }) => `${what} ${hint}`).join('\n');
      };
      assert.equal(await findings('-all,+net_admin,+net_raw'), '');
      assert.match(
        await findings('-all,+net_admin'),
        /cannot open a packet socket: Operation not permitted.*CAP_NET_RAW/,
      );
    });

    it('tells the neighbours at once, and again after they were told otherwise', async () => {
      const [first, second] = [await started(a), await started(rig.host('b'))];
      const client = rig.host('client');
      const knows = (host: Host) => async (): Promise<boolean> =>
        (await client.neighbour(vip)) === (await host.hardwareAddress());
      // Only an entry that is there is changed by an announcement.
      await mislead(client, vip, 'reachable');
      await first.hold(LEASE_MS);
      await until('the client knows node a', knows(a));
      await first.release();
      await second.hold(LEASE_MS);
      await until('the client knows node b', knows(rig.host('b')));
      await mislead(client, vip, 'stale');
      await until('the client knows node b again', knows(rig.host('b')));
    });

    it('tells of another machine that uses the address, and of its end, and keeps the address', async () => {
      const holder = await started(a);
      const other = rig.host('client');
      await holder.hold(LEASE_MS);
      assert.deepEqual(holder.warnings, []);
      await other.run(['ip', 'addr', 'add', cidr, 'dev', 'eth0', ...(family === 6 ? ['nodad'] : [])]);
      const text = `${vip} is used by the machine ${await other.hardwareAddress()} too`;
      try {
        await until('the warning', () => holder.warnings.includes(text));
        assert.ok(holder.held);
      } finally {
        await other.run(['ip', 'addr', 'del', cidr, 'dev', 'eth0']);
      }
      await until('the end of the warning', () => holder.warnings.length === 0);
    });

    it('takes nobody for a rival who had the address before', async () => {
      const [first, second] = [await started(a), await started(rig.host('b'))];
      for (const [giver, taker] of [
        [first, second],
        [second, first],
      ] as const) {
        await giver.hold(LEASE_MS);
        await giver.release();
        await taker.hold(LEASE_MS);
        const client = rig.host('client');
        await mislead(client, vip, 'stale');
        await until('another announcement', async () => (await client.neighbour(vip)) !== NOBODY);
        await mislead(client, vip, 'stale');
        await until('and one more', async () => (await client.neighbour(vip)) !== NOBODY);
        assert.deepEqual(taker.warnings, []);
        await taker.release();
      }
    });

    it('sees to routes and rules of the address: there with it, mended, gone with it', async () => {
      const [gateway, flag] = family === 4 ? ['10.0.0.1', '-4'] : ['fd77::1', '-6'];
      const holder = make(a, 'eth0', realDeps.scheduler, {
        routes: [`default via ${gateway} dev eth0 table 100`],
        rules: [`from ${vip} table 100 priority 100`],
      });
      const present = async (): Promise<readonly [boolean, boolean]> => [
        (await a.run(['ip', flag, 'route', 'show', 'table', 'all'])).includes(
          `default via ${gateway} dev eth0 table 100`,
        ),
        (await a.run(['ip', flag, 'rule'])).includes(`from ${vip} lookup 100`),
      ];
      await holder.start();
      assert.deepEqual(await present(), [false, false]);
      await holder.hold(LEASE_MS);
      assert.deepEqual(await present(), [true, true]);
      await a.run(['ip', flag, 'rule', 'del', 'priority', '100']);
      await a.run(['ip', flag, 'route', 'flush', 'table', '100']);
      await until('both are back', async () => {
        await holder.hold(LEASE_MS);
        return (await present()).every(Boolean);
      });
      assert.equal((await a.run(['ip', flag, 'rule'])).match(/lookup 100/g)?.length, 1, 'renewals add no second rule');
      assert.deepEqual(holder.warnings, []);
      await holder.release();
      assert.deepEqual(await present(), [false, false]);
      await holder.hold(LEASE_MS);
      // As after a crash: somebody else starts, and removes what is left.
      await make(a, 'eth0', realDeps.scheduler, {
        routes: [`default via ${gateway} dev eth0 table 100`],
        rules: [`from ${vip} table 100 priority 100`],
      }).start();
      assert.deepEqual([await shown(), ...(await present())], [undefined, false, false]);
    });

    it('holds the address and gives it up also where a route of it cannot be, and says so', async () => {
      for (const [route, said] of [
        [`default via ${family === 4 ? '192.0.2.1' : '2001:db8::1'} dev nowhere table 100`, /routes of .*nowhere/],
        // Of which `ip` ends.
        ['default sideways', /routes of .*sideways/],
      ] as const) {
        const holder = make(a, 'eth0', realDeps.scheduler, { routes: [route] });
        await holder.start();
        await holder.hold(LEASE_MS);
        assert.ok(holder.held);
        assert.match(holder.warnings.join('\n'), said);
        await holder.release();
        assert.equal(await shown(), undefined);
      }
    });

    it('announces the hardware address that the interface has by now', async () => {
      const [holder, client] = [await started(a), rig.host('client')];
      const former = await a.hardwareAddress();
      await client.run(['ip', 'neigh', 'replace', vip, 'lladdr', former, 'dev', 'eth0', 'nud', 'reachable']);
      try {
        await a.run(['ip', 'link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:0a']);
        await holder.hold(LEASE_MS);
        await until('the client knows', async () => (await client.neighbour(vip)) === '02:00:00:00:00:0a');
      } finally {
        await a.run(['ip', 'link', 'set', 'dev', 'eth0', 'address', former]);
      }
    });

    it('announces at once an address on an interface that was not there before', async () => {
      await a.run(['ip', 'link', 'set', 'dev', 'eth0', 'name', 'eth1']);
      const holder = await started(a);
      await a.run(['ip', 'link', 'set', 'dev', 'eth1', 'name', 'eth0', 'up']);
      const client = rig.host('client');
      await mislead(client, vip, 'reachable');
      await holder.hold(LEASE_MS);
      await until('the client knows', async () => (await client.neighbour(vip)) === (await a.hardwareAddress()));
    });

    it('announces by other programs where it may not send frames, and says so', async () => {
      const { deps, holder } = withoutPerl(a);
      await holder.start();
      assert.match(deps.warnings.join('\n'), /is announced late.*perl: no such program/);
      assert.match((await holder.check())[0]?.hint ?? '', /CAP_NET_RAW/);
      const client = rig.host('client');
      await mislead(client, vip, 'reachable');
      await holder.hold(LEASE_MS);
      await until('the client knows', async () => (await client.neighbour(vip)) === (await a.hardwareAddress()));
    });
  });
}

it('VipHolder without any program to announce with says so', async () => {
  const run: typeof realDeps.run = () => Promise.reject(new Error('no such program'));
  const startProgram: typeof realDeps.startProgram = () => Promise.reject(new Error('no such program'));
  const deps = { ...realDeps, run, startProgram };
  for (const [cidr, hint] of [
    ['10.0.0.100/32', /arping/],
    ['fd77::100/128', /libndp-tools/],
  ] as const) {
    const hints = async (interfaceName: string): Promise<string> => {
      const findings = await new VipHolder(parseVirtualAddress(cidr, interfaceName), TIMING, deps).check();
      return findings.map((finding) => finding.hint).join('\n');
    };
    assert.match(await hints('eth0'), hint);
    assert.doesNotMatch(await hints('lo'), hint, 'an address on lo is not announced');
  }
});
