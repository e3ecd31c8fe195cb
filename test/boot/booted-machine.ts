import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/kit/exec.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Where a booted machine has this checkout; /tmp, where a clone may lie, is another one there. */
const INSIDE = '/opt/hsctl';
const BOOT_LIMIT_MS = 240_000;

/**
 * A machine booted by systemd in a container: this machine's files under an overlay that is thrown away, hsctl and its
 * units installed as the manual says, a network of its own. It runs one script as root and powers off.
 */
export class BootedMachine {
  readonly #folder = mkdtempSync(join(tmpdir(), 'hsctl-boot-'));
  readonly #root = join(this.#folder, 'root');

  /** @throws HsctlError('failed') where this machine cannot mount an overlay */
  async open(): Promise<void> {
    const layers = join(this.#folder, 'layers');
    mkdirSync(layers);
    mkdirSync(this.#root);
    await tool('mount', '-t', 'tmpfs', 'tmpfs', layers);
    mkdirSync(join(layers, 'upper'));
    mkdirSync(join(layers, 'work'));
    const options = `lowerdir=/,upperdir=${layers}/upper,workdir=${layers}/work`;
    await tool('mount', '-t', 'overlay', 'overlay', '-o', options, this.#root);
    rmSync(join(this.#root, 'usr/bin/hsctl'), { force: true });
    // Where Debian's npm installs; others' do in /usr/bin.
    const command = join(this.#root, 'usr/local/bin/hsctl');
    rmSync(command, { force: true });
    symlinkSync(join(INSIDE, 'bin/hsctl.js'), command);
    cpSync(join(ROOT, 'scripts/systemd'), join(this.#root, 'etc/systemd/system'), { recursive: true });
  }

  write(path: string, text: string, mode = 0o644): void {
    const file = join(this.#root, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, text, { mode });
  }

  /** Boots, runs the script, and gives what it printed (standard output and errors together). */
  async runScript(script: string): Promise<string> {
    this.write('script.sh', `exec >/printed 2>&1\nip link set lo up\n${script}`);
    this.write(
      'etc/systemd/system/hsctl-script.service',
      `[Unit]
DefaultDependencies=no
Requires=systemd-journald.service
After=systemd-journald.service
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/bash /script.sh
ExecStopPost=/bin/systemctl --force poweroff
`,
    );
    const name = basename(this.#folder);
    const nspawn = ['systemd-nspawn', '--quiet', '--boot', '--private-network', '--register=no', '--keep-unit'];
    const place = [`--directory=${this.#root}`, `--machine=${name}`, `--bind-ro=${ROOT}:${INSIDE}`];
    await tool(...nspawn, ...place, '--', 'systemd.unit=hsctl-script.service');
    return readFileSync(join(this.#root, 'printed'), 'utf8');
  }

  async close(): Promise<void> {
    await run(['umount', this.#root], { timeoutMs: 30_000, acceptExit: () => true });
    await run(['umount', join(this.#folder, 'layers')], { timeoutMs: 30_000, acceptExit: () => true });
    rmSync(this.#folder, { recursive: true, force: true });
    rmSync(join('/run/systemd/nspawn/propagate', basename(this.#folder)), { recursive: true, force: true });
  }
}

async function tool(...command: readonly string[]): Promise<void> {
  await run(command, { timeoutMs: BOOT_LIMIT_MS, cutOutput: true });
}
