/** Settings of a node that takes packets for an address which only the director may answer for (direct routing). */

import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Finding } from '../deps.ts';

const FOLDER = 'net/ipv4/conf';

/** Each counts as the greater one of `all` and of the interface's own. */
const WANTED = [
  { name: 'arp_ignore', least: 1, why: 'the node answers for the address on lo, which only the director may' },
  { name: 'arp_announce', least: 2, why: 'the node tells neighbours that it has the address on lo' },
] as const;

/**
 * What is set so that the neighbours would take this node for the director. Without IPv4, or a folder of settings, there
 * is nothing to find. IPv6 needs no settings: nobody answers there for addresses of another interface.
 */
export async function checkArpSettings(sysctlFolder = '/proc/sys'): Promise<readonly Finding[]> {
  const folder = join(sysctlFolder, FOLDER);
  const interfaces = (await readdir(folder).catch(() => [])).filter((name) => !['all', 'default', 'lo'].includes(name));
  const value = async (name: string, setting: string): Promise<number> =>
    Number(await readFile(join(folder, name, setting), 'utf8').catch(() => Infinity));
  const findings = await Promise.all(
    WANTED.map(async ({ name, least, why }): Promise<readonly Finding[]> => {
      const all = await value('all', name);
      const own = await Promise.all(interfaces.map((one) => value(one, name)));
      const wrong = interfaces.filter((_, index) => Math.max(all, own[index] ?? 0) < least);
      if (wrong.length === 0) return [];
      const path = `${FOLDER.replaceAll('/', '.')}.all.${name}`;
      return [
        { what: `${name} is less than ${least} on ${wrong.join(', ')}: ${why}`, hint: `sysctl -w ${path}=${least}` },
      ];
    }),
  );
  return findings.flat();
}
