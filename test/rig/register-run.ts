import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import { readEntries, type RegisterEntry } from './register-entries.ts';
import type { RigProcess } from './rig-process.ts';

const PROGRAM = fileURLToPath(new URL('register-client.ts', import.meta.url));

export interface RegisterOptions {
  /** What is asked: the service's address, or a node's own. */
  readonly to: string;
  readonly workers: number;
  readonly everyMs: number;
}

/** A register client at work on a machine. */
export class RegisterRun {
  readonly file: string;
  readonly #client: RigProcess;

  private constructor(file: string, client: RigProcess) {
    this.file = file;
    this.#client = client;
  }

  static async start(machine: Machine, { to, workers, everyMs }: RegisterOptions): Promise<RegisterRun> {
    const file = join(machine.dir, 'registers.ndjson');
    const argv = [process.execPath, PROGRAM, '--to', to, '--file', file];
    argv.push('--workers', String(workers), '--every', String(everyMs));
    const client = await machine.spawn(argv, { name: 'registers' });
    await client.waitFor(/asking/);
    return new RegisterRun(file, client);
  }

  /** Ends the client; gives all that it noted. */
  async stop(): Promise<RegisterEntry[]> {
    await this.#client.stop();
    return readEntries(this.file);
  }
}
