import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Endpoint } from '../../config/config.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { RateLimitedWarnings } from '../../kit/rate-limited-warnings.ts';
import type { Service } from '../../kit/service.ts';
import { makeWayForSocket } from '../../kit/socket-path.ts';
import type { Replica } from '../../replication/replica.ts';
import type { AppObserver } from './app-observer.ts';
import { Client, REIGN_LOST } from './client.ts';
import { commandList } from './command-list.ts';
import { tableOf } from './command.ts';
import { ROLE_CHANNEL, sendRole } from './commands/pubsub.ts';
import type { ClientLimits, ServiceContext } from './context.ts';
import { InputBudget } from './input-budget.ts';
import { News } from './news.ts';
import type { RoleNews } from '../../model/role-news.ts';
import type { NodeView } from './node-view.ts';

export interface RespServiceOptions {
  /** Path of the unix socket. */
  readonly socket: string;
  /** TCP endpoint beside it; null for none. */
  readonly listen: Endpoint | null;
  /** Asked of every client; null for none. */
  readonly password?: string | null;
  readonly replica: Replica;
  readonly node: NodeView;
  readonly observer: AppObserver;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly limits?: Partial<ClientLimits>;
}

export const DEFAULT_LIMITS: ClientLimits = {
  clients: 10_000,
  outputBytes: 1024 * 1024,
  inputBytes: 256 * 1024 * 1024,
  unreadS: 60,
};
/** A large command that others wait for has to go on within this time. */
export const STANDING_LIMIT_S = 10;
/** Owner and group may use the socket. */
const SOCKET_MODE = 0o660;

/**
 * Serves the group's state in the Redis protocol to the app and to whoever else may open the socket. What is answered
 * is what the replica says at that moment: a write, or a read, only when all that it tells of is confirmed under a
 * valid lease; so the service may run before, during and after any reign.
 */
export class RespService implements Service {
  readonly #options: RespServiceOptions;
  readonly #context: ServiceContext;
  #lastId = 0;

  constructor(options: RespServiceOptions) {
    const { replica, node, observer, scheduler, logger, password } = options;
    const limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#options = options;
    this.#context = {
      replica,
      node,
      observer,
      clock: scheduler,
      warnings: new RateLimitedWarnings(logger, scheduler),
      limits,
      password: password ?? null,
      commandList,
      commands: tableOf(commandList),
      clients: new Map(),
      waiting: new Set(),
      held: new Set(),
      reignsLost: 0,
      inputs: new InputBudget(limits.inputBytes, STANDING_LIMIT_S),
      confirmed: new News(scheduler),
      role: { role: 'none', epoch: 0, master: null },
      counts: { connections: 0, commands: 0, refused: 0 },
      seconds: 0,
    };
  }

  /**
   * Listens until `signal` aborts, then closes all connections.
   * @throws HsctlError('failed') if an endpoint cannot be listened on.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { socket, listen, replica, scheduler } = this.#options;
    const servers: Server[] = [];
    const subscriptions = [
      replica.onConfirmed(() => this.#confirmed()),
      replica.onGateChange(() => this.#gateChanged()),
      replica.onReignLost(() => this.#reignLost()),
    ];
    const timer = scheduler.every(1000, () => this.#second());
    try {
      servers.push(await this.#listenLocally(socket));
      chmodSync(socket, SOCKET_MODE);
      if (listen !== null) servers.push(await this.#listen(listen, `${listen.host}:${listen.port}`));
      this.#options.logger.info('serving the Redis protocol', { socket, listen });
      await aborted(signal);
    } finally {
      timer.cancel();
      for (const end of subscriptions) end();
      for (const client of this.#context.clients.values()) client.close('the agent stops');
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    }
  }

  /** Tells the role that the app is to play, at once, to all who subscribed to `hs:role`; HS ROLE answers it from now on. */
  publishRole(news: RoleNews): void {
    const { role, epoch, master } = this.#context.role;
    if (news.role === role && news.epoch === epoch && news.master === master) return;
    this.#context.role = news;
    for (const client of this.#context.clients.values()) {
      if (client.session.channels.has(ROLE_CHANNEL)) sendRole(client);
    }
  }

  async #listenLocally(path: string): Promise<Server> {
    try {
      await makeWayForSocket(path);
    } catch (error) {
      if (error instanceof HsctlError) throw error;
      throw cannotListen(path, error);
    }
    return this.#listen({ path }, path);
  }

  async #listen(where: { path: string } | Endpoint, name: string): Promise<Server> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(name, error)));
      server.listen(where, resolve);
    });
    server.on('error', (error) => this.#context.warnings.warn('accept', 'a connection could not be taken', { error }));
    return server;
  }

  #accept(socket: Socket): void {
    const { clients, limits, counts, warnings } = this.#context;
    const peer = socket.remoteAddress === undefined ? 'unix' : `${socket.remoteAddress}:${socket.remotePort ?? 0}`;
    counts.connections += 1;
    if (clients.size >= limits.clients) {
      counts.refused += 1;
      warnings.warn('too many clients', 'a connection was refused: there are too many', { limit: limits.clients });
      socket.on('error', () => socket.destroy());
      socket.end('-ERR max number of clients reached\r\n', () => socket.destroy());
      return;
    }
    const client = new Client(++this.#lastId, socket, peer, this.#context);
    clients.set(client.id, client);
  }

  #confirmed(): void {
    for (const client of this.#context.waiting) client.moreMayGo();
    this.#context.confirmed.announce();
  }

  #gateChanged(): void {
    // A client whose write is still held puts itself back into the set.
    const held = [...this.#context.held];
    for (const client of held) client.gateChanged();
  }

  /** Nobody knows what becomes of the writes that wait: their clients learn so by a closed connection. */
  #reignLost(): void {
    this.#context.reignsLost += 1;
    for (const client of this.#context.waiting) client.close(REIGN_LOST);
  }

  #second(): void {
    this.#context.seconds += 1;
    for (const client of this.#context.clients.values()) client.second();
    this.#context.inputs.second();
    // A slave that came level confirms nothing new, but WAIT counts it.
    this.#context.confirmed.announce();
  }
}

function cannotListen(name: string, error: unknown): HsctlError {
  const hint = 'stop what uses it, or change "socket" or "listen" of the node or its app in the configuration';
  return new HsctlError('failed', `cannot listen on ${name}: ${messageOf(error)}`, hint, { cause: error });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
