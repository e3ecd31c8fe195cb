import type { Backoff } from '../kit/backoff.ts';
import { type Scheduler, sleep } from '../kit/clock.ts';
import { type Reply, ReplyError, ReplyMap } from '../protocol/resp/resp-decoder.ts';
import { AgentLink, LinkLost } from './agent-link.ts';
import type { AgentEndpoint } from './endpoint.ts';
import { CommandError } from './errors.ts';

/** One change of the state. `reset`: forget everything; all that there is follows. */
export type Change =
  | { readonly type: 'set'; readonly id: string; readonly key: Buffer; readonly value: Buffer }
  | { readonly type: 'delete'; readonly id: string; readonly key: Buffer }
  | { readonly type: 'reset' };

/** Called with each change, in order; the next one waits until what it returns is done. */
export type ChangeListener = (change: Change) => void | Promise<void>;

export const LOG_BEGINNING = '0-0';
const ENTRIES_AT_A_TIME = 10_000;

/** Reads the log from a place on, for ever: across broken connections, and from the beginning when the log was cut. */
export class LogFollower {
  readonly #endpoint: AgentEndpoint;
  readonly #scheduler: Scheduler;
  readonly #backoff: Backoff;
  readonly #onChange: ChangeListener;
  readonly #barrier: () => Promise<void>;
  readonly #ending = new AbortController();
  #link: AgentLink | null = null;
  /** Made before the present link is closed. */
  #nextLink: Promise<AgentLink> | null = null;
  #position: string;
  /** The reader waits for news, as opposed to working on them. */
  #idle = false;
  #drains: (() => void)[] = [];

  /** Ends when `stop` is called; rejects when the listener throws, or the agent refuses to be followed. */
  readonly done: Promise<void>;

  constructor(
    endpoint: AgentEndpoint,
    from: string,
    onChange: ChangeListener,
    parts: { readonly scheduler: Scheduler; readonly backoff: Backoff; readonly barrier: () => Promise<void> },
  ) {
    this.#endpoint = endpoint;
    this.#position = from;
    this.#onChange = onChange;
    this.#scheduler = parts.scheduler;
    this.#backoff = parts.backoff;
    this.#barrier = parts.barrier;
    this.done = this.#run();
    this.done.catch(() => undefined);
  }

  /** Id of the last change that was handed over: to follow from there later, also by another process. */
  get position(): string {
    return this.#position;
  }

  /** Resolves once everything that was written before the call was handed over. Rejects as `done` does. */
  async drain(): Promise<void> {
    // A reader that waits for news would not look up before some come: it goes over to another link, made meanwhile.
    this.#prepareLink();
    try {
      await Promise.race([this.#barrier(), this.#ended()]);
    } catch (error) {
      this.#dropNextLink();
      throw error;
    }
    const drained = new Promise<void>((resolve) => this.#drains.push(resolve));
    // What it is being sent it will be sent again.
    if (this.#idle) this.#link?.close();
    else this.#dropNextLink();
    await Promise.race([drained, this.#ended()]);
  }

  /** Resolves when no listener runs or will run. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#dropNextLink();
    this.#link?.close();
    await this.done.catch(() => undefined);
  }

  async #ended(): Promise<never> {
    await this.done;
    throw new Error('the follower was stopped');
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      let opened = false;
      try {
        const link = await this.#openLink();
        this.#link = link;
        opened = true;
        this.#backoff.reset();
        await this.#read(link);
      } catch (error) {
        if (!(error instanceof LinkLost)) throw error;
        if (opened && this.#drains.length > 0) continue;
        await sleep(this.#scheduler, this.#backoff.next(), signal);
      } finally {
        this.#link?.close();
        this.#link = null;
      }
    }
  }

  #openLink(): Promise<AgentLink> {
    const link = this.#nextLink ?? AgentLink.open(this.#endpoint);
    this.#nextLink = null;
    return link;
  }

  #prepareLink(): void {
    if (this.#ending.signal.aborted) return;
    this.#nextLink ??= AgentLink.open(this.#endpoint);
    this.#nextLink.catch(() => undefined);
  }

  #dropNextLink(): void {
    const link = this.#nextLink;
    this.#nextLink = null;
    link?.then(
      (open) => open.close(),
      () => undefined,
    );
  }

  async #read(link: AgentLink): Promise<void> {
    while (!this.#ending.signal.aborted) {
      const drains = this.#drains;
      this.#drains = [];
      const entries = await this.#next(link, drains.length === 0).catch((error: unknown) => {
        this.#drains.push(...drains);
        throw error;
      });
      if (entries === null && drains.length > 0) for (const drained of drains) drained();
      else this.#drains.push(...drains);
      for (const entry of entries ?? []) {
        if (this.#ending.signal.aborted) return;
        await this.#handOver(changeOf(entry));
      }
    }
  }

  /** The next entries; null if there are none, which is only said if not `block`. */
  async #next(link: AgentLink, block: boolean): Promise<readonly Reply[] | null> {
    this.#idle = block;
    const waiting = block ? ['BLOCK', '0'] : [];
    const words = ['XREAD', 'COUNT', String(ENTRIES_AT_A_TIME), ...waiting, 'STREAMS', 'hs:log', this.#position];
    const reply = await link.request(words);
    this.#idle = false;
    if (reply instanceof ReplyError) {
      if (reply.prefix !== 'FORKED') throw new CommandError(reply.text);
      this.#position = LOG_BEGINNING;
      await this.#onChange({ type: 'reset' });
      return [];
    }
    if (!(reply instanceof ReplyMap)) return null;
    const entries = reply.pairs[0]?.[1];
    return Array.isArray(entries) ? entries : null;
  }

  async #handOver(change: Exclude<Change, { type: 'reset' }>): Promise<void> {
    // Awaiting nothing would cost a turn of the microtask queue for each of millions of changes.
    const listening = this.#onChange(change);
    if (listening !== undefined) await listening;
    this.#position = change.id;
  }
}

/** `[id, [op, set, key, K, value, V]]` as a change. */
function changeOf(entry: Reply): Exclude<Change, { type: 'reset' }> {
  const [id, fields] = Array.isArray(entry) ? (entry as readonly Reply[]) : [];
  if (!Array.isArray(fields)) throw new CommandError('the agent sent an entry of the log without fields');
  const [, op, , key, , value] = fields.map(bufferOf);
  const name = bufferOf(id ?? null)?.toString();
  if (name === undefined || key === undefined) throw new CommandError('the agent sent an entry of the log without key');
  if (op?.toString() === 'del') return { type: 'delete', id: name, key };
  if (value === undefined) throw new CommandError('the agent sent an entry of the log without value');
  return { type: 'set', id: name, key, value };
}

export function bufferOf(reply: Reply): Buffer | undefined {
  if (Buffer.isBuffer(reply)) return reply;
  return reply instanceof Uint8Array ? Buffer.from(reply.buffer, reply.byteOffset, reply.length) : undefined;
}
