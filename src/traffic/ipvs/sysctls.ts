import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Finding } from '../deps.ts';

const FOLDER = 'net/ipv4/vs';

/** Settings of IPVS without which a change of master leaves clients hanging. */
const WANTED = [
  { name: 'expire_nodest_conn', why: 'clients of a dead node hang until their connection times out' },
  { name: 'expire_quiescent_template', why: 'persistent clients keep going to a node that was taken out' },
  { name: 'conn_reuse_mode', why: 'clients that use a port again get the old node' },
] as const;

/** The settings that are off. Settings that the kernel does not have (no IPVS, or an older one) are left out. */
export async function checkSysctls(sysctlFolder: string): Promise<readonly Finding[]> {
  const off = await unset(sysctlFolder);
  return off.map(({ name, why }) => ({
    what: `${FOLDER.replaceAll('/', '.')}.${name} is 0: ${why}`,
    hint: `sysctl -w ${FOLDER.replaceAll('/', '.')}.${name}=1`,
  }));
}

/** Sets them; where that is not allowed, says so and goes on. */
export async function setSysctls(sysctlFolder: string, logger: Logger): Promise<void> {
  for (const { name, why } of await unset(sysctlFolder)) {
    try {
      await writeFile(join(sysctlFolder, FOLDER, name), '1\n');
      logger.info('IPVS setting changed to 1', { name, why });
    } catch (error) {
      logger.warn('IPVS setting should be 1', { name, why, error: messageOf(error) });
    }
  }
}

async function unset(sysctlFolder: string): Promise<readonly (typeof WANTED)[number][]> {
  const values = await Promise.all(
    WANTED.map(({ name }) => readFile(join(sysctlFolder, FOLDER, name), 'utf8').catch(() => '1')),
  );
  return WANTED.filter((_, index) => values[index]?.trim() === '0');
}
