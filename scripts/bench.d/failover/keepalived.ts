import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Rig } from '../../../test/rig/rig.ts';
import type { RigProcess } from '../../../test/rig/rig-process.ts';
import { until } from '../../../test/rig/until.ts';
import { type Pair, PORT, VIP } from './pair.ts';

const APP = fileURLToPath(new URL('../../../test/rig/fixtures/friend-lists.ts', import.meta.url));
const NODES = ['a', 'b'] as const;
type NodeName = (typeof NODES)[number];

/** A keepalived pair as its manual has it: a check of the app each second (the least it can), two misses make a fault. */
function configuration(advertS: number, priority: number): string {
  return `
vrrp_script app {
  script "/bin/bash -c 'exec 3<>/dev/tcp/127.0.0.1/${PORT}'"
  interval 1
  timeout 1
  fall 2
  rise 2
}
vrrp_instance pair {
  state BACKUP
  nopreempt
  version 3
  interface eth0
  virtual_router_id 51
  priority ${priority}
  advert_int ${advertS}
  virtual_ipaddress {
    ${VIP}/32
  }
  track_script {
    app
  }
}
global_defs {
  script_user root
  enable_script_security
}
`;
}

/** keepalived in the place of hsctl, with an app whose memory nobody replicates. */
export class KeepalivedPair implements Pair {
  readonly name: string;
  readonly rig: Rig;
  readonly #apps = new Map<NodeName, RigProcess>();
  readonly #daemons = new Map<NodeName, RigProcess>();
  #serving: NodeName = 'a';

  private constructor(name: string, rig: Rig) {
    this.name = name;
    this.rig = rig;
  }

  /** Resolves when one node holds the address. Advertisements are sent every `advertS` seconds. */
  static async start(rig: Rig, advertS: number): Promise<KeepalivedPair> {
    const pair = new KeepalivedPair(`keepalived, advertisements each ${advertS * 1000} ms`, rig);
    for (const [index, node] of NODES.entries()) {
      await pair.#startApp(node);
      const host = rig.host(node);
      const file = join(host.dir, 'keepalived.conf');
      writeFileSync(file, configuration(advertS, 110 - 10 * index));
      const pidFiles = ['-p', join(host.dir, 'main.pid'), '-r', join(host.dir, 'vrrp.pid')];
      pair.#daemons.set(node, await host.spawn(['keepalived', '-n', '-l', '-D', '-P', '-f', file, ...pidFiles]));
    }
    await pair.#settle();
    return pair;
  }

  async crash(): Promise<void> {
    const app = this.#apps.get(this.#serving);
    await app?.kill();
  }

  silence(): Promise<void> {
    return this.rig.isolate(this.#serving);
  }

  async mend(): Promise<void> {
    await this.rig.healAll();
    for (const node of NODES) {
      if (this.#apps.get(node)?.running) continue;
      const daemon = this.#daemons.get(node);
      const seen = recoveries(daemon);
      await this.#startApp(node);
      await until(`keepalived on ${node} to see its app again`, () => recoveries(daemon) > seen);
    }
    await this.#settle();
  }

  async #startApp(node: NodeName): Promise<void> {
    const app = await this.rig.host(node).spawn([process.execPath, APP, String(PORT)], { name: 'app' });
    this.#apps.set(node, app);
    await app.waitFor(/listening/);
  }

  async #settle(): Promise<void> {
    const holder = await until('one node to hold the address', async () => {
      const holders = await this.rig.holders(VIP);
      return holders.length === 1 && NODES.find((node) => node === holders[0]);
    });
    this.#serving = holder;
    await this.rig.host('client').run(['ip', 'neigh', 'flush', 'all']);
  }
}

function recoveries(daemon: RigProcess | undefined): number {
  return daemon?.output.match(/Entering BACKUP STATE/g)?.length ?? 0;
}
