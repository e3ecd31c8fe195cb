import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { ScriptDriver } from '../../../src/traffic/script/driver.ts';
import { realDeps } from '../group.ts';
import { registerDriverTests } from '../register-driver-tests.ts';
import { TemporaryFolder } from '../temporary-folder.ts';

const BACKENDS = [
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

/** Keeps the node in a file, and each call in another. */
const KEEPER = `cd "$(dirname "$0")"
case $1 in
  status) cat node 2>/dev/null || echo - ;;
  apply) echo "$2" > node; echo "$* $HSCTL_ACTIVE_ADDRESS epoch $HSCTL_EPOCH hold $HSCTL_HOLD dead $HSCTL_DEAD" >> calls ;;
esac`;

function driverOf(command: readonly string[], timeoutMs = 20_000): ScriptDriver {
  return new ScriptDriver({ type: 'script', command, timeoutMs }, 'world', BACKENDS, realDeps);
}

registerDriverTests('script', async () => {
  const folder = new TemporaryFolder();
  const program = folder.program('keeper', KEEPER);
  return {
    makeDriver: () => driverOf([program]),
    reach: async () => {
      const node = folder.read('node').trim();
      return node === 'a' || node === 'b' ? node : 'refused';
    },
    wait: null,
    state: async () => folder.read('calls'),
    disturb: async () => folder.write('node', 'b\n'),
    refuses: true,
    reset: async () => folder.delete('node', 'calls'),
    close: async () => folder.remove(),
  };
});

describe('ScriptDriver', () => {
  let folder: TemporaryFolder;
  beforeEach(() => {
    folder = new TemporaryFolder();
  });
  afterEach(() => folder.remove());

  it('runs the command with its arguments, the order and the environment', async () => {
    const driver = driverOf([folder.program('keeper', KEEPER)]);
    await driver.apply(wish({ active: 'b', dead: ['a'], epoch: 7 }));
    await driver.apply(wish({ hold: true, epoch: 8 }));
    assert.equal(folder.read('calls'), 'apply b 10.0.0.12 epoch 7 hold 0 dead a\napply -  epoch 8 hold 1 dead \n');
    assert.equal(await driver.connections(), null);
  });

  it('believes a script that cannot tell', async () => {
    const driver = driverOf([folder.program('mute', `[ "$1" = apply ] && echo "$2" >> ${folder.path}/calls; exit 0`)]);
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ active: 'a' }));
    assert.equal(folder.read('calls'), 'a\na\n');
  });

  it('does not believe a script whose status contradicts it', async () => {
    await assert.rejects(driverOf([folder.program('liar', 'echo b')]).apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      message: /should go to a, but `status` says b/,
    });
  });

  it('passes on what a failed script complained about, and tries again when asked', async () => {
    const driver = driverOf([
      folder.program('failing', `[ -f ${folder.path}/mended ] && exit 0; echo no route >&2; exit 3`),
    ]);
    await assert.rejects(driver.apply(wish({ active: 'a' })), { code: 'failed', message: /exit code 3: no route/ });
    folder.write('mended', '');
    await driver.apply(wish({ active: 'a' }));
  });

  it('has a time limit', async () => {
    await assert.rejects(driverOf([folder.program('slow', 'exec sleep 60')], 50).apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      code: 'timeout',
    });
  });
});
