import type { AgentNode } from '../../agent/agent-node.ts';
import type { Logger } from '../../kit/logger.ts';
import {
  LINK_VERSIONS,
  type ControlMessage,
  type Hello,
  type LinkMessage,
  type PeerHello,
  type ReloadAnswer,
  type ReloadRequest,
} from '../../protocol/link/messages.ts';
import type { LinkConnection } from '../../transport/link-connection.ts';

/** Reads the configuration again and applies it, unless it is a dry run. */
export type Reload = (dryRun: boolean) => Promise<ReloadOutcome>;

export type ReloadOutcome = Omit<ReloadAnswer, 'type' | 'id'>;

/** The agent's end of the control link. One controller at a time: whoever greets last has the word. */
export class ControlServer {
  readonly #own: Omit<Hello, 'type' | 'versions'>;
  readonly #logger: Logger;
  #node: AgentNode | null = null;
  #reload: Reload | null = null;
  #link: LinkConnection | null = null;

  constructor(own: Omit<Hello, 'type' | 'versions'>, logger: Logger) {
    this.#own = own;
    this.#logger = logger;
  }

  /** Whom the messages are for; `reload` is asked to read the configuration again. */
  serve(node: AgentNode, reload: Reload | null = null): void {
    this.#node = node;
    this.#reload = reload;
  }

  /** Nothing is queued for a controller that is not there: it gets the whole report when it comes. */
  send(message: ControlMessage): void {
    this.#link?.send(message);
  }

  /** Takes a link whose other end has greeted. */
  accept(link: LinkConnection, hello: Hello | PeerHello): void {
    const { cluster, group, node } = this.#own;
    const wrong = hello.type !== 'hello' || hello.cluster !== cluster || hello.group !== group || hello.node !== node;
    if (wrong) {
      link.send({ type: 'refusal', code: 'identity', reason: `this is the agent of ${cluster}/${group}/${node}` });
      link.close('it asked for another agent');
      return;
    }
    this.#link?.close('another controller link took over');
    this.#link = link;
    link.send({ type: 'hello', versions: LINK_VERSIONS, ...this.#own });
    link.onMessage((message) => this.#onMessage(link, message));
    link.onClose((reason) => {
      if (this.#link !== link) return;
      this.#link = null;
      this.#logger.warn(`lost the controller: ${reason}`);
    });
    this.#logger.info('the controller is here', { peer: link.peer });
    this.#node?.forgetReported();
    this.#node?.beat();
  }

  async #answerReload(link: LinkConnection, { id, dryRun }: ReloadRequest): Promise<void> {
    const answer = await this.#reload?.(dryRun);
    if (answer !== undefined) link.send({ type: 'reloaded', id, ...answer });
  }

  #onMessage(link: LinkConnection, message: LinkMessage): void {
    if (this.#link !== link || this.#node === null) return;
    if (message.type === 'grant') this.#node.onControllerGrant(message);
    else if (message.type === 'assign') this.#node.onAssignment(message.assignment);
    else if (message.type === 'reload' && this.#reload !== null) void this.#answerReload(link, message);
    else link.close(`unexpected ${message.type}`);
  }
}
