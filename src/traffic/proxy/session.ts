import { connect, type Socket } from 'node:net';
import type { Scheduler, Timer } from '../../kit/clock.ts';
import type { Backend } from '../backends.ts';

/** Between two tries to reach a node that refuses, and the longest that one try may take. */
const REDIAL_AFTER_MS = 20;
const DIAL_TIMEOUT_MS = 1000;
/** Idle connections are probed by the kernel after this long, so that vanished clients do not add up. */
const KEEP_ALIVE_MS = 60_000;

/**
 * One client's connection: waits (unread, so that the kernel holds what the client sends), is dialled to a node,
 * then carries bytes both ways. Each direction ends by itself (half-close); a reset of one end resets the other.
 */
export class Session {
  readonly #client: Socket;
  readonly #scheduler: Scheduler;
  readonly #deadline: Timer;
  readonly #onEnd: () => void;
  #server: Socket | null = null;
  #backend: Backend | null = null;
  #redial: Timer | null = null;
  #established = false;
  #ended = false;

  /** `holdMs`: how long the client may wait, in all, until a node has taken it; then it is reset. */
  constructor(client: Socket, scheduler: Scheduler, holdMs: number, onEnd: () => void) {
    this.#client = client;
    this.#scheduler = scheduler;
    this.#onEnd = onEnd;
    this.#deadline = scheduler.after(holdMs, () => this.reset());
    client.setNoDelay(true);
    client.setKeepAlive(true, KEEP_ALIVE_MS);
    client.once('error', () => this.reset());
    client.once('close', () => this.#closed());
  }

  /** Node that this client is connected to; null while it waits. */
  get node(): string | null {
    return this.#established ? (this.#backend?.node ?? null) : null;
  }

  /** Connects a waiting client to a node, trying again while it refuses. Does nothing once a node has taken it. */
  dial(backend: Backend): void {
    if (this.#ended || this.#established) return;
    if (this.#backend?.node === backend.node) return;
    this.park();
    this.#backend = backend;
    this.#try(backend);
  }

  /** Calls a dial off: the client waits again. Does nothing once a node has taken it. */
  park(): void {
    if (this.#established) return;
    this.#redial?.cancel();
    this.#server?.destroy();
    this.#server = null;
    this.#backend = null;
  }

  /** Cuts both ends at once. */
  reset(): void {
    if (!this.#established) this.park();
    this.#client.resetAndDestroy();
    this.#server?.resetAndDestroy();
    this.#end();
  }

  #try(backend: Backend): void {
    const server = connect({ host: backend.address, port: backend.port, allowHalfOpen: true, noDelay: true });
    this.#server = server;
    const timeout = this.#scheduler.after(DIAL_TIMEOUT_MS, () => server.destroy());
    server.once('error', () => undefined);
    server.once('close', () => {
      timeout.cancel();
      if (this.#server !== server) return;
      if (this.#established) this.#closed();
      else this.#redial = this.#scheduler.after(REDIAL_AFTER_MS, () => this.#try(backend));
    });
    server.once('connect', () => {
      timeout.cancel();
      if (this.#server === server) this.#establish(server);
    });
  }

  #establish(server: Socket): void {
    this.#established = true;
    this.#deadline.cancel();
    server.setKeepAlive(true, KEEP_ALIVE_MS);
    server.once('error', () => this.reset());
    this.#client.pipe(server);
    server.pipe(this.#client);
  }

  /** One end is closed: fine after both directions ended in order, else the other must not stay behind. */
  #closed(): void {
    const server = this.#server;
    if (!this.#established || server === null) return this.reset();
    if (!this.#client.readableEnded || !server.readableEnded) return this.reset();
    if (this.#client.closed && server.closed) this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#deadline.cancel();
    this.#redial?.cancel();
    this.#onEnd();
  }
}
