import type { Socket } from 'node:net';
import type { Scheduler } from '../kit/clock.ts';
import { formatEndpoint } from '../kit/address.ts';
import { HsctlError } from '../kit/errors.ts';
import { isBinary } from '../protocol/link/binary.ts';
import { LinkDecoder } from '../protocol/link/decode.ts';
import { encodeMessage } from '../protocol/link/encode.ts';
import type { LinkMessage } from '../protocol/link/messages.ts';
import { sendBinary } from './binary-frames.ts';
import type { LinkConnection } from './link-connection.ts';
import type { SharedReader } from './shared-reader.ts';

/** How long a closed link may take to send what is queued, in milliseconds. */
const LINGER_MS = 1000;
/** Idle time before the kernel probes whether the peer's machine is still there. */
const KEEP_ALIVE_MS = 10_000;
/** A peer that lets this much pile up does not read any more. Senders of log bytes stop long before. */
const QUEUE_LIMIT_BYTES = 8 * 1024 * 1024;

/** A link over a connected socket, plain or TLS. */
export class SocketLink implements LinkConnection {
  readonly peer: string;
  readonly identity: string | null;
  readonly #socket: Socket;
  readonly #scheduler: Scheduler;
  readonly #decoder = new LinkDecoder();
  #listener: ((message: LinkMessage) => void) | null = null;
  #closeListeners: ((reason: string) => void)[] = [];
  #paused = false;
  #delivering = false;
  /** From the first who had one. */
  #reason: string | null = null;
  #closed = false;

  /** `reader`: what the socket was given as its `onread`, if so. */
  constructor(socket: Socket, scheduler: Scheduler, identity: string | null, reader: SharedReader | null = null) {
    const address = formatEndpoint({ host: socket.remoteAddress ?? 'unknown', port: socket.remotePort ?? 0 });
    this.peer = identity === null ? address : `${address} (${identity})`;
    this.identity = identity;
    this.#socket = socket;
    this.#scheduler = scheduler;
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.pause();
    if (reader === null) socket.on('data', (chunk: Buffer) => this.#take(chunk, chunk.length));
    else reader.onBytes((buffer, bytes) => this.#takeShared(buffer, bytes));
    socket.on('end', () => this.#stop('closed by the peer'));
    socket.on('error', (error) => this.#stop(error.message));
    socket.on('close', () => this.#finish());
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Why the link was closed; null while it is open. */
  get closeReason(): string | null {
    return this.#reason;
  }

  send(message: LinkMessage): boolean {
    const socket = this.#socket;
    if (this.#reason !== null) return false;
    if (isBinary(message)) sendBinary(socket, message);
    else this.#sendFrame(message);
    if (socket.writableLength > QUEUE_LIMIT_BYTES)
      this.#abort(`the peer has left ${socket.writableLength} bytes unread`);
    return socket.writableLength < socket.writableHighWaterMark;
  }

  #sendFrame(message: LinkMessage): void {
    const socket = this.#socket;
    const { head, payload } = encodeMessage(message);
    if (payload === null) return void socket.write(head);
    socket.cork();
    socket.write(head);
    socket.write(payload);
    socket.uncork();
  }

  onMessage(listener: (message: LinkMessage) => void): void {
    this.#listener = listener;
    this.#flow();
  }

  /** Keeps further messages until `onMessage` names a new listener. */
  releaseListener(): void {
    this.#listener = null;
  }

  onDrain(listener: () => void): void {
    this.#socket.on('drain', listener);
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#closed) queueMicrotask(() => listener(this.#reason ?? ''));
    else this.#closeListeners.push(listener);
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#flow();
  }

  close(reason: string): void {
    if (this.#reason !== null) return;
    this.#stop(reason);
    // Data that is left unread would turn the end of the connection into a reset, and the peer would not see our last word.
    this.#socket.resume();
    this.#socket.end();
    const timer = this.#scheduler.after(LINGER_MS, () => this.#socket.destroy());
    this.#socket.once('close', () => timer.cancel());
  }

  #stop(reason: string): void {
    this.#reason ??= reason;
  }

  #abort(reason: string): void {
    this.#stop(reason);
    this.#socket.destroy();
  }

  #finish(): void {
    this.#stop('closed');
    this.#closed = true;
    const listeners = this.#closeListeners;
    this.#closeListeners = [];
    for (const listener of listeners) listener(this.#reason ?? '');
  }

  #take(chunk: Uint8Array, bytes: number): void {
    if (this.#reason !== null) return;
    this.#decoder.feed(chunk, bytes);
    this.#flow();
  }

  #takeShared(buffer: Uint8Array, bytes: number): void {
    this.#take(buffer, bytes);
    this.#decoder.keep();
  }

  /** Delivers what has come, as far as it is wanted, then takes more from the socket or not. */
  #flow(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      while (this.#wanted) {
        const message = this.#nextMessage();
        if (message === null) break;
        this.#listener?.(message);
      }
    } finally {
      this.#delivering = false;
    }
    if (this.#reason !== null) return;
    if (this.#wanted) this.#socket.resume();
    else this.#socket.pause();
  }

  get #wanted(): boolean {
    return !this.#paused && this.#listener !== null && this.#reason === null;
  }

  #nextMessage(): LinkMessage | null {
    try {
      return this.#decoder.next();
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      this.close(`not the protocol: ${error.message}`);
      return null;
    }
  }
}
