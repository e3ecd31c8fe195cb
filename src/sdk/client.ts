import { Backoff } from '../kit/backoff.ts';
import { foregroundScheduler, type Scheduler } from '../kit/clock.ts';
import { systemRandom } from '../kit/random.ts';
import type { RoleNews } from '../model/role-news.ts';
import type { Reply } from '../protocol/resp/resp-decoder.ts';
import type { Word } from './agent-link.ts';
import type { AgentEndpoint } from './endpoint.ts';
import { CommandError } from './errors.ts';
import { bufferOf, type ChangeListener, LOG_BEGINNING, LogFollower } from './log-follower.ts';
import { RequestQueue } from './request-queue.ts';
import { type AppDeclaration, RoleWatch } from './role-watch.ts';

export type ConnectOptions = AgentEndpoint & {
  /** How long a request may wait for a connection before it fails with UnavailableError. Default 5 s. */
  readonly waitMs?: number;
  /** Requests that may be under way or wait at a time. Default 100,000. */
  readonly requestsLimit?: number;
  readonly scheduler?: Scheduler;
};

const RECONNECT_FIRST_MS = 10;
const RECONNECT_LIMIT_MS = 1000;

/** The group's state, by way of this node's agent. Keys and values are bytes; text is taken as UTF-8. */
export class StateClient {
  readonly #endpoint: AgentEndpoint;
  readonly #scheduler: Scheduler;
  readonly #requests: RequestQueue;
  readonly #followers = new Set<LogFollower>();
  #watch: RoleWatch | null = null;

  constructor(options: ConnectOptions) {
    this.#endpoint = options;
    this.#scheduler = options.scheduler ?? foregroundScheduler;
    this.#requests = new RequestQueue(this.#endpoint, {
      scheduler: this.#scheduler,
      backoff: this.#backoff(),
      waitMs: options.waitMs ?? 5000,
      requestsLimit: options.requestsLimit ?? 100_000,
    });
  }

  /** The value of a key; null if there is none. */
  async get(key: Word): Promise<Buffer | null> {
    return bufferOf(await this.#requests.send('read', ['GET', key])) ?? null;
  }

  /** The values of several keys, in their order. */
  async getMany(keys: readonly Word[]): Promise<(Buffer | null)[]> {
    if (keys.length === 0) return [];
    const reply = await this.#requests.send('read', ['MGET', ...keys]);
    if (!Array.isArray(reply)) throw new CommandError('MGET was not answered by a list');
    return reply.map((value: Reply) => bufferOf(value) ?? null);
  }

  /** Resolves once the write is held by every node that has to hold it. */
  async set(key: Word, value: Word): Promise<void> {
    await this.#requests.send('write', ['SET', key, value]);
  }

  /** Sets all of them or, if the connection is lost, perhaps all or none. */
  async setMany(entries: Iterable<readonly [Word, Word]>): Promise<void> {
    const words = [...entries].flat();
    if (words.length > 0) await this.#requests.send('write', ['MSET', ...words]);
  }

  /** Deletes keys; gives the number of those that there were. */
  async delete(...keys: readonly Word[]): Promise<number> {
    return keys.length === 0 ? 0 : Number(await this.#requests.send('write', ['DEL', ...keys]));
  }

  /** Any other command of the agent. Its reply is lost with the connection: IndeterminateError. */
  command(...words: readonly Word[]): Promise<Reply> {
    return this.#requests.send('write', words);
  }

  /** Resolves once everything that this node's agent has in its log now is confirmed. */
  async confirmed(): Promise<void> {
    await this.#requests.send('read', ['XLEN', 'hs:log']);
  }

  /**
   * Hands every change over, in order: first, from the beginning, the whole state as sets, then what changes. With `from`,
   * only what comes behind that id; if the log there is no longer the one that was read, a `reset` and the whole state.
   */
  follow(options: { readonly from?: string }, onChange: ChangeListener): LogFollower {
    const follower = new LogFollower(this.#endpoint, options.from ?? LOG_BEGINNING, onChange, {
      scheduler: this.#scheduler,
      backoff: this.#backoff(),
      barrier: () => this.confirmed(),
    });
    this.#followers.add(follower);
    const forget = (): boolean => this.#followers.delete(follower);
    follower.done.then(forget, forget);
    return follower;
  }

  /** Calls `listener` with the role that is known now and at each change, until the returned function is called. */
  onRole(listener: (news: RoleNews) => void): () => void {
    return this.#roleWatch().onRole(listener);
  }

  /** Tells the agent that this process is the app: its end counts as a crash at once, its silence as a hang. */
  declareApp(declaration: AppDeclaration): void {
    this.#roleWatch().declareApp(declaration);
  }

  /** Tells that the app serves under `epoch`: traffic comes. @throws CommandError if that reign is over. */
  async ready(epoch: number): Promise<void> {
    await this.#requests.send('read', ['HS', 'READY', String(epoch)]);
  }

  /**
   * Resolves if this node serves under `epoch` at this moment, after all that was written before was confirmed.
   * @throws RefusedError if it does not
   */
  async serves(epoch: number): Promise<void> {
    await this.#requests.send('read', ['HS', 'SERVES', String(epoch)]);
  }

  /** Closes all connections. Requests under way fail. */
  async close(): Promise<void> {
    this.#watch?.close();
    this.#requests.close();
    await Promise.all([...this.#followers].map((follower) => follower.stop()));
  }

  #roleWatch(): RoleWatch {
    this.#watch ??= new RoleWatch(this.#endpoint, this.#scheduler, this.#backoff());
    return this.#watch;
  }

  #backoff(): Backoff {
    return new Backoff(RECONNECT_FIRST_MS, RECONNECT_LIMIT_MS, systemRandom);
  }
}

/** A client of this node's agent. It connects by itself, now and whenever the connection is lost. */
export function connect(options: ConnectOptions): StateClient {
  return new StateClient(options);
}
