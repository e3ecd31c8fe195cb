/** Servers of a backend of HAProxy's. Whatever it decides is in plan.ts. */

import type { Endpoint, TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { canonicalHost, formatEndpoint, isWildcard } from '../../kit/address.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, type TrafficDeps } from '../deps.ts';
import { familyOf } from '../family.ts';
import { tableName } from '../gate/plan.ts';
import { SynGate } from '../gate/syn-gate.ts';
import { Latest } from '../latest.ts';
import { parseConnections, parseServers } from './parse.ts';
import { type HaproxyActual, type HaproxyTarget, planCuts, planHaproxy } from './plan.ts';
import { HaproxyRuntime } from './runtime.ts';

export type HaproxyConfig = Extract<TrafficConfig, { readonly type: 'haproxy' }>;

/** Orders and second ones for what changed meanwhile; if servers still differ then, something fights with us. */
const TRIES = 2;

/** Type of the rows in `show stat`. */
const SERVER_ROWS = 4;

export class HaproxyDriver implements DirectorDriver {
  readonly name: string;
  readonly #target: HaproxyTarget;
  readonly #backends: readonly Backend[];
  readonly #runtime: HaproxyRuntime;
  readonly #latest: Latest<DesiredTraffic>;
  /** Lets new connections wait; null where nobody said at which address they come. */
  readonly #gate: SynGate | null;

  constructor(config: HaproxyConfig, group: string, backends: readonly Backend[], deps: TrafficDeps) {
    const { backend, servers, socket, virtual } = config;
    this.name = `haproxy ${backend}`;
    this.#target = { backend, servers: backends.map(({ node }) => ({ node, server: servers[node] ?? node })) };
    this.#gate = virtual === null ? null : gateAt(virtual, group, deps);
    this.#backends = backends;
    this.#runtime = new HaproxyRuntime(socket, deps.scheduler);
    this.#latest = new Latest((desired) => this.#bring(desired));
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    await this.#latest.submit(desired);
  }

  async connections(node: NodeId): Promise<number | null> {
    const server = this.#target.servers.find((one) => one.node === node)?.server;
    return server === undefined ? null : ((await this.#counts()).get(server) ?? null);
  }

  async close(): Promise<void> {
    await this.#latest.idle();
  }

  async check(): Promise<readonly Finding[]> {
    try {
      const actual = await this.#read();
      const level = (await this.#runtime.ask('show cli level')).trim();
      const mayOrder = level === 'admin' ? [] : [levelFinding(level)];
      const gate = (await this.#gate?.check()) ?? [];
      return [...mayOrder, ...gate, ...this.#backends.flatMap((backend) => this.#serverFindings(backend, actual))];
    } catch (error) {
      return [findingOf(error)];
    }
  }

  #serverFindings({ node, address, port }: Backend, actual: HaproxyActual): readonly Finding[] {
    const { backend, servers } = this.#target;
    const server = servers.find((one) => one.node === node)?.server ?? node;
    const found = actual.servers.get(server);
    if (found === undefined) return [];
    const findings: Finding[] = [];
    const isElsewhere = familyOf(address) !== null && canonicalHost(found.address) !== canonicalHost(address);
    if (isElsewhere || (port !== 0 && found.port !== port)) {
      findings.push({
        what: `server ${backend}/${server} is ${formatEndpoint({ host: found.address, port: found.port })}, but node ${node} is ${formatEndpoint({ host: address, port })}`,
        hint: 'correct the address in haproxy.cfg, or the one of the node',
      });
    }
    if (!found.startsDisabled) {
      findings.push({
        what: `server ${backend}/${server} takes connections after a restart of haproxy until the controller notices`,
        hint: `write "server ${server} ${formatEndpoint({ host: address, port })} disabled" in haproxy.cfg, or load-server-state-from-file`,
      });
    }
    return findings;
  }

  async #bring(desired: DesiredTraffic): Promise<void> {
    const held = desired.active === null && desired.hold && desired.dead.length === 0;
    if (held) await this.#gate?.close();
    await this.#bringServers(desired);
    if (!held) await this.#gate?.open();
  }

  async #bringServers(desired: DesiredTraffic): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const actual = await this.#read();
      const steps = planHaproxy(this.#target, desired, actual);
      const inherited = this.#target.servers.find(
        ({ node, server }) => node === desired.active && actual.servers.get(server)?.isInherited === true,
      );
      if (steps.length === 0 && inherited === undefined) {
        // They end a moment later, those that are still being set up when their time is over.
        for (const cut of planCuts(this.#target, desired, actual)) await this.#runtime.tell(cut);
        return;
      }
      if (attempt === TRIES) {
        const left = steps.length > 0 ? steps.join('; ') : `${inherited?.server} is held down by what it follows`;
        throw new HsctlError(
          'failed',
          `${this.name}: not as it should be after ${TRIES} tries; still to do: ${left}`,
          'see whether checks, tracking or another program in haproxy.cfg change the same servers',
        );
      }
      for (const step of steps) await this.#runtime.tell(step);
    }
  }

  async #read(): Promise<HaproxyActual> {
    const { backend, servers: wanted } = this.#target;
    const servers = parseServers(await this.#runtime.ask(`show servers state ${backend}`));
    for (const { server, node } of wanted) {
      if (!servers.has(server)) throw this.#unknown(`server ${backend}/${server}`, `servers: { ${node}: NAME }`);
    }
    return { servers, connections: await this.#counts() };
  }

  async #counts(): Promise<ReadonlyMap<string, number>> {
    return parseConnections(await this.#runtime.ask(`show stat ${this.#target.backend} ${SERVER_ROWS} -1`));
  }

  #unknown(what: string, key: string): HsctlError {
    return new HsctlError('failed', `haproxy has no ${what}`, `write the name that haproxy.cfg has, as "${key}"`);
  }
}

function levelFinding(level: string): Finding {
  return { what: `the haproxy socket has level ${level}, which may change nothing`, hint: 'give it "level admin"' };
}

function gateAt({ host, port }: Endpoint, group: string, deps: TrafficDeps): SynGate {
  const address = isWildcard(host) ? null : canonicalHost(host);
  const table = tableName(group, 'haproxy', address ?? 'any', port);
  return new SynGate({ table, place: 'director', address, port }, deps);
}
