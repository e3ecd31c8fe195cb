import { LocalMachine } from '../rig/machine.ts';
import type { RigProcess } from '../rig/rig-process.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** A server program on this machine, with a folder of its own. It is gone with this process at the latest. */
export class LocalServer {
  readonly folder = new TemporaryFolder();
  readonly #machine = new LocalMachine('server', this.folder.path);
  readonly #leave = (): void => {
    this.#machine.killAll();
    this.folder.remove();
  };

  constructor() {
    process.on('exit', this.#leave).on('SIGTERM', exit).on('SIGINT', exit);
  }

  /** Resolves once it has printed `ready` (without it, at once); rejects with what it printed if it ends before. */
  async start(argv: readonly string[], ready: RegExp | null = null): Promise<RigProcess> {
    const server = await this.#machine.spawn(argv);
    if (ready !== null) await server.waitFor(ready);
    return server;
  }

  /** Runs a short program; resolves to its standard output, rejects with its standard error. */
  run(argv: readonly string[], input = ''): Promise<string> {
    return this.#machine.run(argv, input);
  }

  async close(): Promise<void> {
    await this.#machine.close();
    this.#leave();
    process.off('exit', this.#leave).off('SIGTERM', exit).off('SIGINT', exit);
  }
}

function exit(): never {
  process.exit(1);
}
