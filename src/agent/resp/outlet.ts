import type { Socket } from 'node:net';
import type { Output } from './output.ts';

/** Bytes that are given to the socket at a time, so that progress can be seen. */
const PIECE_BYTES = 256 * 1024;

/** Brings replies that may go to the socket, no more than it takes. */
export class Outlet {
  readonly #socket: Socket;
  readonly #output: Output;
  #progress = 0;
  #lastProgress = 0;
  #stuckSeconds = 0;

  constructor(socket: Socket, output: Output) {
    this.#socket = socket;
    this.#output = output;
    socket.on('drain', () => (this.#progress += 1));
  }

  /** Sends what may go, in one write unless it is much. */
  send(): void {
    const output = this.#output;
    const socket = this.#socket;
    while (output.sendable > 0 && !socket.writableNeedDrain) {
      this.#progress += 1;
      socket.write(output.take(PIECE_BYTES));
    }
    // Only a socket that kept nothing back has no more use for the buffer.
    if (socket.writableLength === 0) output.writer.recycle();
  }

  /** To be called every second: for how many seconds the other side has not read what was sent to it. */
  second(): number {
    const stuck = this.#socket.writableLength > 0 && this.#progress === this.#lastProgress;
    this.#lastProgress = this.#progress;
    this.#stuckSeconds = stuck ? this.#stuckSeconds + 1 : 0;
    return this.#stuckSeconds;
  }
}
