import type { Backoff } from '../kit/backoff.ts';
import { type Scheduler, sleep, type Timer } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import { type Reply, ReplyError } from '../protocol/resp/resp-decoder.ts';
import { AgentLink, LinkLost, type Word } from './agent-link.ts';
import type { AgentEndpoint } from './endpoint.ts';
import { CommandError, IndeterminateError, RefusedError, UnavailableError } from './errors.ts';

/** Prefixes of errors that say: not done, since this node does not serve. */
const REFUSALS = new Set(['READONLY', 'MASTERDOWN', 'TRYAGAIN', 'LOADING', 'EXECABORT']);

/** What becomes of a request whose reply was lost: a read is asked again, of a write nobody knows whether it was done. */
export type RequestKind = 'read' | 'write';

interface Request {
  readonly words: readonly Word[];
  readonly kind: RequestKind;
  readonly sinceMs: number;
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

export interface QueueOptions {
  readonly scheduler: Scheduler;
  readonly backoff: Backoff;
  /** How long a request may wait for a connection. */
  readonly waitMs: number;
  /** Requests that may be under way or wait; further ones are refused. */
  readonly requestsLimit: number;
}

/** Requests over one connection that is made anew whenever it breaks. */
export class RequestQueue {
  readonly #endpoint: AgentEndpoint;
  readonly #options: QueueOptions;
  readonly #ending = new AbortController();
  #link: AgentLink | null = null;
  /** Requests that wait for a link. */
  #queue: Request[] = [];
  #underWay = 0;
  #expiry: Timer | null = null;
  #lastProblem = 'not connected yet';

  constructor(endpoint: AgentEndpoint, options: QueueOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
    void this.#keepConnected();
  }

  /**
   * Sends a command, as soon as there is a connection, together with all others of this turn.
   * @throws IndeterminateError, RefusedError, UnavailableError, CommandError
   */
  send(kind: RequestKind, words: readonly Word[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#ending.signal.aborted) return reject(new UnavailableError('the client was closed'));
      if (this.#underWay + this.#queue.length >= this.#options.requestsLimit) {
        return reject(new UnavailableError(`${this.#options.requestsLimit} requests are under way already`));
      }
      const request = { words, kind, sinceMs: this.#options.scheduler.monotonicMs(), resolve, reject };
      if (this.#link === null) this.#enqueue(request);
      else this.#dispatch(this.#link, request);
    });
  }

  /** Ends the connection; what is under way fails. */
  close(): void {
    this.#ending.abort();
    this.#expiry?.cancel();
    this.#link?.close();
    for (const { reject } of this.#queue.splice(0)) reject(new UnavailableError('the client was closed'));
  }

  async #keepConnected(): Promise<void> {
    const { scheduler, backoff } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const link = await AgentLink.open(this.#endpoint);
        if (signal.aborted) return link.close();
        backoff.reset();
        this.#link = link;
        for (const request of this.#queue.splice(0)) this.#dispatch(link, request);
        await link.closed;
        this.#lastProblem = 'the connection was lost';
      } catch (error) {
        this.#lastProblem = messageOf(error);
      }
      this.#link = null;
      await sleep(scheduler, backoff.next(), signal);
    }
  }

  #dispatch(link: AgentLink, request: Request): void {
    this.#underWay += 1;
    link.request(request.words).then(
      (reply) => {
        this.#underWay -= 1;
        if (reply instanceof ReplyError) this.#failed(link, request, reply);
        else request.resolve(reply);
      },
      (error: unknown) => {
        this.#underWay -= 1;
        this.#lost(link, request, error);
      },
    );
  }

  #lost(link: AgentLink, request: Request, error: unknown): void {
    if (this.#ending.signal.aborted && request.kind === 'read') {
      return request.reject(new UnavailableError('the client was closed'));
    }
    if (request.kind === 'write') {
      return request.reject(new IndeterminateError(`the reply to a write was lost: ${messageOf(error)}`));
    }
    if (this.#link === link) this.#link = null;
    this.#enqueue(request);
  }

  #failed(link: AgentLink, request: Request, { text, prefix }: ReplyError): void {
    if (prefix === 'MISCONF') request.reject(new IndeterminateError(text));
    else if (!REFUSALS.has(prefix)) request.reject(new CommandError(text));
    else {
      masterFrom(link).then(
        (master) => request.reject(new RefusedError(text, master)),
        () => request.reject(new RefusedError(text, null)),
      );
    }
  }

  #enqueue(request: Request): void {
    this.#queue.push(request);
    this.#expiry ??= this.#options.scheduler.after(this.#options.waitMs, () => this.#expire());
  }

  #expire(): void {
    this.#expiry = null;
    const { scheduler, waitMs } = this.#options;
    const oldestMs = scheduler.monotonicMs() - waitMs;
    const expired = this.#queue.filter(({ sinceMs }) => sinceMs <= oldestMs);
    this.#queue = this.#queue.filter(({ sinceMs }) => sinceMs > oldestMs);
    for (const { reject } of expired) reject(new UnavailableError(`no connection to the agent: ${this.#lastProblem}`));
    const [next] = this.#queue;
    if (next !== undefined) this.#expiry = scheduler.after(next.sinceMs - oldestMs, () => this.#expire());
  }
}

/** Who is master, as the agent knows. @throws LinkLost */
async function masterFrom(link: AgentLink): Promise<string | null> {
  const reply = await link.request(['HS', 'ROLE']);
  if (!Array.isArray(reply)) throw new LinkLost('no role');
  const master: unknown = reply[2];
  return master instanceof Uint8Array ? Buffer.from(master).toString() : null;
}
