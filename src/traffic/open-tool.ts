/**
 * A program kept open that takes a line at a time, so that what it does is done within a millisecond: starting one
 * takes many. Such programs answer a line only if they have something to print, so each request ends with a query
 * that always prints the same line; what came before that line is the request's answer.
 */

import { HsctlError, messageOf } from '../kit/errors.ts';
import type { RunningProgram } from '../kit/exec.ts';
import type { NodeTrafficDeps } from './deps.ts';

/** Unanswered requests; more mean that the program is stuck. */
const MAX_PENDING = 16;
/** A program that ended is started again after this; one that never answers after twice as long each time. */
const RESTART_MS = 100;
const MAX_RESTART_MS = 10_000;
const ANSWER_MS = 400;
/** It may be this process that stood still: the answer gets a little longer, then the program is replaced. */
const SECOND_LOOK_MS = 100;

export interface ToolKind {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Line that has no effect and prints `endLine`. */
  readonly endQuery: string;
  readonly endLine: RegExp;
  /** A program that has not answered within this is stuck; 400 ms unless given. */
  readonly answerMs?: number;
}

export interface ToolAnswer {
  readonly stdout: readonly string[];
  /** Lines that the program complained with, for people. */
  readonly complaints: readonly string[];
}

interface Request {
  readonly stdout: string[];
  readonly stderr: string[];
  /** All of its standard output is here. */
  complete: boolean;
  readonly answer: PromiseWithResolvers<ToolAnswer>;
}

export class OpenTool {
  readonly #kind: ToolKind;
  readonly #deps: NodeTrafficDeps;
  #program: RunningProgram | null = null;
  #requests: Request[] = [];
  #restartMs = RESTART_MS;
  #starting = false;
  #closed = false;

  constructor(kind: ToolKind, deps: NodeTrafficDeps) {
    this.#kind = kind;
    this.#deps = deps;
  }

  /** Starts the program, and again whenever it ends. @throws HsctlError('failed') when it cannot be started. */
  async start(): Promise<void> {
    const requests: Request[] = [];
    const { command, env = {} } = this.#kind;
    const program = await this.#deps.startProgram(command, {
      env,
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
   * Writes the lines before this call returns and resolves with what they printed. A program that does not answer in
   * time is replaced by a new one.
   * @throws HsctlError('failed') when the program is not there, is stuck, or ends before it answered.
   */
  async submit(lines: readonly string[]): Promise<ToolAnswer> {
    if (this.#program === null || !this.ready)
      throw new HsctlError('failed', `${this.#name} takes no lines at present`);
    const program = this.#program;
    const request: Request = { stdout: [], stderr: [], complete: false, answer: Promise.withResolvers() };
    this.#requests.push(request);
    program.write(`${[...lines, this.#kind.endQuery].join('\n')}\n`);
    const { scheduler } = this.#deps;
    let late = scheduler.after(this.#kind.answerMs ?? ANSWER_MS, () => {
      late = scheduler.after(SECOND_LOOK_MS, () => this.#replace(program));
    });
    try {
      return await request.answer.promise;
    } finally {
      late.cancel();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const program = this.#program;
    this.#program = null;
    await program?.stop(0);
  }

  get #name(): string {
    return this.#kind.command.slice(0, 2).join(' ');
  }

  /** Ends a stuck program; its unanswered requests are rejected. */
  #replace(program: RunningProgram): void {
    if (this.#program !== program) return;
    this.#program = null;
    program.kill('SIGKILL');
    this.#startAgain();
  }

  #heard(requests: Request[], line: string, from: 'stdout' | 'stderr'): void {
    if (from === 'stderr') {
      requests[0]?.stderr.push(line);
      return;
    }
    const request = requests.find(({ complete }) => !complete);
    if (request === undefined) return;
    if (!this.#kind.endLine.test(line)) {
      request.stdout.push(line);
      return;
    }
    request.complete = true;
    this.#restartMs = RESTART_MS;
    // Its complaints are in the other pipe already, which is read before the next turn.
    setImmediate(() => {
      if (requests[0] === request) requests.shift();
      request.answer.resolve({ stdout: request.stdout, complaints: request.stderr });
    });
  }

  #ended(program: RunningProgram, requests: Request[]): void {
    if (this.#program === program) this.#program = null;
    for (const request of requests.splice(0)) {
      request.answer.reject(new HsctlError('failed', `${this.#name} ended: ${request.stderr.join('; ')}`));
    }
    this.#startLater();
  }

  #startLater(): void {
    if (this.#closed) return;
    this.#deps.scheduler.after(this.#restartMs, () => this.#startAgain());
    this.#restartMs = Math.min(MAX_RESTART_MS, 2 * this.#restartMs);
  }

  #startAgain(): void {
    if (this.#closed || this.#starting || this.#program !== null) return;
    this.#starting = true;
    this.start()
      .catch((error: unknown) => {
        this.#deps.logger.error(`cannot keep ${this.#name} running`, { error: messageOf(error) });
        this.#startLater();
      })
      .finally(() => {
        this.#starting = false;
      });
  }
}
