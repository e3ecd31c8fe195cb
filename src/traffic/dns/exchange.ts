import { connect, type Socket } from 'node:net';
import type { Endpoint } from '../../config/config.ts';
import { formatEndpoint } from '../../kit/address.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';

/** Sends a message to a name server and gives its answer. */
export type Ask = (message: Uint8Array) => Promise<Uint8Array>;

/**
 * Lends a TCP connection to a name server, on which each message has its length before it; so none is too long, lost or
 * doubled. `body` may ask one thing after the other.
 * @throws HsctlError('failed') when the server cannot be reached or hangs up, ('timeout') when all is not done within `timeoutMs`.
 */
export async function withServer<T>(
  server: Endpoint,
  timeoutMs: number,
  scheduler: Scheduler,
  body: (ask: Ask) => Promise<T>,
): Promise<T> {
  const socket = connect({ host: server.host, port: server.port, noDelay: true });
  const answers = new Answers(socket, formatEndpoint(server));
  const limit = scheduler.after(timeoutMs, () => answers.fail('timeout', `gives no answer within ${timeoutMs} ms`));
  try {
    return await body((message) => answers.ask(message));
  } finally {
    limit.cancel();
    socket.destroy();
  }
}

/** Cuts what arrives into messages, for one who waits for one at a time. */
class Answers {
  readonly #socket: Socket;
  readonly #server: string;
  #bytes = Buffer.alloc(0);
  #error: HsctlError | null = null;
  #waiting: PromiseWithResolvers<Uint8Array> | null = null;

  constructor(socket: Socket, server: string) {
    this.#socket = socket;
    this.#server = server;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.fail('failed', `cannot be asked: ${messageOf(error)}`));
    socket.on('close', () => this.fail('failed', 'hangs up'));
  }

  ask(message: Uint8Array): Promise<Uint8Array> {
    if (this.#error !== null) return Promise.reject(this.#error);
    this.#bytes = Buffer.alloc(0);
    this.#waiting = Promise.withResolvers();
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    this.#socket.write(Buffer.concat([length, message]));
    return this.#waiting.promise;
  }

  fail(code: 'failed' | 'timeout', what: string): void {
    this.#error ??= new HsctlError(
      code,
      `the name server ${this.#server} ${what}`,
      'check "server", that the name server runs, and that TCP reaches its port from here',
    );
    this.#waiting?.reject(this.#error);
    this.#waiting = null;
  }

  #read(chunk: Buffer): void {
    // Nothing is due, so nothing is kept.
    if (this.#waiting === null) return;
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    if (this.#bytes.length < 2 || this.#bytes.length < 2 + this.#bytes.readUInt16BE(0)) return;
    const { resolve } = this.#waiting;
    this.#waiting = null;
    resolve(this.#bytes.subarray(2, 2 + this.#bytes.readUInt16BE(0)));
  }
}
