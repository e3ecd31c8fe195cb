import type { Backoff } from '../kit/backoff.ts';
import { type Scheduler, sleep, type Timer } from '../kit/clock.ts';
import { parseRoleMessage, type RoleNews } from '../model/role-news.ts';
import { type Reply, ReplyError } from '../protocol/resp/resp-decoder.ts';
import { AgentLink } from './agent-link.ts';
import type { AgentEndpoint } from './endpoint.ts';

export interface AppDeclaration {
  /** For logs; printable, without spaces. */
  readonly name: string;
  /** How often to beat; a fraction of the agent's `app.heartbeat.interval`, or that itself. */
  readonly heartbeatMs: number;
}

/**
 * The connection on which the app hears its role, and by which the agent knows that the app lives: what the app does on
 * other connections cannot delay either. While it is broken the role is `none`: nobody can say better.
 */
export class RoleWatch {
  readonly #endpoint: AgentEndpoint;
  readonly #scheduler: Scheduler;
  readonly #backoff: Backoff;
  readonly #listeners = new Set<(news: RoleNews) => void>();
  readonly #ending = new AbortController();
  #link: AgentLink | null = null;
  #declaration: AppDeclaration | null = null;
  #beat: Timer | null = null;
  #news: RoleNews = { role: 'none', epoch: 0, master: null };

  constructor(endpoint: AgentEndpoint, scheduler: Scheduler, backoff: Backoff) {
    this.#endpoint = endpoint;
    this.#scheduler = scheduler;
    this.#backoff = backoff;
    void this.#keepConnected();
  }

  /** The role as last heard. */
  get news(): RoleNews {
    return this.#news;
  }

  /** Calls `listener` with the present role and at each change, until the returned function is called. */
  onRole(listener: (news: RoleNews) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#news);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Declares this connection, and those that follow it, to be the app's; beats from now on.
   * @throws TypeError if the name is not printable or has spaces.
   */
  declareApp(declaration: AppDeclaration): void {
    if (!/^[!-~]{1,255}$/.test(declaration.name)) throw new TypeError(`"${declaration.name}" is no name for an app`);
    this.#declaration = declaration;
    this.#beat?.cancel();
    this.#beat = this.#scheduler.every(declaration.heartbeatMs, () => this.#tell(['PING']));
    this.#tell(['HS', 'APP', declaration.name]);
  }

  close(): void {
    this.#ending.abort();
    this.#beat?.cancel();
    this.#link?.close();
  }

  /** Says something of which the answer does not matter; if the link breaks, the next one begins with it. */
  #tell(words: readonly string[]): void {
    this.#link?.request(words).catch(() => undefined);
  }

  async #keepConnected(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        const link = await AgentLink.open(this.#endpoint, (items) => this.#pushed(items));
        if (signal.aborted) return link.close();
        this.#link = link;
        if (this.#declaration !== null) this.#tell(['HS', 'APP', this.#declaration.name]);
        const reply = link.request(['SUBSCRIBE', 'hs:role']);
        reply.catch(() => undefined);
        this.#backoff.reset();
        await link.closed;
      } catch {
        // Not there yet: tried again below, until the watch is closed.
      }
      this.#link = null;
      this.#heard({ role: 'none', epoch: this.#news.epoch, master: null });
      await sleep(this.#scheduler, this.#backoff.next(), signal);
    }
  }

  #pushed([kind, channel, message]: readonly Reply[]): void {
    if (text(kind) !== 'message' || text(channel) !== 'hs:role') return;
    const news = parseRoleMessage(text(message));
    if (news !== null) this.#heard(news);
  }

  #heard(news: RoleNews): void {
    const { role, epoch, master } = this.#news;
    if (news.role === role && news.epoch === epoch && news.master === master) return;
    this.#news = news;
    for (const listener of this.#listeners) listener(news);
  }
}

function text(reply: Reply | undefined): string {
  if (reply instanceof ReplyError) return reply.text;
  return reply instanceof Uint8Array ? Buffer.from(reply).toString() : '';
}
