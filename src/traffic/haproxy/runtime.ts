import { connect } from 'node:net';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';

/** HAProxy answers at once; whatever takes longer is stuck. */
const TIMEOUT_MS = 2000;
/** Of an answer; a backend of two servers takes a few hundred. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

const PLACE_HINT =
  'haproxy.cfg needs, in its global section, "stats socket PATH mode 660 group hsctl level admin", and haproxy has to run';

/** The runtime API of HAProxy on its unix socket: a connection for each command, as others do it. */
export class HaproxyRuntime {
  readonly #socket: string;
  readonly #scheduler: Scheduler;

  constructor(socket: string, scheduler: Scheduler) {
    this.#socket = socket;
    this.#scheduler = scheduler;
  }

  /**
   * What HAProxy answers to a question.
   * @throws HsctlError('failed') when it cannot be asked, ('timeout') when it does not answer in time.
   */
  ask(command: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (code: 'failed' | 'timeout', what: string, cause?: unknown): void =>
      reject(new HsctlError(code, `haproxy at ${this.#socket}: ${what}`, PLACE_HINT, { cause }));
    const socket = connect(this.#socket);
    const limit = this.#scheduler.after(TIMEOUT_MS, () => fail('timeout', `no answer within ${TIMEOUT_MS} ms`));
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (part: string) => {
      text += part;
      if (text.length > MAX_ANSWER_BYTES) fail('failed', `answers more than ${MAX_ANSWER_BYTES} bytes`);
    });
    socket.on('error', (error) => fail('failed', messageOf(error), error));
    socket.on('close', () => resolve(text));
    // The end of our input would make some versions hang up before they have answered.
    socket.write(`${command}\n`);
    return promise.finally(() => {
      limit.cancel();
      socket.destroy();
    });
  }

  /** Gives an order, to which HAProxy answers nothing unless it cannot be done. @throws as `ask` */
  async tell(command: string): Promise<void> {
    const complaint = (await this.ask(command)).trim();
    if (complaint === '') return;
    const hint = /denied/i.test(complaint)
      ? 'the "stats socket" needs "level admin"'
      : 'see the names in haproxy.cfg: "backend", "servers" and "frontend" have to be as they stand there';
    throw new HsctlError('failed', `haproxy refuses \`${command}\`: ${complaint.split('\n')[0]}`, hint);
  }
}
