import { connect, type Socket } from 'node:net';
import { command } from '../replication/app-connection.ts';
import type { Server } from '../replication/load.ts';
import { keyOf } from './fill.ts';

const NEWLINE = 10;

/** Writes at a steady rate, whatever the answers do, and keeps how long each took. */
export class Foreground {
  readonly #socket: Socket;
  readonly #records: number;
  readonly #value: string;
  readonly #rate: number;
  readonly #sentMs: number[] = [];
  readonly #tookMs: number[] = [];
  readonly #timer: NodeJS.Timeout;
  readonly #beganMs = performance.now();
  #sent = 0;

  /** Starts to write values of `valueBytes` to random ones of `records` keys, `rate` a second. */
  constructor(server: Server, records: number, valueBytes: number, rate: number) {
    this.#socket = typeof server === 'number' ? connect(server, '127.0.0.1') : connect(server);
    this.#socket.setNoDelay(true);
    this.#records = records;
    this.#value = 'x'.repeat(valueBytes);
    this.#rate = rate;
    this.#socket.on('data', (bytes: Buffer) => {
      const nowMs = performance.now();
      for (const byte of bytes) if (byte === NEWLINE) this.#tookMs.push(nowMs - (this.#sentMs.shift() ?? nowMs));
    });
    this.#timer = setInterval(() => this.#send(), 1);
  }

  /** Ends it, once all was answered: the time in milliseconds that 99 of 100 writes did not exceed. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    while (this.#sentMs.length > 0) await new Promise((resolve) => this.#socket.once('data', resolve));
    this.#socket.destroy();
    const sorted = this.#tookMs.toSorted((one, other) => one - other);
    return sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
  }

  #send(): void {
    const nowMs = performance.now();
    const due = Math.floor(((nowMs - this.#beganMs) * this.#rate) / 1000);
    for (; this.#sent < due; this.#sent++) {
      this.#sentMs.push(nowMs);
      this.#socket.write(command(['SET', keyOf(Math.floor(Math.random() * this.#records)), this.#value]));
    }
  }
}
