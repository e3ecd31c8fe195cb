import type { RoleNews } from '../model/role-news.ts';
import { type ConnectOptions, StateClient } from './client.ts';
import { CommandError, RefusedError, UnavailableError } from './errors.ts';
import { type ChangeListener, LOG_BEGINNING, type LogFollower } from './log-follower.ts';

export type StandbyOptions = ConnectOptions & {
  /** Name of the app, for logs; printable, without spaces. */
  readonly name: string;
  /** How often to tell the agent that the app lives. Default 50 ms. */
  readonly heartbeatMs?: number;
  /** Applies a change to the app's memory. Called only while the app is not master. */
  readonly onChange: ChangeListener;
  /**
   * The memory holds all that was acknowledged: begin to serve. Once it resolves, traffic comes. `signal` aborts when the
   * reign ends before that.
   */
  readonly onPromote: (epoch: number, signal: AbortSignal) => void | Promise<void>;
  /** Stop serving at once; what is in memory may never have been acknowledged, so a `reset` follows. */
  readonly onDemote: (news: RoleNews) => void | Promise<void>;
};

/** An app that is ready to take over: see `runStandby`. */
export class Standby {
  /** To write the changes that the app makes while it is master. */
  readonly client: StateClient;
  /** Ends after `stop`; rejects when a callback throws. */
  readonly done: Promise<void>;
  readonly #options: StandbyOptions;
  readonly #ending = Promise.withResolvers<'stop'>();
  #stopped = false;
  #follower: LogFollower;
  /** Rejects when the follower fails; never resolves. */
  #failure: Promise<never>;
  #news: RoleNews = { role: 'none', epoch: 0, master: null };
  #changed = Promise.withResolvers<'changed'>();
  #servesEpoch = 0;

  constructor(options: StandbyOptions) {
    this.#options = options;
    this.client = new StateClient(options);
    this.#follower = this.client.follow({}, options.onChange);
    this.#failure = failureOf(this.#follower);
    this.client.onRole((news) => {
      this.#news = news;
      this.#changed.resolve('changed');
      this.#changed = Promise.withResolvers();
    });
    this.client.declareApp({ name: options.name, heartbeatMs: options.heartbeatMs ?? 50 });
    this.done = this.#live();
    this.done.catch(() => undefined);
  }

  /** Whether the app serves, or prepares to. */
  get serves(): boolean {
    return this.#servesEpoch > 0;
  }

  /** The reign in which the app serves, or prepares to; 0 for none. A change that is confirmed after it belongs to nobody's memory. */
  get epoch(): number {
    return this.#servesEpoch;
  }

  /**
   * To be awaited before an answer is given from memory: resolves if this node serves at this very moment, and all that
   * is in memory then was acknowledged. Other reads do not tell: a slave answers them too.
   * @throws RefusedError if it does not serve
   */
  async confirm(): Promise<void> {
    const epoch = this.#servesEpoch;
    if (epoch > 0) await this.client.serves(epoch);
    // The reign may be over although the agent's word came first: the memory is another one then.
    if (epoch === 0 || epoch !== this.#servesEpoch) throw new RefusedError('READONLY this node is not master', null);
  }

  /** Leaves the pair: the agent sees the app go. `onDemote` is not called. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#ending.resolve('stop');
    await this.done;
  }

  async #live(): Promise<void> {
    try {
      await this.#run();
    } finally {
      await this.client.close();
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const changed = this.#changed.promise;
      const { role, epoch } = this.#news;
      const wanted = role === 'master' ? epoch : 0;
      if (this.#servesEpoch !== 0 && wanted !== this.#servesEpoch) await this.#demote();
      else if (wanted !== this.#servesEpoch) await this.#promote(wanted);
      else await Promise.race([changed, this.#ending.promise, this.#failure]);
    }
  }

  async #promote(epoch: number): Promise<void> {
    if (!(await this.#unlessChanged(this.#follower.drain()))) return;
    await this.#follower.stop();
    const ending = new AbortController();
    const unwatch = this.client.onRole((news) => {
      if (news.role !== 'master' || news.epoch !== epoch) ending.abort();
    });
    try {
      if (ending.signal.aborted) return this.#follow(this.#follower.position);
      this.#servesEpoch = epoch;
      await this.#options.onPromote(epoch, ending.signal);
      if (!ending.signal.aborted) await this.#unlessChanged(this.#sayReady(epoch));
    } finally {
      unwatch();
    }
  }

  /** If the agent does not take the word, the reign is over, as the role will tell. */
  async #sayReady(epoch: number): Promise<void> {
    try {
      await this.client.ready(epoch);
    } catch (error) {
      const refused = error instanceof CommandError || error instanceof RefusedError;
      if (!refused && !(error instanceof UnavailableError)) throw error;
    }
  }

  async #demote(): Promise<void> {
    this.#servesEpoch = 0;
    await this.#options.onDemote(this.#news);
    await this.#options.onChange({ type: 'reset' });
    this.#follow(LOG_BEGINNING);
  }

  #follow(from: string): void {
    this.#follower = this.client.follow({ from }, this.#options.onChange);
    this.#failure = failureOf(this.#follower);
  }

  /** Waits for `work`; false if the role changed or the end came before it was done. */
  async #unlessChanged(work: Promise<void>): Promise<boolean> {
    const outcome = await Promise.race([work, this.#changed.promise, this.#ending.promise]);
    if (outcome === undefined) return true;
    work.catch(() => undefined);
    return false;
  }
}

function failureOf(follower: LogFollower): Promise<never> {
  const failure = follower.done.then(() => new Promise<never>(() => undefined));
  failure.catch(() => undefined);
  return failure;
}

/**
 * Makes this process one half of a pair: declares it to its agent as the app, beats, keeps its memory warm with the
 * master's changes while it is slave; when it is promoted, brings the memory up to the last acknowledged write, calls
 * `onPromote` and says that it is ready; when it is demoted, calls `onDemote` and begins anew as slave.
 */
export function runStandby(options: StandbyOptions): Standby {
  return new Standby(options);
}
