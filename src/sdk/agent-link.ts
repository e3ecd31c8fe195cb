import { createConnection, type Socket } from 'node:net';
import { messageOf } from '../kit/errors.ts';
import { PushMessage, type Reply, ReplyError, RespDecoder } from '../protocol/resp/resp-decoder.ts';
import { RespWriter } from '../protocol/resp/resp-writer.ts';
import type { AgentEndpoint } from './endpoint.ts';

/** One word of a command; text is sent as UTF-8. */
export type Word = string | Uint8Array;

/** The link broke before the reply came. */
export class LinkLost extends Error {
  override readonly name = 'LinkLost';
}

interface Waiting {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: Error) => void;
}

/**
 * One connection to the agent, in RESP3. Commands that are given within one turn of the event loop go out in one write;
 * replies come in the order of the commands. It is not made anew when it breaks.
 */
export class AgentLink {
  readonly #socket: Socket;
  readonly #writer = new RespWriter();
  readonly #decoder = new RespDecoder();
  readonly #onPush: (items: readonly Reply[]) => void;
  readonly #closed = Promise.withResolvers<void>();
  /** Those that wait for replies; the ones before `#first` have theirs. */
  #waiting: Waiting[] = [];
  #first = 0;
  #scheduled = false;
  #lost: LinkLost | null = null;

  private constructor(socket: Socket, onPush: (items: readonly Reply[]) => void) {
    this.#socket = socket;
    this.#onPush = onPush;
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('error', (error) => this.#broke(messageOf(error)));
    socket.on('close', () => this.#broke('the agent closed the connection'));
  }

  /**
   * Connects. `onPush` takes what answers no command.
   * @throws LinkLost if there is no agent, or it does not take us.
   */
  static async open(
    endpoint: AgentEndpoint,
    onPush: (items: readonly Reply[]) => void = () => undefined,
  ): Promise<AgentLink> {
    const socket = createConnection('socket' in endpoint ? { path: endpoint.socket } : { ...endpoint, noDelay: true });
    const link = new AgentLink(socket, onPush);
    const hello = await link.request(['HELLO', '3']);
    if (hello instanceof ReplyError) {
      link.close();
      throw new LinkLost(hello.text);
    }
    return link;
  }

  /** Resolves when the link is gone, by whatever side. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends a command; an error reply is a reply. @throws LinkLost */
  request(words: readonly Word[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost);
      this.#writer.array(words.length);
      for (const word of words) {
        if (typeof word === 'string') this.#writer.text(word);
        else this.#writer.bulk(word);
      }
      this.#waiting.push({ resolve, reject });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  close(): void {
    this.#broke('closed');
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#lost !== null) return;
    this.#socket.write(this.#writer.take(this.#writer.position, Infinity));
    if (this.#socket.writableLength === 0) this.#writer.recycle();
  }

  #received(chunk: Buffer): void {
    this.#decoder.push(chunk);
    try {
      for (let reply = this.#decoder.next(); reply !== undefined; reply = this.#decoder.next()) {
        if (reply instanceof PushMessage) this.#onPush(reply.items);
        else this.#answered(reply);
      }
    } catch (error) {
      this.#broke(messageOf(error));
    }
  }

  #answered(reply: Reply): void {
    const waiting = this.#waiting[this.#first];
    if (waiting === undefined) {
      // Before it closes, an agent may say why.
      return this.#broke(reply instanceof ReplyError ? reply.text : 'a reply that nobody asked for');
    }
    this.#first += 1;
    if (this.#first === this.#waiting.length || this.#first >= 4096) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    waiting.resolve(reply);
  }

  #broke(reason: string): void {
    if (this.#lost !== null) return;
    this.#lost = new LinkLost(reason);
    this.#socket.destroy();
    for (const { reject } of this.#waiting.slice(this.#first)) reject(this.#lost);
    this.#waiting = [];
    this.#first = 0;
    this.#closed.resolve();
  }
}
