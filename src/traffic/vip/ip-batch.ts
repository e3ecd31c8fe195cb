/**
 * `ip -batch -` kept open, so that an address is taken or dropped within a millisecond, without starting a program.
 * `ip` answers a line only if it prints something or fails, so each request ends with a query that always prints the
 * same line; what came before that line is the request's answer.
 */

import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { RunningProgram } from '../../kit/exec.ts';
import type { NodeTrafficDeps } from '../deps.ts';

/** `link show` would do too, but changes what later `addr show` lines of the same run print. */
const END_QUERY = 'netconf show dev lo';
const END_LINE = /^inet lo /;
/** Unanswered requests; more mean that the program is stuck. */
const MAX_PENDING = 16;
const RESTART_AFTER_MS = 100;

export interface BatchAnswer {
  readonly stdout: readonly string[];
  /** What the program complained about, as one line; for people only. */
  readonly complaint: string;
}

interface Request {
  readonly stdout: string[];
  readonly stderr: string[];
  /** All of its standard output is here. */
  complete: boolean;
  readonly answer: PromiseWithResolvers<BatchAnswer>;
}

export class IpBatch {
  readonly #deps: NodeTrafficDeps;
  #program: RunningProgram | null = null;
  #requests: Request[] = [];
  #starting = false;
  #closed = false;

  constructor(deps: NodeTrafficDeps) {
    this.#deps = deps;
  }

  /** Starts the program, and again whenever it ends. @throws HsctlError('failed') when it cannot be started. */
  async start(): Promise<void> {
    const requests: Request[] = [];
    const program = await this.#deps.startProgram(['ip', '-force', '-batch', '-'], {
      onLine: (line, from) => this.#heard(requests, line, from),
    });
    void program.exited.then(() => this.#ended(program, requests));
    if (this.#closed) {
      program.kill('SIGKILL');
      return;
    }
    this.#program = program;
    this.#requests = requests;
  }

  /** Whether lines can be written now. */
  get ready(): boolean {
    return this.#program !== null && this.#requests.length < MAX_PENDING;
  }

  /**
   * Writes the lines before this call returns and resolves with what they printed.
   * @throws HsctlError('failed') when the program is not there, is stuck, or ends before it answered.
   */
  submit(lines: readonly string[]): Promise<BatchAnswer> {
    if (this.#program === null || !this.ready) {
      return Promise.reject(new HsctlError('failed', 'ip -batch takes no lines at present'));
    }
    const request: Request = { stdout: [], stderr: [], complete: false, answer: Promise.withResolvers() };
    this.#requests.push(request);
    this.#program.write(`${[...lines, END_QUERY].join('\n')}\n`);
    return request.answer.promise;
  }

  /** Ends a program that does not answer; a new one takes its place. Its unanswered requests are rejected. */
  restart(): void {
    const program = this.#program;
    if (program === null) return;
    this.#program = null;
    program.kill('SIGKILL');
    this.#startAgain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    const program = this.#program;
    this.#program = null;
    await program?.stop(0);
  }

  #heard(requests: Request[], line: string, from: 'stdout' | 'stderr'): void {
    if (from === 'stderr') {
      requests[0]?.stderr.push(line);
      return;
    }
    const request = requests.find(({ complete }) => !complete);
    if (request === undefined) return;
    if (!END_LINE.test(line)) {
      request.stdout.push(line);
      return;
    }
    request.complete = true;
    // Its complaints are in the other pipe already, which is read before the next turn.
    setImmediate(() => {
      if (requests[0] === request) requests.shift();
      request.answer.resolve({ stdout: request.stdout, complaint: request.stderr.join('; ') });
    });
  }

  #ended(program: RunningProgram, requests: Request[]): void {
    if (this.#program === program) this.#program = null;
    for (const request of requests.splice(0)) {
      request.answer.reject(new HsctlError('failed', `ip -batch ended: ${request.stderr.join('; ')}`));
    }
    if (!this.#closed) this.#deps.scheduler.after(RESTART_AFTER_MS, () => this.#startAgain());
  }

  #startAgain(): void {
    if (this.#closed || this.#starting || this.#program !== null) return;
    this.#starting = true;
    this.start()
      .catch((error: unknown) => {
        this.#deps.logger.error('cannot keep `ip -batch` running', { error: messageOf(error) });
        this.#deps.scheduler.after(RESTART_AFTER_MS, () => this.#startAgain());
      })
      .finally(() => {
        this.#starting = false;
      });
  }
}
