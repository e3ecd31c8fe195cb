import { connect, type Socket } from 'node:net';

/** Longest answer that is taken; more means that the other end is not what it should be. */
const ANSWER_LIMIT = 16 << 20;

/** One connection of the friend-list protocol: a line out, a line back, one request at a time. */
export class LineSocket {
  readonly #socket: Socket;
  #answer = '';
  #settle: ((error: Error | null) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error) => this.#end(error));
    socket.on('close', () => this.#end(new Error('connection closed')));
  }

  /** Rejects if there is no connection within `timeoutMs`; then nothing was sent. */
  static connect(to: { host: string; port: number }, timeoutMs: number): Promise<LineSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect(to);
      const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), timeoutMs);
      socket.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        resolve(new LineSocket(socket));
      });
    });
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.readable;
  }

  /** Sends a line, resolves to the answer's line. Rejects if none came within `timeoutMs`: whether it was done is unknown. */
  request(line: string, timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#end(new Error(`no answer in time to ${line}`)), timeoutMs);
      this.#answer = '';
      this.#settle = (error) => {
        clearTimeout(timer);
        this.#settle = null;
        if (error) reject(error);
        else resolve(this.#answer.trimEnd());
      };
      if (this.open) this.#socket.write(`${line}\n`);
      else this.#end(new Error('connection closed'));
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#answer += text;
    if (text.endsWith('\n')) this.#settle?.(null);
    else if (this.#answer.length > ANSWER_LIMIT) this.#end(new Error('answer too long'));
  }

  #end(error: Error): void {
    this.#socket.destroy();
    this.#settle?.(error);
  }
}
