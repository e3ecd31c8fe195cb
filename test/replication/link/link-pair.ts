import type { Scheduler } from '../../../src/kit/clock.ts';
import type { Random } from '../../../src/kit/random.ts';
import { LinkDecoder } from '../../../src/protocol/link/decode.ts';
import { encodeMessage } from '../../../src/protocol/link/encode.ts';
import type { LinkMessage } from '../../../src/protocol/link/messages.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';

const HIGH_WATER_BYTES = 64 * 1024;

/** What the wire between two ends does to bytes. */
export interface Wire {
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Longest delay of a chunk, in milliseconds. */
  readonly delayMs: number;
  /** Largest chunk. */
  readonly chunkBytes: number;
}

/** Two ends of a link in memory: real frames, cut into random chunks with random delays. Either end may be closed; `cut` takes the wire away. */
export class LinkPair {
  readonly dialler: LinkEnd;
  readonly acceptor: LinkEnd;

  constructor(wire: Wire) {
    this.dialler = new LinkEnd(wire, 'dialler');
    this.acceptor = new LinkEnd(wire, 'acceptor');
    this.dialler.other = this.acceptor;
    this.acceptor.other = this.dialler;
  }

  /** Both ends are closed at once; what is under way is lost. */
  cut(): void {
    this.dialler.lose('the link was cut');
    this.acceptor.lose('the link was cut');
  }
}

export class LinkEnd implements LinkConnection {
  readonly peer: string;
  readonly identity = null;
  other: LinkEnd | null = null;
  /** All that was said here, in order. */
  readonly sent: LinkMessage[] = [];
  readonly received: LinkMessage[] = [];
  /** Nothing leaves this end while it is set. */
  blocked = false;
  mostQueuedBytes = 0;
  queuedBytes = 0;
  closeReason: string | null = null;
  readonly #wire: Wire;
  readonly #decoder = new LinkDecoder();
  #queue: Uint8Array[] = [];
  #carrying = false;
  #needsDrain = false;
  #waiting: LinkMessage[] = [];
  #listener: ((message: LinkMessage) => void) | null = null;
  #paused = false;
  #drainListeners: (() => void)[] = [];
  #closeListeners: ((reason: string) => void)[] = [];
  #told = false;

  constructor(wire: Wire, peer: string) {
    this.#wire = wire;
    this.peer = peer;
  }

  send(message: LinkMessage): boolean {
    if (this.closeReason !== null) return false;
    this.sent.push(message);
    const { head, payload } = encodeMessage(message);
    this.#queue.push(head);
    if (payload !== null) this.#queue.push(payload);
    this.queuedBytes += head.length + (payload?.length ?? 0);
    this.mostQueuedBytes = Math.max(this.mostQueuedBytes, this.queuedBytes);
    this.#carry();
    if (this.queuedBytes >= HIGH_WATER_BYTES) this.#needsDrain = true;
    return !this.#needsDrain;
  }

  onMessage(listener: (message: LinkMessage) => void): void {
    this.#listener = listener;
    this.#deliver();
  }

  onDrain(listener: () => void): void {
    this.#drainListeners.push(listener);
  }

  onClose(listener: (reason: string) => void): void {
    if (this.#told) queueMicrotask(() => listener(this.closeReason ?? ''));
    else this.#closeListeners.push(listener);
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  /** Lets go what was held back. */
  unblock(): void {
    this.blocked = false;
    this.#carry();
  }

  close(reason: string): void {
    if (this.closeReason !== null) return;
    this.closeReason = reason;
    this.#carry();
    if (this.queuedBytes === 0) this.#finish();
  }

  /** Closed from outside: nothing is sent any more. */
  lose(reason: string): void {
    this.closeReason ??= reason;
    this.#queue = [];
    this.queuedBytes = 0;
    this.#tell();
  }

  #finish(): void {
    this.#tell();
    const { other } = this;
    this.#wire.scheduler.after(this.#wire.delayMs, () => other?.lose('closed by the peer'));
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    this.#wire.scheduler.after(0, () =>
      this.#closeListeners.splice(0).forEach((listener) => listener(this.closeReason ?? '')),
    );
  }

  /** One chunk is on the wire at a time. */
  #carry(): void {
    if (this.#carrying || this.blocked || this.#queue.length === 0) return;
    this.#carrying = true;
    const { scheduler, random, delayMs, chunkBytes } = this.#wire;
    const size = 1 + Math.floor(random() * chunkBytes);
    scheduler.after(random() * delayMs, () => {
      this.#carrying = false;
      if (this.blocked) return;
      const chunk = this.#takeChunk(size);
      if (chunk.length > 0) this.other?.arrive(chunk);
      if (this.queuedBytes === 0 && this.#needsDrain && this.closeReason === null) {
        this.#needsDrain = false;
        for (const listener of this.#drainListeners) listener();
      }
      if (this.queuedBytes === 0 && this.closeReason !== null) this.#finish();
      this.#carry();
    });
  }

  #takeChunk(size: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let wanted = size;
    while (wanted > 0 && this.#queue.length > 0) {
      const first = this.#queue[0]!;
      parts.push(first.subarray(0, wanted));
      if (first.length > wanted) this.#queue[0] = first.subarray(wanted);
      else this.#queue.shift();
      wanted -= Math.min(first.length, wanted);
    }
    const chunk = Buffer.concat(parts);
    this.queuedBytes -= chunk.length;
    return chunk;
  }

  arrive(chunk: Uint8Array): void {
    if (this.closeReason !== null) return;
    this.#decoder.feed(chunk);
    for (let message = this.#decoder.next(); message !== null; message = this.#decoder.next()) {
      this.received.push(message);
      this.#waiting.push(message);
    }
    this.#deliver();
  }

  #deliver(): void {
    while (!this.#paused && this.#listener !== null && this.closeReason === null) {
      const message = this.#waiting.shift();
      if (message === undefined) return;
      this.#listener(message);
    }
  }
}
