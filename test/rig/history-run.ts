import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Attempt, readHistory, type Verdict } from './history.ts';
import type { Machine } from './machine.ts';
import { PATIENCE } from './patience.ts';
import type { RigProcess } from './rig-process.ts';

const PROGRAM = fileURLToPath(new URL('history-client.ts', import.meta.url));
/** Attempts under way get their outcome first. */
const STOP_LIMIT_MS = 10_000 * PATIENCE;

export interface HistoryOptions {
  /** Where clients find the service, `10.0.0.100:9000`; several with commas between, to be used in turn. */
  readonly to: string;
  /** Name of this client, where several write at once; also begins the names that it writes. */
  readonly name?: string;
  readonly everyMs?: number;
  readonly persistent?: boolean;
  /** Makes up for what it could not begin in time. */
  readonly keepsPace?: boolean;
  /** Waits so long for a connection, and again for an answer, and begins attempts meanwhile without end. */
  readonly patienceMs?: number;
}

let marks = 0;

/** A history client at work on a machine, and its findings. */
export class HistoryRun {
  readonly file: string;
  readonly client: RigProcess;
  readonly #machine: Machine;

  private constructor(machine: Machine, file: string, client: RigProcess) {
    this.#machine = machine;
    this.file = file;
    this.client = client;
  }

  /** Starts the client; resolves once a first write was acknowledged. */
  static async start(machine: Machine, options: HistoryOptions): Promise<HistoryRun> {
    const name = options.name ?? 'history';
    const file = join(machine.dir, `${name}.ndjson`);
    const argv = [process.execPath, PROGRAM, 'write', '--to', options.to, '--file', file];
    argv.push('--every', String(options.everyMs ?? 4), '--prefix', options.name ?? '');
    if (options.persistent) argv.push('--persistent');
    if (options.keepsPace) argv.push('--keep-pace');
    if (options.patienceMs !== undefined) {
      const patience = String(options.patienceMs);
      argv.push('--connect-timeout', patience, '--answer-timeout', patience, '--in-flight', '10000');
    }
    const client = await machine.spawn(argv, { name });
    await client.waitFor(/first ok/);
    return new HistoryRun(machine, file, client);
  }

  /** Resolves when a write that was begun after this call is acknowledged. */
  async nextOk(limitMs = 30_000 * PATIENCE): Promise<void> {
    const mark = `mark ${++marks}`;
    this.client.write(mark);
    await this.client.waitFor(new RegExp(`^${mark} ok$`, 'm'), limitMs);
  }

  /** The attempts that have their outcome by now. The last ones may not be in the file yet. */
  soFar(): Attempt[] {
    return readHistory(this.file);
  }

  /**
   * Ends the client once each attempt has its outcome; gives the whole history.
   * @throws Error if it had to be killed: what it did and did not write down would look like lost writes
   */
  async stop(): Promise<Attempt[]> {
    const { signal } = await this.client.stop(STOP_LIMIT_MS);
    if (signal !== null) throw new Error(`${this.client.name} ended by ${signal}: its history is not whole`);
    return readHistory(this.file);
  }

  /** Compares the history with what the server at `address` lists, through the service's address by default. */
  async check(address: string): Promise<Verdict> {
    const argv = [process.execPath, PROGRAM, 'check', '--to', address, '--file', this.file];
    const printed = await this.#machine.run(argv);
    return JSON.parse(printed) as Verdict;
  }
}
