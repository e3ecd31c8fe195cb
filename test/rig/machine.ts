import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RigProcess, type SpawnOptions } from './rig-process.ts';
import { tool } from './tool.ts';

/** Where programs of a cluster run: a host of the rig, or this very machine. */
export interface Machine {
  readonly name: string;
  readonly address: string;
  /** Folder of the machine's own, for sockets, stores and logs. */
  readonly dir: string;
  /** Starts a long-lived program here. Rejects if it cannot be run. */
  spawn(argv: readonly string[], options?: SpawnOptions): Promise<RigProcess>;
  /** Runs a short program here; resolves to its standard output, rejects with its standard error. */
  run(argv: readonly string[], input?: string): Promise<string>;
}

/** Programs of one machine: starts them within some prefix of a command, names them, keeps their logs in a folder. */
export class ProcessTable {
  readonly all: RigProcess[] = [];
  readonly #machine: string;
  readonly #dir: string;

  constructor(machine: string, dir: string) {
    this.#machine = machine;
    this.#dir = dir;
    mkdirSync(dir, { recursive: true });
  }

  /** @param argv as it is executed; `options.name` names the log */
  async start(argv: readonly string[], name: string, options: SpawnOptions): Promise<RigProcess> {
    const child = await RigProcess.start(argv, `${this.#machine}/${name}`, join(this.#dir, `${name}.log`), options);
    this.all.push(child);
    return child;
  }

  /** State and last lines of each, for a person who looks for a cause. */
  tails(lines: number): string {
    return this.all.map((one) => `--- ${one.name}: ${one.state}\n${one.tail(lines)}\n`).join('');
  }

  /** Kills all of them with what is in their groups, without waiting for the end. */
  killAll(): void {
    for (const one of this.all) if (one.running) one.killGroup();
  }

  /** The same; resolves when they are gone. */
  async close(): Promise<void> {
    this.killAll();
    await Promise.all(this.all.map((one) => one.exited));
  }
}

/** This machine under a name, on loopback: a cluster without root. */
export class LocalMachine implements Machine {
  readonly name: string;
  readonly address = '127.0.0.1';
  readonly dir: string;
  readonly #processes: ProcessTable;

  constructor(name: string, dir: string) {
    this.name = name;
    this.dir = dir;
    this.#processes = new ProcessTable(name, dir);
  }

  spawn(argv: readonly string[], options: SpawnOptions = {}): Promise<RigProcess> {
    return this.#processes.start(argv, options.name ?? nameOf(argv), options);
  }

  run(argv: readonly string[], input = ''): Promise<string> {
    return tool(argv, input);
  }

  /** State and last lines of its processes. */
  tails(lines = 40): string {
    return this.#processes.tails(lines);
  }

  /** For the way out of this process, where nothing can be awaited. */
  killAll(): void {
    this.#processes.killAll();
  }

  close(): Promise<void> {
    return this.#processes.close();
  }
}

/** What a program is called if nobody gave it a name. */
export function nameOf(argv: readonly string[]): string {
  return argv[0]?.split('/').at(-1) ?? '';
}
