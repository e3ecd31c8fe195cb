/** Servers of a backend of HAProxy's. Whatever it decides is in plan.ts. */

import type { TrafficConfig } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import { sleep } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend } from '../backends.ts';
import { type DirectorDriver, type Finding, findingOf, type TrafficDeps } from '../deps.ts';
import { familyOf } from '../family.ts';
import { Latest } from '../latest.ts';
import { parseProcessLimit, parseServers, parseStat } from './parse.ts';
import { type HaproxyActual, type HaproxyTarget, planHaproxy } from './plan.ts';
import { HaproxyRuntime } from './runtime.ts';

export type HaproxyConfig = Extract<TrafficConfig, { readonly type: 'haproxy' }>;

/** Connections are cut a moment after the order: so many looks, each after twice the pause. */
const TRIES = 8;
const FIRST_PAUSE_MS = 2;

/** Types of rows in `show stat`. */
const FRONTEND_ROWS = 1;
const SERVER_ROWS = 4;

export class HaproxyDriver implements DirectorDriver {
  readonly name: string;
  readonly #target: HaproxyTarget;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #runtime: HaproxyRuntime;
  readonly #latest: Latest<DesiredTraffic>;
  /** Connections that the frontend accepted when it was last seen open; null: not seen yet. */
  #usualLimit: number | null = null;

  constructor(config: HaproxyConfig, backends: readonly Backend[], deps: TrafficDeps) {
    const { backend, frontend, servers, socket } = config;
    this.name = `haproxy ${backend}`;
    this.#target = {
      backend,
      frontend,
      servers: backends.map(({ node }) => ({ node, server: servers[node] ?? node })),
    };
    this.#backends = backends;
    this.#deps = deps;
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
      return [...mayOrder, ...this.#backends.flatMap((backend) => this.#serverFindings(backend, actual))];
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
        hint: 'Correct the address in haproxy.cfg, or the one of the node.',
      });
    }
    if (!found.startsDisabled) {
      findings.push({
        what: `server ${backend}/${server} takes connections after a restart of haproxy until the controller notices`,
        hint: `Write \`server ${server} ${formatEndpoint({ host: address, port })} disabled\` in haproxy.cfg, or load-server-state-from-file.`,
      });
    }
    return findings;
  }

  async #bring(desired: DesiredTraffic): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      const actual = await this.#read();
      const steps = planHaproxy(this.#target, desired, actual, await this.#openLimit(actual));
      const inherited = this.#target.servers.find(
        ({ node, server }) => node === desired.active && actual.servers.get(server)?.isInherited === true,
      );
      if (steps.length === 0 && inherited === undefined) return;
      if (attempt === TRIES) {
        const left = steps.length > 0 ? steps.join('; ') : `${inherited?.server} is held down by what it follows`;
        throw new HsctlError(
          'failed',
          `${this.name}: not as it should be after ${TRIES} tries; still to do: ${left}`,
          'See whether checks, tracking or another program in haproxy.cfg change the same servers.',
        );
      }
      if (attempt > 0) await sleep(this.#deps.scheduler, FIRST_PAUSE_MS * 2 ** attempt);
      for (const step of steps) await this.#runtime.tell(step);
    }
  }

  async #read(): Promise<HaproxyActual> {
    const { backend, frontend, servers: wanted } = this.#target;
    const [state, connections, limits] = await Promise.all([
      this.#runtime.ask(`show servers state ${backend}`),
      this.#counts(),
      frontend === null ? null : this.#runtime.ask(`show stat ${frontend} ${FRONTEND_ROWS} -1`),
    ]);
    const servers = parseServers(state);
    for (const { server, node } of wanted) {
      if (!servers.has(server)) throw this.#unknown(`server ${backend}/${server}`, `servers: { ${node}: NAME }`);
    }
    const frontendLimit = limits === null ? null : parseStat(limits).get('FRONTEND')?.limit;
    if (frontendLimit === undefined) throw this.#unknown(`frontend ${frontend}`, 'frontend');
    return { servers, connections, frontendLimit };
  }

  async #counts(): Promise<ReadonlyMap<string, number>> {
    const rows = parseStat(await this.#runtime.ask(`show stat ${this.#target.backend} ${SERVER_ROWS} -1`));
    return new Map([...rows].map(([server, { current }]) => [server, current]));
  }

  /** What a closed frontend is to accept again: as before, or if nobody knows (a new controller) what the process may. */
  async #openLimit({ frontendLimit }: HaproxyActual): Promise<number> {
    if (frontendLimit !== null && frontendLimit > 0) this.#usualLimit = frontendLimit;
    if (frontendLimit === 0) this.#usualLimit ??= parseProcessLimit(await this.#runtime.ask('show info'));
    return this.#usualLimit ?? 0;
  }

  #unknown(what: string, key: string): HsctlError {
    return new HsctlError('failed', `haproxy has no ${what}`, `Write the name that haproxy.cfg has, as \`${key}\`.`);
  }
}

function levelFinding(level: string): Finding {
  return { what: `the haproxy socket has level ${level}, which may change nothing`, hint: 'Give it `level admin`.' };
}
