import { connect, type Socket } from 'node:net';
import { command } from './app-connection.ts';
import { CONNECTIONS, KEYS, type Load, type Server, VALUE_BYTES } from './load.ts';

const NEWLINE = 10;

/**
 * SETs of random keys, each of which counts once another node holds it: writes per second. `after`: what has to be sent
 * behind each write to know that, `WAIT 1 0` for Redis. Every connection has `pipeline` writes on their way all the time.
 */
export async function confirmedWrites(server: Server, load: Load, after: readonly string[] = []): Promise<number> {
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => opened(server)));
  const writes = Math.ceil(load.writes / CONNECTIONS);
  const beginMs = performance.now();
  await Promise.all(sockets.map((socket) => write(socket, writes, load.pipeline, after)));
  const seconds = (performance.now() - beginMs) / 1000;
  for (const socket of sockets) socket.destroy();
  return (writes * CONNECTIONS) / seconds;
}

function opened(server: Server): Promise<Socket> {
  const socket = typeof server === 'number' ? connect(server, '127.0.0.1') : connect(server);
  socket.setNoDelay(true);
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('connect', () => resolve(socket));
  });
}

/** Keeps `pipeline` writes under way on one connection until `writes` were answered. */
function write(socket: Socket, writes: number, pipeline: number, after: readonly string[]): Promise<void> {
  const request = Buffer.from(
    command(['SET', keyNamed(0), 'x'.repeat(VALUE_BYTES)]) + (after.length === 0 ? '' : command(after)),
  );
  const keyAt = request.indexOf('key:');
  const linesEach = after.length === 0 ? 1 : 2;
  let sent = 0;
  let lines = 0;
  const send = (count: number): void => {
    const requests = Buffer.allocUnsafe(count * request.length);
    for (let index = 0; index < count; index++) {
      request.write(keyNamed(Math.floor(Math.random() * KEYS)), keyAt, 'latin1');
      request.copy(requests, index * request.length);
    }
    sent += count;
    socket.write(requests);
  };
  return new Promise((resolve, reject) => {
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      for (let at = 0; at < chunk.length; at++) if (chunk[at] === NEWLINE) lines += 1;
      if (chunk[0] === 45) return reject(new Error(`the server says ${chunk.toString()}`));
      const answered = Math.floor(lines / linesEach);
      if (answered >= writes) return resolve();
      const more = Math.min(pipeline - (sent - answered), writes - sent);
      if (more > 0) send(more);
    });
    send(Math.min(pipeline, writes));
  });
}

function keyNamed(number: number): string {
  return `key:${String(number).padStart(12, '0')}`;
}
