import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A server on loopback that says its name to whoever connects, and then sends back what it gets. */
export class EchoServer {
  readonly name: string;
  readonly sockets = new Set<Socket>();
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => {
    this.sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.sockets.delete(socket));
    socket.write(`${this.name}\n`);
    socket.pipe(socket);
  });

  constructor(name: string) {
    this.name = name;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(port = 0, host = '127.0.0.1'): Promise<this> {
    this.#server.listen(port, host);
    await once(this.#server, 'listening');
    return this;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** One client's connection. */
export class Client {
  readonly socket: Socket;
  /** Resolves to `closed` or the error's code when the connection is over. */
  readonly over: Promise<string>;
  #text = '';
  #listener: () => void = () => undefined;

  constructor(port: number, host = '127.0.0.1') {
    let code = 'closed';
    this.socket = connect({ port, host, allowHalfOpen: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => {
      this.#text += text;
      this.#listener();
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    this.over = new Promise((resolve) => {
      this.socket.on('close', () => {
        resolve(code);
        this.#listener();
      });
    });
  }

  /** The next line, or null when the connection is over before one came. */
  line(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#listener = () => {
        const end = this.#text.indexOf('\n');
        if (end === -1 && !this.socket.closed) return;
        const line = end === -1 ? null : this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 1);
        this.#listener = () => undefined;
        resolve(line);
      };
      this.#listener();
    });
  }
}
