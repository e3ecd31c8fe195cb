import { readFile } from 'node:fs/promises';
import { countOpen, procAddresses } from './parse.ts';

/**
 * Open TCP connections to a port of this machine (of this process' network namespace), read from the kernel
 * without starting a program; connections from here to the same port elsewhere do not count,
 * nor those to the local addresses in `except` (canonical text).
 */
export async function openConnections(
  port: number,
  except: readonly string[] = [],
  folder = '/proc/self/net',
): Promise<number> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`${folder}/${name}`, 'latin1').catch(() => '')),
  );
  const places = except.flatMap(procAddresses);
  return tables.reduce((sum, table) => sum + countOpen(table, port, places), 0);
}
