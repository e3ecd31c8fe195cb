import { Backoff } from '../../kit/backoff.ts';
import { sleep, type Scheduler } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import { LINK_VERSIONS, type ControlMessage, type LinkMessage } from '../../protocol/link/messages.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';

/** Keeps a control link to one agent: dials, greets, hands on what comes, and dials again when it is lost. */
export interface AgentLinkOptions {
  readonly cluster: string;
  readonly group: string;
  readonly node: string;
  /** Random name of this run of the controller. */
  readonly instance: string;
  dial(signal: AbortSignal): Promise<LinkConnection>;
  /** A link that has been silent for this long is dead; read anew at each look. */
  readonly silenceLimitMs: number;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  onLinked(): void;
  onMessage(message: LinkMessage): void;
  onUnlinked(): void;
}

const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;
/** Looks within the time after which a silent link is dead. */
const LOOKS = 4;

export class AgentLink {
  readonly #options: AgentLinkOptions;
  #link: LinkConnection | null = null;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
  }

  send(message: ControlMessage): void {
    this.#link?.send(message);
  }

  /** Works until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, random, logger } = this.#options;
    const backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
    let lastTrouble = '';
    while (!signal.aborted) {
      try {
        const link = await this.#options.dial(signal);
        const reason = await this.#serve(link, signal, () => backoff.reset());
        if (!signal.aborted) logger.warn(`lost the agent: ${reason}`);
        lastTrouble = '';
      } catch (error) {
        const trouble = messageOf(error);
        if (trouble !== lastTrouble && !signal.aborted) logger.warn(`cannot reach the agent: ${trouble}`);
        lastTrouble = trouble;
      }
      await sleep(scheduler, backoff.next(), signal);
    }
  }

  /** Resolves with the reason when the link has closed. */
  #serve(link: LinkConnection, signal: AbortSignal, greeted: () => void): Promise<string> {
    const { cluster, group, node, instance, scheduler } = this.#options;
    return new Promise((resolve) => {
      let heardAtMs = scheduler.monotonicMs();
      const onAbort = (): void => link.close('the controller stops');
      // Looks since it was heard: after a stall of our own, what came meanwhile is read before the next of them.
      let silentLooks = 0;
      const watch = scheduler.every(this.#options.silenceLimitMs / LOOKS, () => {
        silentLooks += 1;
        if (silentLooks < LOOKS || scheduler.monotonicMs() - heardAtMs <= this.#options.silenceLimitMs) return;
        link.close('silent');
      });
      link.onClose((reason) => {
        watch.cancel();
        signal.removeEventListener('abort', onAbort);
        if (this.#link === link) {
          this.#link = null;
          this.#options.onUnlinked();
        }
        resolve(reason);
      });
      link.onMessage((message) => {
        heardAtMs = scheduler.monotonicMs();
        silentLooks = 0;
        if (message.type === 'refusal') return link.close(`refused: ${message.reason}`);
        if (message.type !== 'hello') return this.#link === link ? this.#options.onMessage(message) : undefined;
        const wrong = message.cluster !== cluster || message.group !== group || message.node !== node;
        if (wrong)
          return link.close(`this is ${message.cluster}/${message.group}/${message.node}, not ${group}/${node}`);
        greeted();
        this.#link = link;
        this.#options.onLinked();
      });
      // It may have been told to stop while the link was on its way here.
      if (signal.aborted) return link.close('the controller stops');
      signal.addEventListener('abort', onAbort, { once: true });
      link.send({ type: 'hello', versions: LINK_VERSIONS, cluster, group, node, instance });
    });
  }
}
