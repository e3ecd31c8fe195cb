import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AddressWatch } from '../rig/address-watch.ts';
import { otherThan } from '../rig/cluster.ts';
import { VIP } from '../rig/pair-kinds.ts';
import { tool } from '../rig/tool.ts';
import { until } from '../rig/until.ts';
import { onPair } from './pair.ts';

/** An `ip` that can be made to hang before it takes an address: those of the programs that get its folder first on PATH. */
class HangingIp {
  readonly dir = mkdtempSync(join(tmpdir(), 'hsctl-ip-'));
  readonly #held = join(this.dir, 'held');
  #hold = '';

  async install(): Promise<void> {
    const real = (await tool(['sh', '-c', 'command -v ip'])).trim();
    const file = join(this.dir, 'ip');
    writeFileSync(
      file,
      `#!/bin/sh
case "$*" in *-batch*) ;; *) exec ${real} "$@" ;; esac
while IFS= read -r line; do
  case $line in "addr replace"*)
    [ -e ${this.dir}/hold-$MACHINE ] && echo $$ >${this.#held}
    while [ -e ${this.dir}/hold-$MACHINE ]; do sleep 0.01; done ;;
  esac
  printf '%s\\n' "$line"
done | ${real} "$@"
`,
    );
    chmodSync(file, 0o755);
  }

  /** Environment of programs on a machine. */
  env(machine: string): Record<string, string> {
    return { MACHINE: machine, PATH: `${this.dir}:${process.env['PATH'] ?? ''}` };
  }

  /** From now on one that is told to take an address on this machine hangs; resolves when one does. */
  async hang(machine: string): Promise<void> {
    this.#hold = join(this.dir, `hold-${machine}`);
    writeFileSync(this.#hold, '');
    await until('an `ip` to hang', () => existsSync(this.#held), 10_000, 2);
  }

  /** Processes of the last one that hung. */
  hanging(): number[] {
    const group = readFileSync(this.#held, 'utf8').trim();
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => groupOf(pid) === group);
  }

  goOn(): void {
    if (this.#hold !== '') rmSync(this.#hold, { force: true });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true });
  }
}

/** Process group of a process that has not ended. */
function groupOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state = '', , group = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return /[ZX]/.test(state) ? null : group;
  } catch {
    return null;
  }
}

describe('an `ip` that hangs with an order to take the address when its agent is killed', () => {
  it('is gone before the next agent of the node does anything: it does not take the address from its new holder', async () => {
    const ip = new HangingIp();
    await ip.install();
    let hangs = true;
    try {
      await onPair(
        async ({ rig, cluster, master, history }) => {
          const watch = await AddressWatch.start(VIP, rig.host('a'), rig.host('b'));
          try {
            await ip.hang(master);
            await cluster.agent(master).kill();
            hangs = false;
            await cluster.startAgent(master);
            await until('the next agent to be heard', async () => {
              const { nodes } = await cluster.status();
              return nodes.find(({ id }) => id === master)?.linked;
            });
            assert.deepEqual(ip.hanging(), []);
            ip.goOn();
            await history.nextOk();
            await cluster.whole();
          } finally {
            watch.stop();
          }
          assert.equal(await cluster.master(), otherThan(master));
          assert.deepEqual(watch.stop(), []);
        },
        { env: ({ name }) => (hangs ? ip.env(name) : {}) },
      );
    } finally {
      ip.goOn();
      ip.remove();
    }
  });
});
