import { readFile } from 'node:fs/promises';
import { countOpen } from './parse.ts';

/**
 * Open TCP connections to a port of this machine (of this process' network namespace), read from the kernel
 * without starting a program; connections from here to the same port elsewhere do not count.
 */
export async function openConnections(port: number, folder = '/proc/self/net'): Promise<number> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`${folder}/${name}`, 'latin1').catch(() => '')),
  );
  return tables.reduce((sum, table) => sum + countOpen(table, port), 0);
}
