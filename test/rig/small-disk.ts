import { createWriteStream, mkdirSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { tool } from './tool.ts';

const MEBIBYTE = 1 << 20;

/** A file system of its own under a node's store, small enough to be filled in no time. It goes with the rig. */
export class SmallDisk {
  readonly #filler: string;
  readonly #mebibytes: number;

  private constructor(folder: string, mebibytes: number) {
    this.#filler = join(folder, 'filler');
    this.#mebibytes = mebibytes;
  }

  /** Mounts it at `folder`, which belongs to a rig. */
  static async mount(folder: string, mebibytes: number): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true });
    await tool(['mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'hsctl-rig', folder]);
    return new SmallDisk(folder, mebibytes);
  }

  /** Leaves no byte free. */
  async fill(): Promise<void> {
    const file = createWriteStream(this.#filler);
    const full = once(file, 'error');
    const block = Buffer.alloc(MEBIBYTE);
    for (let written = 0; written <= this.#mebibytes; written += 1) file.write(block);
    await full;
  }

  empty(): void {
    rmSync(this.#filler, { force: true });
  }
}
