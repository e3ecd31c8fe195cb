import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tool } from './tool.ts';
import { until } from './until.ts';

/** An `ip` that can be made to hang at some orders: those of the programs that get its folder first on PATH. */
export class HangingIp {
  readonly dir = mkdtempSync(join(tmpdir(), 'hsctl-ip-'));
  readonly #held = join(this.dir, 'held');
  readonly #orders: string;
  #hold = '';

  /** `orders`: a pattern of the shell for the lines at which it hangs. */
  constructor(orders: string) {
    this.#orders = orders;
  }

  async install(): Promise<void> {
    const real = (await tool(['sh', '-c', 'command -v ip'])).trim();
    const file = join(this.dir, 'ip');
    writeFileSync(
      file,
      `#!/bin/sh
case "$*" in *-batch*) ;; *) exec ${real} "$@" ;; esac
while IFS= read -r line; do
  case $line in ${this.#orders})
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

  /** From now on one that gets such an order on this machine hangs. */
  arm(machine: string): void {
    this.#hold = join(this.dir, `hold-${machine}`);
    writeFileSync(this.#hold, '');
  }

  /** Resolves when one hangs. */
  async hangs(): Promise<void> {
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
