import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import type { Backend } from '../../../src/traffic/backends.ts';
import { ScriptDriver } from '../../../src/traffic/script/driver.ts';
import { Rig } from '../../rig/rig.ts';
import { tool } from '../../rig/tool.ts';
import { depsWithin, realDeps } from '../group.ts';
import { FAKE_IPVSADM, Ipvs } from '../ipvs/ipvs-model.ts';
import { type DriverWorld, registerDriverTests } from '../register-driver-tests.ts';
import { TemporaryFolder } from '../temporary-folder.ts';

/** The scripts that come with hsctl, in scripts/vip. */

const SCRIPTS = fileURLToPath(new URL('../../../scripts/vip/', import.meta.url));
const VIP = '10.0.0.100';
const BACKENDS: readonly Backend[] = [
  { node: 'a', address: '10.0.0.11', port: 9000 },
  { node: 'b', address: '10.0.0.12', port: 9000 },
];

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

function driverOf(script: string, words: readonly string[], env: Readonly<Record<string, string>>): ScriptDriver {
  const command = [join(SCRIPTS, script), ...words];
  return new ScriptDriver({ type: 'script', command, timeoutMs: 20_000 }, 'world', BACKENDS, depsWithin([], env));
}

it('the scripts in scripts/vip are clean for shellcheck', async () => {
  const scripts = readdirSync(SCRIPTS).filter((name) => !name.includes('.'));
  assert.ok(scripts.length >= 3);
  await tool(['shellcheck', ...scripts.map((name) => join(SCRIPTS, name))]);
});

registerDriverTests('script vip-ip', async () => {
  const rig = await Rig.create(['a', 'b']);
  const folder = new TemporaryFolder();
  const reach = folder.program('reach', `node=$1; shift 2; exec ip netns exec "${rig.id}-$node" "$@"`);
  const everywhere = (words: readonly string[]): Promise<unknown> =>
    Promise.all(rig.hosts.map((host) => host.run(words).catch(() => '')));
  return {
    makeDriver: () => driverOf('vip-ip', [`${VIP}/32`, 'eth0'], { HSCTL_REACH: reach }),
    reach: async () => {
      const holders = await rig.holders(VIP);
      assert.ok(holders.length <= 1);
      return holders[0] === 'a' || holders[0] === 'b' ? holders[0] : 'refused';
    },
    wait: null,
    state: async () => (await Promise.all(rig.hosts.map((host) => host.addresses()))).join('; '),
    disturb: async () => void (await everywhere(['ip', 'addr', 'add', `${VIP}/32`, 'dev', 'eth0'])),
    refuses: true,
    reset: async () => void (await everywhere(['ip', 'addr', 'del', `${VIP}/32`, 'dev', 'eth0'])),
    close: async () => {
      await rig.close();
      folder.remove();
    },
  };
});

for (const flag of ['-t', '-u']) {
  registerDriverTests(`script ipvs-ipvsadm ${flag}, with a fake ipvsadm`, () => worldOfIpvs(flag));
}

async function worldOfIpvs(flag: string): Promise<DriverWorld> {
  const service = `${flag} ${VIP}:9000`;
  const folder = new TemporaryFolder();
  folder.program(
    'ipvsadm',
    `NODE_COMPILE_CACHE='${folder.path}/cache' exec '${process.execPath}' '${FAKE_IPVSADM}' "$@"`,
  );
  const env = {
    PATH: `${folder.path}:${process.env['PATH'] ?? ''}`,
    IPVS_STATE: join(folder.path, 'state'),
    IPVS_CALLS: join(folder.path, 'calls'),
  };
  return {
    makeDriver: () => driverOf('ipvs-ipvsadm', [flag, `${VIP}:9000`, '-m'], env),
    reach: async () => {
      const ipvs = Ipvs.parse(folder.read('state'));
      assert.ok(ipvs.positive(service).length <= 1);
      const server = ipvs.next(service);
      return BACKENDS.find(({ address, port }) => server === `${address}:${port}`)?.node === 'a'
        ? 'a'
        : server === null
          ? 'refused'
          : 'b';
    },
    wait: null,
    state: async () => folder.read('state'),
    disturb: async () => {
      folder.write('state', folder.read('state').replace('10.0.0.12:9000 -m -w 0', '10.0.0.12:9000 -m -w 7'));
    },
    refuses: true,
    reset: async () => folder.delete('state'),
    close: async () => folder.remove(),
  };
}

describe('keepalived-notify', () => {
  let folder: TemporaryFolder;
  before(() => {
    folder = new TemporaryFolder();
  });
  after(() => folder.remove());

  it('tells a notify script what keepalived would, once for each change', async () => {
    const notify = folder.program('notify', `echo "$@" >> ${folder.path}/told`);
    const driver = driverOf('keepalived-notify', [notify, 'VI_1', 'a'], { RUNTIME_DIRECTORY: folder.path });
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ active: 'b' }));
    await driver.apply(wish({ active: 'b', dead: ['a'] }));
    await driver.apply(wish({}));
    assert.deepEqual(folder.read('told').trim().split('\n'), [
      'INSTANCE VI_1 MASTER 100',
      'INSTANCE VI_1 BACKUP 100',
      'INSTANCE VI_1 FAULT 100',
      'INSTANCE VI_1 BACKUP 100',
    ]);
  });

  it('fails as the notify script does, and tells it again', async () => {
    const notify = folder.program('broken', 'exit 4');
    const driver = driverOf('keepalived-notify', [notify, 'VI_2', 'a'], { RUNTIME_DIRECTORY: folder.path });
    for (let round = 0; round < 2; round += 1) {
      await assert.rejects(driver.apply(wish({ active: 'a' })), { message: /exit code 4/ });
    }
  });
});

for (const script of readdirSync(SCRIPTS)) {
  it(`${script} says how it is used`, async () => {
    const result = await realDeps.run([join(SCRIPTS, script)], { timeoutMs: 20_000, acceptExit: (code) => code === 2 });
    assert.match(result.stderr, new RegExp(`^usage: ${script} `));
  });
}
