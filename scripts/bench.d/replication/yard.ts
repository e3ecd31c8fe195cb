import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalMachine } from '../../../test/rig/machine.ts';

/**
 * Lends this machine and a folder of its own to `body`. Whatever ends it, an interruption too, the programs started on
 * the machine are killed and the folder is removed.
 */
export async function inYard<T>(body: (machine: LocalMachine) => Promise<T>): Promise<T> {
  const machine = new LocalMachine('bench', mkdtempSync(join(tmpdir(), 'hsctl-bench-')));
  const clear = (): void => {
    machine.killAll();
    rmSync(machine.dir, { recursive: true, force: true, maxRetries: 10 });
  };
  const interrupted = (): void => process.exit(1);
  process.once('exit', clear);
  process.once('SIGINT', interrupted);
  process.once('SIGTERM', interrupted);
  try {
    return await body(machine);
  } finally {
    await machine.close();
    process.off('exit', clear);
    process.off('SIGINT', interrupted);
    process.off('SIGTERM', interrupted);
    clear();
  }
}
