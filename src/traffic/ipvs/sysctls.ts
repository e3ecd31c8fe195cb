import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Finding } from '../deps.ts';

const FOLDER = 'net/ipv4/vs';

interface Setting {
  readonly name: string;
  readonly value: '0' | '1';
  /** What comes of any other value. */
  readonly why: string;
}

/** Settings of IPVS without which a change of master leaves clients hanging. */
const WANTED: readonly Setting[] = [
  { name: 'expire_nodest_conn', value: '1', why: 'clients of a dead node hang until their connection times out' },
  { name: 'expire_quiescent_template', value: '1', why: 'persistent clients keep going to a node that was taken out' },
  { name: 'conn_reuse_mode', value: '1', why: 'clients that use a port again get the old node' },
];

/** Settings that are not as they should be. `conntrack`: whether IPVS is to use conntrack; null if it does not matter. */
export async function checkSysctls(sysctlFolder: string, conntrack: boolean | null): Promise<readonly Finding[]> {
  const off = await unset(sysctlFolder, conntrack);
  return off.map(({ name, value, why }) => ({
    what: `${FOLDER.replaceAll('/', '.')}.${name} is ${value === '1' ? 0 : 1}: ${why}`,
    hint: `sysctl -w ${FOLDER.replaceAll('/', '.')}.${name}=${value}`,
  }));
}

/** Sets them and reads back; where that is not allowed, says so and goes on. */
export async function setSysctls(sysctlFolder: string, conntrack: boolean | null, logger: Logger): Promise<void> {
  for (const { name, value, why } of await unset(sysctlFolder, conntrack)) {
    try {
      await writeFile(join(sysctlFolder, FOLDER, name), `${value}\n`);
      logger.info('IPVS setting changed', { name, value, why });
    } catch (error) {
      logger.warn('IPVS setting cannot be changed', { name, value, why, error: messageOf(error) });
    }
  }
  for (const { name, value, why } of await unset(sysctlFolder, conntrack)) {
    logger.warn('IPVS setting is not as it should be', { name, value, why });
  }
}

/** Settings with another value. What the kernel does not have (no IPVS, or an older one) is left out. */
async function unset(sysctlFolder: string, conntrack: boolean | null): Promise<readonly Setting[]> {
  const wanted = conntrack === null ? WANTED : [...WANTED, conntrackSetting(conntrack)];
  const values = await Promise.all(
    wanted.map(({ name, value }) => readFile(join(sysctlFolder, FOLDER, name), 'utf8').catch(() => value)),
  );
  // Some are sets of flags, of which any will do.
  return wanted.filter(({ value }, index) => (values[index]?.trim() === '0') !== (value === '0'));
}

function conntrackSetting(on: boolean): Setting {
  return on
    ? { name: 'conntrack', value: '1', why: 'firewall rules by connection state do not see the connections of IPVS' }
    : { name: 'conntrack', value: '0', why: 'each connection costs an entry of conntrack' };
}
