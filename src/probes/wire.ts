import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import type { ProbeResult, ProbeTarget } from './probe.ts';
import { ProbeFailure, failed, shown } from './reason.ts';

/** Most that a server may send in one look. */
const LIMIT_BYTES = 64 * 1024;
const NOTHING = Buffer.alloc(0);

/** A connection for one look: what comes is read piece by piece, never more than is asked for and never without bound. */
export class Wire {
  readonly #socket: Socket;
  #chunks: NodeJS.AsyncIterator<Buffer> | null = null;
  #held: Buffer = NOTHING;
  #heard = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  write(bytes: Buffer | string): void {
    this.#socket.write(bytes);
  }

  /** The next `count` bytes of what is called `what`. @throws ProbeFailure when the server closes before */
  async bytes(count: number, what: string): Promise<Buffer> {
    while (this.#held.length < count) await this.#more(what);
    const found = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return found;
  }

  /**
   * The next line, without its end; what a server sends before it closes counts as one.
   * @throws ProbeFailure when the server closes without a byte, or the line is longer than `limit` bytes
   */
  async line(what: string, limit = 1024): Promise<string> {
    let end = this.#held.indexOf(10);
    while (end < 0 && this.#held.length <= limit) {
      const more = await this.#more(what, this.#held.length > 0);
      if (!more) break;
      end = this.#held.indexOf(10);
    }
    const line = this.#held.subarray(0, end < 0 ? undefined : end);
    if (line.length > limit) throw new ProbeFailure(`sent a line of more than ${limit} bytes: ${shown(line)}`);
    this.#held = this.#held.subarray(line.length + 1);
    return line.toString('latin1').replace(/\r$/, '');
  }

  /** Reads until `wanted` was heard. @throws ProbeFailure when the limit or the end comes first */
  async until(wanted: Buffer): Promise<void> {
    while (!this.#held.includes(wanted)) {
      if (this.#heard >= LIMIT_BYTES) throw new ProbeFailure(`${shown(wanted)} is not within the first 64 KiB`);
      if (!(await this.#more('answer', true))) {
        throw new ProbeFailure(`closed the connection without ${shown(wanted)}, after ${shown(this.#held)}`);
      }
    }
  }

  /** Waits for more. False at the end, if that `mayEnd`. */
  async #more(what: string, mayEnd = false): Promise<boolean> {
    if (this.#heard >= LIMIT_BYTES) throw new ProbeFailure(`sent more than 64 KiB, but no end of its ${what}`);
    this.#chunks ??= this.#socket[Symbol.asyncIterator]() as NodeJS.AsyncIterator<Buffer>;
    const next = await this.#chunks.next();
    if (next.done === true) {
      if (mayEnd) return false;
      throw new ProbeFailure(`closed the connection ${this.#held.length === 0 ? 'before' : 'within'} its ${what}`);
    }
    this.#heard += next.value.length;
    this.#held = this.#held.length === 0 ? next.value : Buffer.concat([this.#held, next.value]);
    return true;
  }
}

/** Where a probe connects to, and from where. */
export interface WireOptions {
  /** null: the target's. */
  readonly port: number | null;
  /** null: the system's choice. */
  readonly source: string | null;
}

/** Connects, talks, and closes the connection whatever came of it. */
export function overTcp(
  { port, source }: WireOptions,
  target: ProbeTarget,
  signal: AbortSignal,
  talk: (wire: Wire) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const at = { host: target.host, port: port ?? target.port ?? 0 };
  const open = (): Socket => connectTcp(source === null ? at : { ...at, ...from(source) });
  return overSocket(open, 'connect', at, signal, (socket) => talk(new Wire(socket)));
}

/** The same over TLS, without any judgement of the certificate. */
export function overTls(
  { port, source }: WireOptions,
  options: ConnectionOptions,
  target: ProbeTarget,
  signal: AbortSignal,
  talk: (socket: TLSSocket) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const at = { host: target.host, port: port ?? target.port ?? 0 };
  const open = (): TLSSocket => connectTls({ ...options, ...at, ...from(source), rejectUnauthorized: false });
  return overSocket(open, 'secureConnect', at, signal, talk);
}

/** The option of a socket for its source address. */
export function from(source: string | null): { localAddress?: string } {
  return source === null ? {} : { localAddress: source };
}

async function overSocket<Connection extends Socket>(
  open: () => Connection,
  ready: 'connect' | 'secureConnect',
  at: { readonly host: string; readonly port: number },
  signal: AbortSignal,
  talk: (socket: Connection) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  if (signal.aborted) return failed(null, signal, at);
  let socket: Connection | null = null;
  const onAbort = (): void => void socket?.destroy(new Error('called off'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const opened = open();
    socket = opened;
    await new Promise<void>((resolve, reject) => {
      let isReady = false;
      opened.on(ready, () => {
        isReady = true;
        resolve();
      });
      // Every look ends with a close: none makes an error, with its stack, that nobody waits for.
      opened.on('close', () => {
        if (!isReady) reject(new ProbeFailure('closed the connection within the handshake'));
      });
      // Stays in place after the end: a destroyed socket may still report what befell it.
      opened.on('error', reject);
    });
    const result = await talk(opened);
    // What was said last, and the end of TLS, go out: servers log sessions that break off.
    if (ready === 'secureConnect' || opened.bytesWritten > 0)
      await new Promise<void>((resolve) => (opened as Socket).end(() => resolve()));
    return result;
  } catch (thrown) {
    return failed(thrown, signal, at);
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket?.destroy();
  }
}
