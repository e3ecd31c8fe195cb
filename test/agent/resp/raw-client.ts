import { once } from 'node:events';
import { createConnection, type NetConnectOpts, type Socket } from 'node:net';
import { PushMessage, type Reply, ReplyError, ReplyMap, RespDecoder } from '../../../src/protocol/resp/resp-decoder.ts';

/** Replies in a form that compares and prints well. */
export type Plain =
  | null
  | boolean
  | number
  | bigint
  | string
  | Plain[]
  | { readonly push: Plain[] }
  | Map<Plain, Plain>;

function plain(reply: Reply): Plain {
  if (reply instanceof Uint8Array) return Buffer.from(reply).toString('latin1');
  if (reply instanceof ReplyError) return `-${reply.text}`;
  if (reply instanceof PushMessage) return { push: reply.items.map(plain) };
  if (reply instanceof ReplyMap) return new Map(reply.pairs.map(([key, value]) => [plain(key), plain(value)]));
  if (Array.isArray(reply)) return reply.map(plain);
  return reply as Plain;
}

/** A client that sends what it is told and shows what comes back, to the byte if asked. */
export class RawClient {
  readonly socket: Socket;
  readonly #decoder = new RespDecoder();
  readonly #replies: Plain[] = [];
  #bytes = '';
  #wake: () => void = () => undefined;
  #closed = false;

  /** Connects to a unix socket, or to what is said. */
  constructor(where: string | NetConnectOpts) {
    this.socket = createConnection(typeof where === 'string' ? { path: where } : where);
    this.socket.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.toString('latin1');
      this.#decoder.push(chunk);
      for (let reply = this.#decoder.next(); reply !== undefined; reply = this.#decoder.next()) {
        this.#replies.push(plain(reply));
      }
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Sends commands as arrays of words, in one write. */
  send(...commands: readonly (readonly (string | Buffer)[])[]): void {
    const parts = commands.flatMap((words) => [
      Buffer.from(`*${words.length}\r\n`),
      ...words.flatMap((word) => {
        const bytes = Buffer.isBuffer(word) ? word : Buffer.from(word, 'latin1');
        return [Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from('\r\n')];
      }),
    ]);
    this.socket.write(Buffer.concat(parts));
  }

  /** The next `count` replies, in order. */
  async replies(count: number): Promise<Plain[]> {
    while (this.#replies.length < count) {
      if (this.#closed) throw new Error(`closed after ${JSON.stringify(this.#replies)}`);
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#replies.splice(0, count);
  }

  /** Sends one command and returns its reply. */
  async ask(...words: readonly (string | Buffer)[]): Promise<Plain> {
    this.send(words);
    return (await this.replies(1))[0] ?? null;
  }

  /** The same for a command whose reply is text. */
  async text(...words: readonly (string | Buffer)[]): Promise<string> {
    const reply = await this.ask(...words);
    if (typeof reply !== 'string') throw new Error(`${words.join(' ')} was answered by ${JSON.stringify(reply)}`);
    return reply;
  }

  /** Replies that came and were not taken. */
  get unasked(): number {
    return this.#replies.length;
  }

  /** All bytes that ever came. */
  get bytes(): string {
    return this.#bytes;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Resolves when the server has closed the connection. */
  async gone(): Promise<void> {
    while (!this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.socket.destroy();
    await once(this.socket, 'close');
  }
}
