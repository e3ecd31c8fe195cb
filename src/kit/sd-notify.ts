/**
 * What a daemon tells systemd about itself (sd_notify): that it is ready, that it lives, what it is doing.
 *
 * The protocol is a datagram to the unix socket in NOTIFY_SOCKET. Node has no unix datagram sockets, and every way to
 * get one brings a compiled add-on. Starting `systemd-notify` for each message would fork this process, whose memory
 * may be large, while it holds leases. So one small shell is started at the beginning, and it starts `systemd-notify`
 * for each line that we write to it: a write to a pipe for us, 3 ms of processor time a message elsewhere.
 * It ends with us, however we end, because its input ends.
 *
 * The unit needs `NotifyAccess=all`, since the messages do not come from the main process, and `KillMode=mixed`, so
 * that the shell still lives when we say that we are stopping.
 */

import { messageOf } from './errors.ts';
import { type RunningProgram, startProgram } from './exec.ts';
import type { Logger } from './logger.ts';

const HELPER = ['sh', '-c', 'while IFS= read -r line; do systemd-notify -- "$line"; done'];
/** What the shell may leave unread before further messages are dropped: systemd itself has stopped listening then. */
const MAX_UNREAD_BYTES = 8192;
const MAX_STATUS_CHARACTERS = 400;
const CLOSE_LIMIT_MS = 1000;

export class SdNotify {
  /** Within which time systemd wants a sign of life, again and again, in milliseconds; null if it does not. */
  readonly watchdogMs: number | null;
  readonly #socket: string | null;
  readonly #logger: Logger;
  #helper: Promise<RunningProgram | null> | null = null;
  #closed = false;
  #status = '';
  #warned = false;

  /**
   * Starts nothing where systemd did not start this process: then all messages go nowhere.
   * @param env the process' environment, of which NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID are read
   */
  constructor(env: Readonly<Record<string, string | undefined>>, logger: Logger) {
    this.#socket = env['NOTIFY_SOCKET'] || null;
    this.#logger = logger;
    const forUs = env['WATCHDOG_PID'] === undefined || Number(env['WATCHDOG_PID']) === process.pid;
    const limitMs = Number(env['WATCHDOG_USEC']) / 1000;
    this.watchdogMs = this.#socket !== null && forUs && limitMs > 0 ? limitMs : null;
    if (this.#socket !== null) this.#helper = this.#start(this.#socket);
  }

  /** Whether systemd started this process, and hears what is said. */
  get isHeard(): boolean {
    return this.#socket !== null;
  }

  /** The daemon does its work from now on. */
  ready(): void {
    this.#send('READY=1');
  }

  /** A sign of life; to be given at least twice in each `watchdogMs`. */
  watchdog(): void {
    this.#send('WATCHDOG=1');
  }

  /** One line for `systemctl status`; said again only when it is another. */
  status(text: string): void {
    const line = `STATUS=${text.replaceAll(/\s+/g, ' ').slice(0, MAX_STATUS_CHARACTERS)}`;
    if (line !== this.#status) this.#send(line);
    this.#status = line;
  }

  /** The daemon was told to stop and does so. */
  stopping(): void {
    this.#send('STOPPING=1');
  }

  /** Resolves when systemd has what was said, or after a second. */
  async close(): Promise<void> {
    this.#closed = true;
    const helper = await this.#helper;
    if (!helper) return;
    helper.endInput();
    const timer = setTimeout(() => helper.kill('SIGKILL'), CLOSE_LIMIT_MS);
    await helper.exited;
    clearTimeout(timer);
  }

  #send(line: string): void {
    if (this.#closed || this.#socket === null) return;
    // Without a helper the watchdog would have us killed: one that was lost is replaced at the next message.
    this.#helper ??= this.#start(this.#socket);
    void this.#write(this.#helper, line);
  }

  async #write(helper: Promise<RunningProgram | null>, line: string): Promise<void> {
    const program = await helper;
    if (program !== null && program.unreadBytes() < MAX_UNREAD_BYTES) program.write(`${line}\n`);
  }

  async #start(socket: string): Promise<RunningProgram | null> {
    try {
      const onLine = (line: string): void => this.#warn(line);
      const program = await startProgram(HELPER, { env: { NOTIFY_SOCKET: socket }, onLine });
      void this.#forgetAfter(program.exited);
      return program;
    } catch (error) {
      this.#warn(messageOf(error));
      this.#helper = null;
      return null;
    }
  }

  async #forgetAfter(exited: Promise<unknown>): Promise<void> {
    await exited;
    this.#helper = null;
  }

  #warn(error: string): void {
    if (!this.#warned) this.#logger.warn('cannot notify systemd', { error });
    this.#warned = true;
  }
}
