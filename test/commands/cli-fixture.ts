import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiServer } from '../../src/api/server.ts';
import { socketDoor } from '../../src/api/socket-door.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { ScriptedService } from '../api/scripted-service.ts';

const HSCTL = join(import.meta.dirname, '..', '..', 'bin', 'hsctl.js');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory with a configuration, a controller that is scripted, and `hsctl` as a whole process. */
export class CliFixture {
  readonly directory = mkdtempSync(join(tmpdir(), 'hsctl-cli-'));
  readonly configPath = join(this.directory, 'hsctl.yaml');
  readonly socketPath = join(this.directory, 'controller.sock');
  readonly service = new ScriptedService();
  readonly #server = new ApiServer({
    service: this.service,
    doors: [socketDoor(this.socketPath)],
    logger: silentLogger,
    version: '9.9.9',
  });

  constructor() {
    this.configure();
  }

  /** Writes the configuration of a pair `world` whose agents' sockets are in the directory, with `more` at its end. */
  configure(more = ''): void {
    writeFileSync(
      this.configPath,
      `cluster: realm-7
controller:
  socket: ${this.socketPath}
  state: ${join(this.directory, 'state')}
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 7401, replication: 7402, port: 9001, socket: ${join(this.directory, 'a.sock')}, store: ${join(this.directory, 'store-a')} }
      b: { address: 127.0.0.1, control: 7411, replication: 7412, port: 9002, socket: ${join(this.directory, 'b.sock')}, store: ${join(this.directory, 'store-b')} }
    traffic:
      - { type: proxy, listen: 127.0.0.1:9100 }
${more}`,
    );
  }

  /** Starts the controller's API. */
  open(): Promise<void> {
    return this.#server.open();
  }

  async close(): Promise<void> {
    await this.#server.close();
    rmSync(this.directory, { recursive: true });
  }

  start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [HSCTL, ...argv], { env: { ...this.#environment(), ...environment } });
  }

  #environment() {
    return {
      PATH: process.env['PATH'],
      TZ: 'UTC',
      HOME: this.directory,
      CACHE_DIRECTORY: join(this.directory, 'cache'),
      HSCTL_CONFIG: this.configPath,
    };
  }

  /** Runs a script of bash to its end; "$NODE" "$HSCTL" in it is `hsctl`. */
  shell(script: string): Promise<Outcome> {
    return outcomeOf(this.startShell(script));
  }

  startShell(script: string): ChildProcessWithoutNullStreams {
    return spawn('bash', ['-c', script], { env: { ...this.#environment(), NODE: process.execPath, HSCTL } });
  }

  /** Runs `hsctl` to its end. */
  async run(argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return outcomeOf(this.start(argv, environment));
  }
}

async function outcomeOf(child: ChildProcessWithoutNullStreams): Promise<Outcome> {
  child.stdin.end();
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve) => child.on('close', resolve)),
  ]);
  return { code, stdout, stderr };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const chunk of stream) text += chunk.toString();
  return text;
}
