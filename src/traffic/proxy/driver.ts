import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../config/config.ts';
import type { DesiredTraffic } from '../../controller/ports.ts';
import { formatEndpoint } from '../../kit/address.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { NodeId } from '../../model/roles.ts';
import { assertKnown, type Backend } from '../backends.ts';
import type { DirectorDriver, Finding, TrafficDeps } from '../deps.ts';
import { Session } from './session.ts';

const LISTEN_BACKLOG = 1024;
/** Connections of one proxy, waiting ones included; more are reset at once. */
const MAX_SESSIONS = 16_384;

/**
 * A TCP proxy inside the controller: needs no root and no kernel module, and can hold clients while the master
 * changes. It sees every byte, so it ends with the controller: for production there are the other drivers.
 */
export class ProxyDriver implements DirectorDriver {
  readonly name: string;
  readonly #listen: Endpoint;
  readonly #holdMs: number;
  readonly #backends: readonly Backend[];
  readonly #deps: TrafficDeps;
  readonly #sessions = new Set<Session>();
  #server: Server | null = null;
  #listening: Promise<void> | null = null;
  #desired: DesiredTraffic = { active: null, hold: false, dead: [], epoch: 0 };

  constructor(listen: Endpoint, holdMs: number, backends: readonly Backend[], deps: TrafficDeps) {
    this.name = `proxy ${formatEndpoint(listen)}`;
    this.#listen = listen;
    this.#holdMs = holdMs;
    this.#backends = backends;
    this.#deps = deps;
  }

  /** Port that the proxy listens on; the configured one unless that is 0. */
  get port(): number {
    const address = this.#server?.address();
    return address !== null && typeof address === 'object' ? address.port : this.#listen.port;
  }

  async apply(desired: DesiredTraffic): Promise<void> {
    assertKnown(this.#backends, desired.active);
    this.#desired = desired;
    for (const session of this.#sessions) this.#place(session);
    this.#listening ??= this.#open();
    await this.#listening;
  }

  async connections(node: NodeId): Promise<number | null> {
    let count = 0;
    for (const session of this.#sessions) if (session.node === node) count += 1;
    return count;
  }

  /** It needs nothing of the machine; whether the port is free shows when it listens. */
  async check(): Promise<readonly Finding[]> {
    return [];
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    for (const session of this.#sessions) session.reset();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  #activeBackend(): Backend | null {
    const { active, dead } = this.#desired;
    if (active === null || dead.includes(active)) return null;
    return this.#backends.find((backend) => backend.node === active) ?? null;
  }

  /** Brings one connection in line with what is desired: forwarded, waiting or cut. */
  #place(session: Session): void {
    const backend = this.#activeBackend();
    const { node } = session;
    if (node === null) {
      if (backend !== null) session.dial(backend);
      else if (this.#desired.hold) session.park();
      else session.reset();
    } else if (backend !== null) {
      // What is left of a planned change is cut as soon as there is a new master: two are never served.
      if (node !== backend.node) session.reset();
    } else if (!this.#desired.hold || this.#desired.dead.includes(node)) {
      session.reset();
    }
  }

  #accept(client: Socket): void {
    if (this.#sessions.size >= MAX_SESSIONS) {
      client.resetAndDestroy();
      return;
    }
    const session: Session = new Session(client, this.#deps.scheduler, this.#holdMs, () => {
      this.#sessions.delete(session);
    });
    this.#sessions.add(session);
    this.#place(session);
  }

  #open(): Promise<void> {
    const { host, port } = this.#listen;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', (error) => {
        this.#server = null;
        this.#listening = null;
        reject(
          new HsctlError(
            'failed',
            `proxy: cannot listen on ${formatEndpoint(this.#listen)}: ${messageOf(error)}`,
            'check that no other program has this port and that the address is one of this machine',
            { cause: error },
          ),
        );
      });
      server.listen({ host, port, backlog: LISTEN_BACKLOG }, () => {
        server.removeAllListeners('error');
        server.on('error', (error) => this.#deps.logger.warn(`${this.name}: cannot accept`, { error }));
        resolve();
      });
    });
  }
}
