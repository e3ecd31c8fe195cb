import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, type WriteStream } from 'node:fs';
import { PATIENCE } from './patience.ts';

export interface SpawnOptions {
  /** Name in logs and for the log file; default: the program's. */
  readonly name?: string;
  /** Added to this process' environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** How much of the output is kept in memory, for `waitFor` and for the tail. */
const RECENT_CHARS = 256 * 1024;

/** A process on a host of the rig, in a process group of its own, its output in a file. */
export class RigProcess {
  readonly name: string;
  readonly argv: readonly string[];
  readonly pid: number;
  readonly logFile: string;
  /** Resolves when the process has ended, whatever its children do; never rejects. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #log: WriteStream;
  readonly #listeners = new Set<() => void>();
  #recent = '';
  #exit: Exit | null = null;
  #silent = false;

  private constructor(argv: readonly string[], child: ChildProcess, name: string, logFile: string) {
    this.name = name;
    this.argv = argv;
    this.pid = child.pid ?? -1;
    this.logFile = logFile;
    this.#child = child;
    this.#log = createWriteStream(logFile, { flags: 'a' });
    this.#log.on('error', () => {}); // the folder went away with the rig
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8');
      stream?.on('data', (text: string) => this.#take(text));
    }
    this.exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#exit = { code, signal };
        resolve(this.#exit);
      });
    });
    child.once('close', () => {
      this.#silent = true; // nobody holds the other end of its output any more
      this.#log.end();
      this.#tell();
    });
    child.stdin?.on('error', () => {}); // written to after its end
  }

  /** Starts `argv`. Rejects if the program cannot be run. */
  static start(argv: readonly string[], name: string, logFile: string, options: SpawnOptions): Promise<RigProcess> {
    const [program = '', ...rest] = argv;
    const child = spawn(program, rest, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true, // a group of its own, so that its children can be ended with it
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    return new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('spawn', () => resolve(new RigProcess(argv, child, name, logFile)));
    });
  }

  get running(): boolean {
    return this.#exit === null;
  }

  /** The last of what it printed. */
  get output(): string {
    return this.#recent;
  }

  /** Waits for output, also past output; resolves to the match. Rejects if the process ends first, or after `limitMs`. */
  waitFor(pattern: RegExp, limitMs = 15_000 * PATIENCE): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        act();
      };
      const fail = (why: string): void =>
        settle(() => reject(new Error(`${this.name} ${why} before it printed ${String(pattern)}\n${this.tail(20)}`)));
      const look = (): void => {
        const match = pattern.exec(this.#recent);
        if (match) settle(() => resolve(match));
        else if (this.#silent) fail(`ended (${this.state})`);
      };
      const timer = setTimeout(() => fail(`took longer than ${limitMs} ms`), limitMs);
      this.#listeners.add(look);
      look();
    });
  }

  /** Sends a line to its standard input. */
  write(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Sends a signal to the process alone, as one does who kills an app. No effect after its end. */
  signal(signal: NodeJS.Signals): void {
    if (this.running) this.#child.kill(signal);
  }

  /** SIGKILL to the process alone; resolves when it is gone. */
  async kill(): Promise<Exit> {
    this.signal('SIGKILL');
    return this.exited;
  }

  /** SIGTERM, and SIGKILL to its group if that has not ended it within `limitMs`. */
  async stop(limitMs = 5_000): Promise<Exit> {
    this.signal('SIGTERM');
    const timer = setTimeout(() => this.killGroup(), limitMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }

  /** SIGSTOP: the process is there and does nothing. */
  freeze(): void {
    this.signal('SIGSTOP');
  }

  /** SIGCONT. */
  thaw(): void {
    this.signal('SIGCONT');
  }

  /** SIGKILL to the process and to all that it started and that stayed in its group. */
  killGroup(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // the whole group is gone
    }
  }

  /** `running`, or how it ended. */
  get state(): string {
    if (this.#exit === null) return 'running';
    return this.#exit.signal ?? `exit code ${this.#exit.code}`;
  }

  /** The last lines of its output. */
  tail(lines: number): string {
    return this.#recent.trimEnd().split('\n').slice(-lines).join('\n');
  }

  #take(text: string): void {
    this.#log.write(text);
    this.#recent = (this.#recent + text).slice(-RECENT_CHARS);
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
