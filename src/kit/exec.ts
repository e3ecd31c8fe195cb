/**
 * Programs outside hsctl. The only file that starts any: argv arrays and no shell, each in a process group of its
 * own, so that whatever a program started ends with it, and nothing that it prints can fill our memory.
 */

import type { ChildProcess } from 'node:child_process';
import type { Readable } from 'node:stream';
import { execa } from 'execa';
import { HsctlError } from './errors.ts';
import { readLines } from './lines.ts';

/** Time between SIGTERM and SIGKILL for a program that has run out of its time. */
const KILL_AFTER_MS = 1000;
/** How long the output of a program that has exited is waited for when something it left behind holds it open. */
const DRAIN_MS = 250;
const DEFAULT_MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
const MAX_STDERR_BYTES = 64 * 1024;
const MAX_SHOWN_CHARACTERS = 400;

/** Programs that run now: the process groups that they lead. */
const running = new Set<number>();
let onProgram: (group: number, runs: boolean) => void = () => undefined;

/** Tells `listener` of the programs that run, and from now on of each start and end. There is one listener at a time. */
export function watchPrograms(listener: (group: number, runs: boolean) => void): void {
  onProgram = listener;
  for (const group of running) listener(group, true);
}

export interface RunOptions {
  /** Time limit in milliseconds: then SIGTERM to the program and all it started, SIGKILL a second later. */
  readonly timeoutMs: number;
  /** Text for its standard input; without it the input is empty. */
  readonly input?: string;
  /** Variables beside (or instead of) our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Calls the program off, as running out of time does. */
  readonly signal?: AbortSignal;
  /** Most bytes of standard output, 4 MiB unless given. */
  readonly maxOutputBytes?: number;
  /** Too much output is cut rather than an error: for hooks, whose output only people read. */
  readonly cutOutput?: boolean;
  /** Which exit codes are no error; only 0 unless given. */
  readonly acceptExit?: (exitCode: number) => boolean;
}

export interface RunResult {
  readonly stdout: string;
  /** The first 64 KiB. */
  readonly stderr: string;
  readonly exitCode: number;
}

/**
 * Runs a program to its end.
 * @throws HsctlError('timeout') when its time ran out; HsctlError('failed') when it cannot be started, was called off,
 * was ended by a signal, printed too much or gave an exit code that is not accepted, with its stderr (else its stdout) in the message.
 */
export async function run(command: readonly string[], options: RunOptions): Promise<RunResult> {
  const [file = '', ...args] = command;
  const program = execa(file, args, {
    ...processOptions(options.env),
    timeout: Math.max(1, Math.ceil(options.timeoutMs)),
    forceKillAfterDelay: KILL_AFTER_MS,
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  });
  noteProgram(program.nodeChildProcess);
  const limit = options.maxOutputBytes ?? DEFAULT_MAX_OUTPUT_BYTES;
  const stdout = collect(program.stdout, limit, () => {
    if (options.cutOutput !== true) program.kill();
  });
  const stderr = collect(program.stderr, MAX_STDERR_BYTES);
  program.nodeChildProcess.once('exit', () => {
    setTimeout(() => [program.stdout, program.stderr].forEach((stream) => stream?.destroy()), DRAIN_MS).unref();
  });

  const result = await program;
  if (result.isTerminated || result.timedOut || result.isCanceled) program.kill('SIGKILL');
  if (result.exitCode !== undefined && !result.timedOut && !result.isCanceled && !stdout.exceeded(options.cutOutput)) {
    const accepted = options.acceptExit?.(result.exitCode) ?? result.exitCode === 0;
    if (accepted) return { stdout: stdout.text(), stderr: stderr.text(), exitCode: result.exitCode };
  }
  // Many programs tell what is wrong on standard output.
  const said = stderr.text().trim() || stdout.text().trim();
  throw runError(command, options, result, stdout.exceeded(options.cutOutput) ? limit : null, said);
}

export interface ProgramExit {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** A program that goes on beside us: the app of a node, or a helper that takes a line at a time. */
export interface RunningProgram {
  readonly pid: number;
  /** Resolves when it has ended, whatever ended it; never rejects. */
  readonly exited: Promise<ProgramExit>;
  /** Writes to its standard input. Text for a program that has ended goes nowhere. */
  write(text: string): void;
  /** Ends its standard input, which tells most helpers to finish. */
  endInput(): void;
  /** Bytes written that it has not read yet, for callers that must not queue without bound. */
  unreadBytes(): number;
  /** Sends a signal to it and all it started. */
  kill(signal: NodeJS.Signals): void;
  /** SIGTERM, then SIGKILL after `graceMs`, to it and all it started; resolves when it has ended. */
  stop(graceMs: number): Promise<ProgramExit>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Each line that it prints, without its end; lines above 8 KiB come in pieces. Without it, output is thrown away. */
  readonly onLine?: (line: string, from: 'stdout' | 'stderr') => void;
}

/**
 * Starts a program that goes on by itself; it is sent SIGTERM when our process exits.
 * @throws HsctlError('failed') when it cannot be started.
 */
export async function startProgram(command: readonly string[], options: StartOptions = {}): Promise<RunningProgram> {
  const [file = '', ...args] = command;
  const { onLine } = options;
  const program = execa(file, args, {
    ...processOptions(options.env),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(onLine === undefined ? { stdout: 'ignore', stderr: 'ignore' } : {}),
    forceKillAfterDelay: false,
  });
  const { pid } = program;
  if (pid === undefined) throw startError(command, (await program).code);
  noteProgram(program.nodeChildProcess);
  if (onLine !== undefined) {
    readLines(program.stdout, (line) => onLine(line, 'stdout'));
    readLines(program.stderr, (line) => onLine(line, 'stderr'));
  }
  program.stdin?.on('error', () => undefined);

  const exited = new Promise<ProgramExit>((resolve) => {
    program.nodeChildProcess.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  return {
    pid,
    exited,
    write: (text) => void (program.stdin?.writable && program.stdin.write(text)),
    endInput: () => void program.stdin?.end(),
    unreadBytes: () => program.stdin?.writableLength ?? 0,
    kill: (signal) => void program.kill(signal),
    async stop(graceMs) {
      program.kill('SIGTERM');
      const timer = setTimeout(() => program.kill('SIGKILL'), graceMs);
      const end = await exited;
      clearTimeout(timer);
      program.kill('SIGKILL');
      return end;
    },
  };
}

function noteProgram(program: ChildProcess): void {
  const { pid } = program;
  if (pid === undefined) return;
  running.add(pid);
  onProgram(pid, true);
  program.once('exit', () => {
    running.delete(pid);
    onProgram(pid, false);
  });
}

/** What every program gets: its own process group, no rejection, no buffering by execa, our environment. */
function processOptions(env: Readonly<Record<string, string>> = {}) {
  const path = `${process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'}:/usr/local/sbin:/usr/sbin:/sbin`;
  // A program that inherited systemd's socket could declare us ready or feed our watchdog.
  const ours = { PATH: path, NOTIFY_SOCKET: undefined, WATCHDOG_USEC: undefined, WATCHDOG_PID: undefined };
  return { killDescendants: true, reject: false, buffer: false, env: { ...ours, ...env } } as const;
}

interface Collected {
  text(): string;
  /** Whether more came than fits; never where cutting is what was asked for. */
  exceeded(cut: boolean | undefined): boolean;
}

function collect(stream: Readable | null, limit: number, onExcess?: () => void): Collected {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let excess = false;
  stream?.on('data', (chunk: Buffer) => {
    if (bytes < limit) chunks.push(chunk.subarray(0, limit - bytes));
    bytes += chunk.length;
    if (bytes > limit && !excess) {
      excess = true;
      onExcess?.();
    }
  });
  return { text: () => Buffer.concat(chunks).toString(), exceeded: (cut) => excess && cut !== true };
}

interface Outcome {
  readonly code?: string | undefined;
  readonly timedOut: boolean;
  readonly isCanceled: boolean;
  readonly signal?: string | undefined;
  readonly exitCode?: number | undefined;
}

function runError(
  command: readonly string[],
  options: RunOptions,
  result: Outcome,
  exceededBytes: number | null,
  output: string,
): HsctlError {
  const shown = shorten(command.join(' '));
  const said = output === '' ? '' : `: ${shorten(output)}`;
  if (result.timedOut) return new HsctlError('timeout', `${shown}: not done within ${options.timeoutMs} ms${said}`);
  if (result.isCanceled) return new HsctlError('failed', `${shown}: called off${said}`);
  if (exceededBytes !== null) return new HsctlError('failed', `${shown}: printed more than ${exceededBytes} bytes`);
  if (result.exitCode !== undefined) return new HsctlError('failed', `${shown}: exit code ${result.exitCode}${said}`);
  if (result.signal !== undefined) return new HsctlError('failed', `${shown}: ended by ${result.signal}${said}`);
  return startError(command, result.code);
}

function startError(command: readonly string[], code: string | undefined): HsctlError {
  const [file = ''] = command;
  switch (code) {
    case 'ENOENT':
      return new HsctlError('failed', `${file}: no such program`, 'install it, or give its full path');
    case 'EACCES':
      return new HsctlError('failed', `${file}: may not be executed`, 'check its file mode (chmod +x) and its owner');
    default:
      return new HsctlError('failed', `${file}: cannot be started (${code ?? 'no reason given'})`);
  }
}

function shorten(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}...` : text;
}
