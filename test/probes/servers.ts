import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { TestContext } from 'node:test';
import type { ProbeResult, ProbeTarget } from '../../src/probes/probe.ts';

/** A server on loopback for one test: each connection goes to `serve`; all end with `close`. */
export class TestServer {
  readonly target: ProbeTarget;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.target = { host: '127.0.0.1', port };
  }

  static async listen(serve: (socket: Socket) => void): Promise<TestServer> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
      serve(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return new TestServer(server, sockets, address.port);
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** A target on which nothing listens any more. */
export async function deadTarget(): Promise<ProbeTarget> {
  const server = await TestServer.listen(() => undefined);
  await server.close();
  return server.target;
}

/** A bad result. */
export const bad = (detail: string): ProbeResult => ({ good: false, detail });

/** A server for one test. */
export async function serving(t: TestContext, serve: (socket: Socket) => void): Promise<ProbeTarget> {
  const server = await TestServer.listen((socket) => serve(socket.resume()));
  t.after(() => server.close());
  return server.target;
}

/** A server for one test: says the first text at once and each further one at what the client sends next. */
export function saying(t: TestContext, ...texts: readonly (string | Buffer)[]): Promise<ProbeTarget> {
  return serving(t, (socket) => {
    const rest = [...texts];
    const next = (): void => void socket.write(rest.shift() ?? '');
    socket.on('data', next);
    next();
  });
}
