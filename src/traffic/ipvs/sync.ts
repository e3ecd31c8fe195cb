/**
 * Connection sync between two directors, by the kernel's own daemons: the master tells of its connections by multicast,
 * the backup takes them in, so that present connections go on when the other director takes over.
 */

import { HsctlError, messageOf } from '../../kit/errors.ts';
import { TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';

export interface SyncConfig {
  /** Interface between the directors. */
  readonly interface: string;
  /** Number that both have, 0 to 255. */
  readonly id: number;
}

export type SyncRole = 'master' | 'backup';
const ROLES: readonly SyncRole[] = ['master', 'backup'];

/** Daemons that run, by their role. */
export type SyncDaemons = ReadonlyMap<SyncRole, SyncConfig>;

/** `ipvsadm -L --daemon`: a line `master sync daemon (mcast=eth1, syncid=7, ...)` for each daemon that runs. Pure. */
export function parseDaemons(text: string): SyncDaemons {
  const lines = text.matchAll(/^(master|backup) sync daemon \(mcast=([^,)]+), syncid=(\d+)/gm);
  return new Map([...lines].map(([, role, name = '', id]) => [role as SyncRole, { interface: name, id: Number(id) }]));
}

/** Arguments of ipvsadm, one list a step, after which only the daemon of `role` runs. Pure. */
export function planSync(config: SyncConfig, role: SyncRole, actual: SyncDaemons): readonly (readonly string[])[] {
  const present = actual.get(role);
  const right = present !== undefined && present.interface === config.interface && present.id === config.id;
  const stale = ROLES.filter((one) => actual.has(one) && !(one === role && right));
  const start = ['--start-daemon', role, '--mcast-interface', config.interface, '--syncid', String(config.id)];
  return [...stale.map((one) => ['--stop-daemon', one]), ...(right ? [] : [start])];
}

/** The daemons of this machine. */
export class IpvsSync {
  readonly #config: SyncConfig;
  readonly #deps: TrafficDeps;

  constructor(config: SyncConfig, deps: TrafficDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Has the daemon of this role run, and not the other; repeating it changes nothing. Logs what it cannot do. */
  async become(role: SyncRole): Promise<void> {
    try {
      for (const step of planSync(this.#config, role, await this.#read())) await this.#ipvsadm(step);
      const missing = planSync(this.#config, role, await this.#read());
      if (missing.length > 0)
        throw new HsctlError('failed', `still to do: ${missing.map((step) => step.join(' ')).join('; ')}`);
      this.#deps.logger.info('IPVS connections are synchronised', { role, interface: this.#config.interface });
    } catch (error) {
      this.#deps.logger.error(`IPVS connections are not synchronised: ${messageOf(error)}`, { role });
    }
  }

  async #read(): Promise<SyncDaemons> {
    return parseDaemons(await this.#ipvsadm(['-L', '-n', '--daemon']));
  }

  async #ipvsadm(options: readonly string[]): Promise<string> {
    const { stdout } = await this.#deps.run(['ipvsadm', ...options], { timeoutMs: TOOL_TIMEOUT_MS });
    return stdout;
  }
}
