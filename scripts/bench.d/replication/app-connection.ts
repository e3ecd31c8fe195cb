import { connect, type Socket } from 'node:net';
import { RespDecoder, type Reply, ReplyError } from '../../../src/protocol/resp/resp-decoder.ts';

/** A client that waits for each answer: for orders and questions beside the load. */
export class AppConnection {
  readonly #socket: Socket;
  readonly #decoder = new RespDecoder();
  #answer: ((reply: Reply) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#decoder.push(chunk);
      const reply = this.#decoder.next();
      if (reply !== undefined) this.#answer?.(reply);
    });
  }

  /** Rejects if nobody listens there. */
  static open(path: string): Promise<AppConnection> {
    const socket = connect(path);
    return new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        socket.on('error', () => undefined);
        resolve(new AppConnection(socket));
      });
    });
  }

  /** Sends one command; rejects with the text of an error, or if the connection ends before the answer. */
  ask(...words: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const gone = (): void => reject(new Error(`${words.join(' ')}: the connection was closed`));
      this.#socket.once('close', gone);
      this.#answer = (reply) => {
        this.#socket.off('close', gone);
        if (reply instanceof ReplyError) reject(new Error(`${words.join(' ')}: ${reply.text}`));
        else resolve(reply);
      };
      this.#socket.write(command(words));
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** A command as it is sent. */
export function command(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}
