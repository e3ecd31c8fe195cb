import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import type { Backend } from '../../../src/traffic/backends.ts';
import { type IpvsConfig, IpvsDriver } from '../../../src/traffic/ipvs/driver.ts';
import { depsWithin } from '../group.ts';
import { type Reached, registerDriverTests } from '../register-driver-tests.ts';
import { FAKE_IPVSADM, Ipvs } from './ipvs-model.ts';

/**
 * ipvsadm is a fake here: this kernel need not have IPVS. What the real program and kernel do is tested in the VM
 * (test/vm), with the same contract suite.
 */

const SERVICE = '-t 10.0.0.100:9000';
const CONFIG: IpvsConfig = {
  type: 'ipvs',
  virtual: { host: '10.0.0.100', port: 9000 },
  protocol: 'tcp',
  forwarding: 'nat',
  scheduler: 'fo',
  persistenceS: 0,
  fwmark: null,
  conntrack: null,
  setSysctls: true,
};
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

/** A folder with fakes of ipvsadm and nft that keep their state in files. */
class Fakes {
  readonly folder = mkdtempSync(join(tmpdir(), 'hsctl-ipvs-'));
  readonly #state = join(this.folder, 'state');
  readonly #gate = join(this.folder, 'gate');
  readonly #calls = join(this.folder, 'calls');

  constructor() {
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    const write = (name: string, script: string): void => {
      writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
      chmodSync(join(bin, name), 0o755);
    };
    write('ipvsadm', `NODE_COMPILE_CACHE='${this.folder}/cache' exec '${process.execPath}' '${FAKE_IPVSADM}' "$@"`);
    // The gate is closed if the last transaction added a rule.
    write(
      'nft',
      `[ "$1" = --version ] && exit 0\nif grep -q 'add rule'; then : > '${this.#gate}'; else rm -f '${this.#gate}'; fi`,
    );
    mkdirSync(join(this.folder, 'sys/net/ipv4/vs'), { recursive: true });
  }

  driver(config: IpvsConfig = CONFIG): IpvsDriver {
    const env = {
      PATH: `${join(this.folder, 'bin')}:${process.env['PATH'] ?? ''}`,
      IPVS_STATE: this.#state,
      IPVS_CALLS: this.#calls,
    };
    const deps = { ...depsWithin([], env), state: join(this.folder, 'controller') };
    return new IpvsDriver(config, 'world', BACKENDS, deps, join(this.folder, 'sys'));
  }

  get saved(): string {
    return existsSync(this.#state) ? readFileSync(this.#state, 'utf8') : '';
  }

  set saved(text: string) {
    writeFileSync(this.#state, text);
  }

  get gateClosed(): boolean {
    return existsSync(this.#gate);
  }

  /** Lines that were given to `ipvsadm -R` since the last look. */
  changes(): readonly string[] {
    const lines = existsSync(this.#calls) ? readFileSync(this.#calls, 'utf8').split('\n') : [];
    rmSync(this.#calls, { force: true });
    return lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());
  }

  reach(service = SERVICE): Reached | 'waits' {
    if (this.gateClosed) return 'waits';
    const server = Ipvs.parse(this.saved).next(service);
    return server === '10.0.0.11:9000' ? 'a' : server === '10.0.0.12:9000' ? 'b' : 'refused';
  }

  reset(): void {
    for (const file of [this.#state, this.#gate, this.#calls]) rmSync(file, { force: true });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

const UDP_SERVICE = '-u 10.0.0.100:9000';

registerDriverTests('ipvs, with a fake ipvsadm, udp', async () => {
  const fakes = new Fakes();
  return {
    makeDriver: () => fakes.driver({ ...CONFIG, protocol: 'udp' }),
    reach: async () => {
      const reached = fakes.reach(UDP_SERVICE);
      assert.ok(reached !== 'waits', 'the gate is not for datagrams');
      return reached;
    },
    wait: null,
    state: async () => fakes.saved,
    disturb: async () => {
      fakes.saved = `-A ${UDP_SERVICE} -s wlc\n-a ${UDP_SERVICE} -r 10.0.0.12:9000 -m -w 1\n`;
    },
    refuses: true,
    reset: async () => fakes.reset(),
    close: async () => fakes.remove(),
  };
});

registerDriverTests('ipvs, with a fake ipvsadm', async () => {
  const fakes = new Fakes();
  const reach = async (): Promise<Reached> => {
    const reached = fakes.reach();
    assert.notEqual(reached, 'waits');
    return reached === 'waits' ? 'refused' : reached;
  };
  return {
    makeDriver: () => fakes.driver(),
    reach,
    wait: async () => {
      assert.equal(fakes.reach(), 'waits');
      return reach;
    },
    state: async () => fakes.saved,
    disturb: async () => {
      fakes.saved = `-A ${SERVICE} -s wlc -o\n-a ${SERVICE} -r 10.0.0.66:9000 -g -w 9\n-a ${SERVICE} -r 10.0.0.12:9000 -m -w 1\n`;
    },
    refuses: true,
    reset: async () => fakes.reset(),
    close: async () => fakes.remove(),
  };
});

describe('IpvsDriver', () => {
  let fakes: Fakes;
  beforeEach(() => {
    fakes = new Fakes();
  });
  afterEach(() => fakes.remove());

  it('never touches services that are not its own', async () => {
    const foreign = '-A -t 10.0.0.101:80 -s wrr -p 300 -b flag-1\n-a -t 10.0.0.101:80 -r 10.0.0.13:8080 -m -w 100\n';
    fakes.saved = foreign;
    const driver = fakes.driver();
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ active: 'b', dead: ['a'] }));
    assert.ok(fakes.saved.startsWith(foreign));
  });

  it('takes its service away with its entry, also as the next controller', async () => {
    const foreign = '-A -t 10.0.0.101:80 -s wrr\n';
    fakes.saved = foreign;
    await fakes.driver().apply(wish({ active: 'a' }));
    await fakes.driver({ ...CONFIG, protocol: 'udp' }).apply(wish({ active: 'a' }));
    const next = fakes.driver();
    await next.apply(wish({ dead: ['a', 'b'] }));
    await next.remove();
    assert.equal(
      fakes.saved,
      `${foreign}-A -u 10.0.0.100:9000 -s fo\n-a -u 10.0.0.100:9000 -r 10.0.0.11:9000 -m -w 1\n`,
    );
    await next.remove();
  });

  it('leaves a service that it found, without servers, when its entry is gone', async () => {
    fakes.saved = `-A ${SERVICE} -s wlc\n-a ${SERVICE} -r 10.0.0.13:9000 -m -w 1\n`;
    const driver = fakes.driver();
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ dead: ['a', 'b'] }));
    await driver.remove();
    assert.equal(fakes.saved, `-A ${SERVICE} -s fo\n`);
  });

  it('adopts a service that is as it should be', async () => {
    fakes.saved = `-A ${SERVICE} -s fo\n-a ${SERVICE} -r 10.0.0.11:9000 -m -w 1\n-a ${SERVICE} -r 10.0.0.12:9000 -m -w 0\n`;
    await fakes.driver().apply(wish({ active: 'a' }));
    assert.deepEqual(fakes.changes(), []);
  });

  it('holds new connections during a planned change, and leaves the weights alone meanwhile', async () => {
    const driver = fakes.driver();
    await driver.apply(wish({ active: 'a' }));
    fakes.changes();
    await driver.apply(wish({ hold: true }));
    assert.ok(fakes.gateClosed);
    assert.deepEqual(fakes.changes(), []);
    await driver.apply(wish({ active: 'b' }));
    assert.ok(!fakes.gateClosed);
  });

  it('refuses rather than holds when the master is dead: clients try again sooner that way', async () => {
    const driver = fakes.driver();
    await driver.apply(wish({ active: 'a' }));
    await driver.apply(wish({ hold: true, dead: ['a'] }));
    assert.equal(fakes.reach(), 'refused');
  });

  it('opens a gate that a crashed controller left closed', async () => {
    await fakes.driver().apply(wish({ hold: true }));
    assert.ok(fakes.gateClosed);
    await fakes.driver().apply(wish({ active: 'a' }));
    assert.ok(!fakes.gateClosed);
  });

  it('uses the port of the clients for DR and TUN, and that of the app for NAT', async () => {
    const virtual = { host: '10.0.0.100', port: 80 };
    await fakes.driver({ ...CONFIG, virtual, forwarding: 'dr' }).apply(wish({ active: 'a' }));
    assert.match(fakes.saved, /-r 10\.0\.0\.11:80 -g -w 1/);
    fakes.reset();
    await fakes.driver({ ...CONFIG, virtual }).apply(wish({ active: 'a' }));
    assert.match(fakes.saved, /-r 10\.0\.0\.11:9000 -m -w 1/);
    const findings = await fakes.driver({ ...CONFIG, virtual, forwarding: 'tun' }).check();
    assert.match(findings[0]?.what ?? '', /port 80, but an app listens on 9000/);
  });

  it('makes one service of all that carries a mark', async () => {
    await fakes.driver({ ...CONFIG, fwmark: 7 }).apply(wish({ active: 'a' }));
    assert.equal(fakes.saved, '-A -f 7 -s fo\n-a -f 7 -r 10.0.0.11:0 -m -w 1\n-a -f 7 -r 10.0.0.12:0 -m -w 0\n');
  });

  it('counts connections for NAT, and leaves it to the nodes for DR', async () => {
    const driver = fakes.driver();
    await driver.apply(wish({ active: 'a' }));
    assert.deepEqual([await driver.connections('a'), await driver.connections('b')], [5, 0]);
    assert.equal(await fakes.driver({ ...CONFIG, forwarding: 'dr' }).connections('a'), null);
  });

  it('sets what IPVS needs, where the kernel has it and it is off', async () => {
    const setting = join(fakes.folder, 'sys/net/ipv4/vs/expire_nodest_conn');
    writeFileSync(setting, '0\n');
    assert.match((await fakes.driver().check())[0]?.what ?? '', /expire_nodest_conn is 0/);
    await fakes.driver().apply(wish({ active: 'a' }));
    assert.equal(readFileSync(setting, 'utf8'), '1\n');
    assert.deepEqual(await fakes.driver().check(), []);
  });

  it('leaves the settings alone where that is asked, and tells of them', async () => {
    for (const name of ['conn_reuse_mode', 'conntrack']) {
      writeFileSync(join(fakes.folder, 'sys/net/ipv4/vs', name), '0\n');
    }
    const driver = fakes.driver({ ...CONFIG, setSysctls: false, conntrack: true });
    await driver.apply(wish({ active: 'a' }));
    assert.equal(readFileSync(join(fakes.folder, 'sys/net/ipv4/vs/conntrack'), 'utf8'), '0\n');
    const found = (await driver.check()).map(({ hint }) => hint);
    assert.deepEqual(found, ['sysctl -w net.ipv4.vs.conn_reuse_mode=1', 'sysctl -w net.ipv4.vs.conntrack=1']);
  });

  it('says so when the kernel does not come to what is desired', async () => {
    const driver = fakes.driver();
    writeFileSync(join(fakes.folder, 'bin/ipvsadm'), '#!/bin/sh\nexit 0\n');
    await assert.rejects(driver.apply(wish({ active: 'a' })), /not as it should be after 2 tries; still to do: -A/);
  });

  it('passes on what ipvsadm complains about, with advice', async () => {
    writeFileSync(join(fakes.folder, 'bin/ipvsadm'), '#!/bin/sh\necho "Can\'t initialize ipvs" >&2\nexit 1\n');
    await assert.rejects(fakes.driver().apply(wish({ active: 'a' })), {
      name: 'HsctlError',
      message: /Can't initialize ipvs/,
      hint: 'Load the module: modprobe ip_vs.',
    });
  });
});
