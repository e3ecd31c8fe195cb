import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tool } from '../rig/tool.ts';

/** Where `scripts/setup` unpacks a kernel package of the distribution, without installing it. */
const FOLDER = fileURLToPath(new URL('../../.tmp/vm/kernel', import.meta.url));

/** A kernel with IPVS, and its modules. */
export class Kernel {
  readonly version: string;

  private constructor(version: string) {
    this.version = version;
  }

  /** The unpacked one. @throws Error when there is none */
  static find(): Kernel {
    const versions = existsSync(join(FOLDER, 'lib/modules')) ? readdirSync(join(FOLDER, 'lib/modules')) : [];
    const version = versions.find((name) => existsSync(join(FOLDER, 'boot', `vmlinuz-${name}`)));
    if (version === undefined) throw new Error(`no kernel in ${FOLDER}: run scripts/setup, which unpacks one there`);
    return new Kernel(version);
  }

  get image(): string {
    return join(FOLDER, 'boot', `vmlinuz-${this.version}`);
  }

  /** Folder of the modules. */
  get modules(): string {
    return join(FOLDER, 'lib/modules', this.version);
  }

  /** Files of the modules and of those that they need, in the order in which they can be loaded. */
  async filesOf(modules: readonly string[]): Promise<readonly string[]> {
    const listed = await tool(['/sbin/modprobe', '-d', FOLDER, '-S', this.version, '--show-depends', '-a', ...modules]);
    const files = listed.split('\n').flatMap((line) => /^insmod (\S+)/.exec(line)?.[1] ?? []);
    return [...new Set(files)];
  }
}
