import type { Backoff } from '../../kit/backoff.ts';
import { type Scheduler, sleep } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Service } from '../../kit/service.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';
import type { SlaveSession } from './slave-session.ts';

export interface PeerDialerOptions {
  readonly dial: (signal: AbortSignal) => Promise<LinkConnection>;
  readonly newSession: (link: LinkConnection) => SlaveSession;
  readonly backoff: Backoff;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

/** Keeps a session with the peer for as long as it runs: dials, and dials again with growing pauses. */
export class PeerDialer implements Service {
  readonly #options: PeerDialerOptions;
  #session: SlaveSession | null = null;
  /** Why the last dialling failed, so that the same reason is logged once. */
  #failure = '';

  constructor(options: PeerDialerOptions) {
    this.#options = options;
  }

  /** The present session; null while there is none. */
  get session(): SlaveSession | null {
    return this.#session;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { backoff, scheduler } = this.#options;
    while (!signal.aborted) {
      await this.#once(signal);
      if (!signal.aborted) await sleep(scheduler, backoff.next(), signal);
    }
  }

  async #once(signal: AbortSignal): Promise<void> {
    const { dial, newSession, backoff } = this.#options;
    let link: LinkConnection;
    try {
      link = await dial(signal);
    } catch (thrown) {
      if (!signal.aborted) this.#failed(messageOf(thrown));
      return;
    }
    this.#failure = '';
    if (signal.aborted) return link.close('this node does not follow any more');
    const session = newSession(link);
    const stop = (): void => session.close('this node does not follow any more');
    signal.addEventListener('abort', stop, { once: true });
    this.#session = session;
    session.start();
    await session.done;
    this.#session = null;
    signal.removeEventListener('abort', stop);
    if (session.hasFollowed) backoff.reset();
  }

  #failed(reason: string): void {
    if (reason !== this.#failure) this.#options.logger.warn('the peer cannot be reached', { reason });
    this.#failure = reason;
  }
}
