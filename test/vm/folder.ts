import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOf } from '../rig/leftovers.ts';

/** Like a rig's, the name tells the owner: `hsctl-vm-<pid>-<start of that process>-<random>`. */
const NAME = /^hsctl-vm-(\d+)-(\d+)-/;

/** A new folder for a VM's files, after removing those of processes that were killed. To be removed. */
export function newFolder(): string {
  for (const name of readdirSync(tmpdir())) {
    const [id, pid, start] = NAME.exec(name) ?? [];
    if (id === undefined || startOf(Number(pid)) === start) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return mkdtempSync(join(tmpdir(), `hsctl-vm-${process.pid}-${startOf('self')}-`));
}
