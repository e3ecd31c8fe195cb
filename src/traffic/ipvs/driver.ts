/** IPVS on the director, by ipvsadm. Whatever it decides is in plan.ts. */

import { join } from 'node:path';
import type { TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend, resolveAddress, resolveBackends } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, type TrafficDeps } from '../deps.ts';
import { familyOf } from '../family.ts';
import { tableName } from '../gate/plan.ts';
import { SynGate } from '../gate/syn-gate.ts';
import { Latest } from '../latest.ts';
import { CreatedServices } from './created-services.ts';
import { parseActiveConnections } from './parse.ts';
import { type IpvsService, type IpvsStep, type IpvsTarget, planIpvs } from './plan.ts';
import { checkSysctls, setSysctls } from './sysctls.ts';
import { IpvsTable } from './table.ts';

export type IpvsConfig = Extract<TrafficConfig, { readonly type: 'ipvs' }>;

/** In the controller's folder. */
const CREATED_FILE = 'ipvs-services.json';

/** A plan and a second one for what changed meanwhile; if the kernel still differs then, something fights with us. */
const TRIES = 2;

interface Ready {
  readonly target: IpvsTarget;
  /** Lets new connections wait; null for protocols that do not send again. */
  readonly gate: SynGate | null;
}

export class IpvsDriver implements DirectorDriver {
  readonly name: string;
  readonly #config: IpvsConfig;
  readonly #group: string;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #table: IpvsTable;
  readonly #sysctlFolder: string;
  readonly #latest: Latest<DesiredTraffic>;
  readonly #created: CreatedServices;
  #ready: Ready | null = null;

  constructor(
    config: IpvsConfig,
    group: string,
    backends: readonly Backend[],
    deps: TrafficDeps,
    sysctlFolder = '/proc/sys',
  ) {
    const mark = config.fwmark === null ? '' : ` mark ${config.fwmark}`;
    this.name = `ipvs ${config.protocol} ${formatEndpoint(config.virtual)}${mark}`;
    this.#config = config;
    this.#group = group;
    this.#backends = backends;
    this.#deps = deps;
    this.#table = IpvsTable.of(deps);
    this.#sysctlFolder = sysctlFolder;
    this.#latest = new Latest((desired) => this.#bring(desired));
    this.#created = new CreatedServices(deps.state === undefined ? null : join(deps.state, CREATED_FILE));
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    await this.#latest.submit(desired);
  }

  /** Null for UDP, and for DR and TUN, where the director sees one direction only: there the node has to count. */
  async connections(node: NodeId): Promise<number | null> {
    if (this.#config.forwarding !== 'nat' || this.#config.protocol !== 'tcp') return null;
    const { target } = await this.#prepare();
    const server = target.servers.find((one) => one.node === node)?.server;
    if (server === undefined) return null;
    const text = await this.#table.ipvsadm(['-Ln', ...target.service.split(' '), '--exact']);
    return parseActiveConnections(text).get(server) ?? 0;
  }

  async close(): Promise<void> {
    await this.#latest.idle();
  }

  /** A service that was there before hsctl came stays, without servers: it may be somebody else's. */
  async remove(): Promise<void> {
    await this.#latest.idle();
    const { target, gate } = await this.#prepare();
    await gate?.open();
    if (!this.#created.has(target.service)) return;
    if ((await this.#read(target)) !== null) await this.#execute([`-D ${target.service}`]);
    if ((await this.#read(target)) !== null) throw new HsctlError('failed', `${this.name}: still there`, '');
    this.#created.delete(target.service);
  }

  async check(): Promise<readonly Finding[]> {
    const findings: Finding[] = [];
    try {
      await this.#table.read();
    } catch (error) {
      findings.push(findingOf(error));
    }
    const strayed = this.#backends.filter(({ port }) => port !== this.#config.virtual.port);
    if (this.#config.forwarding !== 'nat' && strayed.length > 0) {
      findings.push({
        what: `DR and TUN keep the clients' port ${this.#config.virtual.port}, but an app listens on ${strayed[0]?.port}`,
        hint: 'let the apps listen on the port of the virtual address, or forward by nat',
      });
    }
    return [...findings, ...(await checkSysctls(this.#sysctlFolder, this.#config.conntrack))];
  }

  async #bring(desired: DesiredTraffic): Promise<void> {
    const { target, gate } = await this.#prepare();
    const held = desired.active === null && desired.hold && desired.dead.length === 0;
    if (held) await gate?.close();
    let isNew = false;
    for (let attempt = 0; ; attempt += 1) {
      const actual = await this.#read(target);
      if (isNew && actual !== null) this.#remember(target.service);
      const steps = planIpvs(target, desired, actual);
      if (steps.length === 0) break;
      isNew = actual === null;
      if (attempt === TRIES) {
        throw new HsctlError(
          'failed',
          `${this.name}: not as it should be after ${TRIES} tries; still to do: ${steps.join('; ')}`,
          'see whether another program (keepalived, ldirectord) manages the same service',
        );
      }
      await this.#execute(steps);
    }
    if (!held) await gate?.open();
  }

  #remember(service: string): void {
    try {
      this.#created.add(service);
    } catch (error) {
      const meaning = 'the service will stay when its entry is removed';
      this.#deps.logger.warn(`cannot be remembered: ${meaning}`, { service, error: messageOf(error) });
    }
  }

  async #read(target: IpvsTarget): Promise<IpvsService | null> {
    return (await this.#table.read()).get(target.service) ?? null;
  }

  /** A failure is not the end: what matters is what is read back. */
  async #execute(steps: readonly IpvsStep[]): Promise<void> {
    try {
      await this.#table.change(steps);
    } catch (error) {
      this.#deps.logger.warn('ipvsadm failed', { driver: this.name, steps: steps.join('; '), error: messageOf(error) });
      if (error instanceof HsctlError && error.code === 'timeout') throw error;
    }
  }

  async #prepare(): Promise<Ready> {
    this.#ready ??= await this.#prepareOnce();
    return this.#ready;
  }

  async #prepareOnce(): Promise<Ready> {
    const { virtual, protocol, fwmark, forwarding, scheduler, persistenceS } = this.#config;
    const family = familyOf(virtual.host) ?? 4;
    const host = canonicalHost(await resolveAddress(virtual.host, family));
    const backends = await resolveBackends(this.#backends, family);
    const target: IpvsTarget = {
      service: serviceName(this.#config, host),
      scheduler,
      persistenceS,
      forwarding,
      endless: protocol === 'udp',
      servers: backends.map((one) => ({
        node: one.node,
        server: formatEndpoint({ host: one.address, port: serverPort(this.#config, one) }),
      })),
    };
    if (this.#config.setSysctls) {
      await this.#table.read(); // which loads the module, and with it come the settings
      await setSysctls(this.#sysctlFolder, this.#config.conntrack, this.#deps.logger);
    }
    const gate = { table: tableName(this.#group, protocol, host, virtual.port), place: 'director' } as const;
    const connections = { address: host, port: virtual.port, ...(fwmark === null ? {} : { mark: fwmark }) };
    return { target, gate: protocol === 'tcp' ? new SynGate({ ...gate, ...connections }, this.#deps) : null };
  }
}

/** As ipvsadm prints it. */
function serviceName({ virtual, protocol, fwmark }: IpvsConfig, host: string): string {
  if (fwmark !== null) return `-f ${fwmark}${host.includes(':') ? ' -6' : ''}`;
  return `${protocol === 'tcp' ? '-t' : '-u'} ${formatEndpoint({ host, port: virtual.port })}`;
}

/** DR and TUN do not change the port, and the kernel would silently put its own in place of another; nor do marks have one. */
function serverPort({ virtual, forwarding, fwmark }: IpvsConfig, backend: Backend): number {
  if (fwmark !== null) return 0;
  return forwarding === 'nat' ? backend.port : virtual.port;
}
