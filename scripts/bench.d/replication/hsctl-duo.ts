import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { AgentReport } from '../../../src/model/agent-report.ts';
import { freePorts } from '../../../test/rig/free-ports.ts';
import type { LocalMachine } from '../../../test/rig/machine.ts';
import type { RigProcess } from '../../../test/rig/rig-process.ts';
import { until } from '../../../test/rig/until.ts';
import { AppConnection } from './app-connection.ts';

const GROUP = 'bench';

export type DuoNode = 'a' | 'b';

export interface DuoOptions {
  /** Path of the `hsctl` that is measured. */
  readonly hsctl: string;
  /** Keys of `replication` beside the store, as in the file. */
  readonly replication?: Readonly<Record<string, unknown>>;
  /** Arguments of Node for both agents. */
  readonly nodeArgs?: readonly string[];
  /** Before the command of each daemon, as `nice` is. */
  readonly wrap?: readonly string[];
  /** Where the agents take the controller's link, and where the controller looks for them, if something is in between. */
  readonly controlPorts?: {
    readonly agents: Readonly<Record<DuoNode, number>>;
    readonly controller: Readonly<Record<DuoNode, number>>;
  };
}

/**
 * hsctl as it is used: a controller and two agents on loopback, with the bench as the app of the master. Node a is the
 * one that becomes master first.
 */
export class HsctlDuo {
  readonly dir: string;
  readonly configFile: string;
  /** Where node a's agent takes the other one's link, and where it serves the Redis protocol. */
  readonly replicationPort: number;
  readonly clientPort: number;
  readonly #machine: LocalMachine;
  readonly #options: DuoOptions;
  readonly #ports: readonly number[];
  readonly #agents = new Map<DuoNode, RigProcess>();
  #controller: RigProcess | null = null;
  #app: AppConnection | null = null;

  private constructor(machine: LocalMachine, ports: readonly number[], options: DuoOptions) {
    this.#machine = machine;
    this.#options = options;
    this.#ports = ports;
    this.replicationPort = ports[1] ?? 0;
    this.clientPort = ports[4] ?? 0;
    this.dir = join(machine.dir, 'hsctl');
    this.configFile = join(this.dir, 'hsctl.yaml');
  }

  /** Writes the configuration and starts all three; resolves once node a serves and node b is in sync. */
  static async start(machine: LocalMachine, options: DuoOptions): Promise<HsctlDuo> {
    const duo = new HsctlDuo(machine, await freePorts(6), options);
    mkdirSync(duo.dir, { recursive: true });
    duo.configure();
    await duo.startController();
    await duo.startAgent('a');
    await duo.startAgent('b');
    await duo.serve();
    await duo.inSync();
    return duo;
  }

  /** Writes the configuration, with other keys of `replication` if given; read by what is started from now on. */
  configure(replication: Readonly<Record<string, unknown>> = {}): void {
    const [a = 0, , b = 0] = this.#ports;
    const { controlPorts = { agents: { a, b }, controller: { a, b } } } = this.#options;
    this.#write(this.configFile, controlPorts.agents, replication);
    this.#write(this.#controllerFile, controlPorts.controller, replication);
  }

  get #controllerFile(): string {
    return join(this.dir, 'controller.yaml');
  }

  #write(
    file: string,
    control: Readonly<Record<DuoNode, number>>,
    replication: Readonly<Record<string, unknown>>,
  ): void {
    const [, replicationA, , replicationB, clientsA, clientsB] = this.#ports;
    const node = (name: DuoNode, link = 0, clients = 0): object => ({
      address: '127.0.0.1',
      control: control[name],
      replication: link,
      socket: this.socket(name),
      listen: `127.0.0.1:${clients}`,
      store: this.store(name),
    });
    const cluster = {
      cluster: 'bench',
      controller: { socket: join(this.dir, 'controller.sock'), state: join(this.dir, 'state') },
      groups: {
        [GROUP]: {
          nodes: { a: node('a', replicationA, clientsA), b: node('b', replicationB, clientsB) },
          replication: { ...this.#options.replication, ...replication },
        },
      },
    };
    writeFileSync(file, stringify(cluster));
  }

  socket(node: DuoNode): string {
    return join(this.dir, `${node}.sock`);
  }

  store(node: DuoNode): string {
    return join(this.dir, node);
  }

  pid(node: DuoNode): number {
    return this.#agents.get(node)?.pid ?? 0;
  }

  async startController(): Promise<void> {
    this.#controller = await this.#spawn('controller', ['controller'], [], this.#controllerFile);
  }

  async startAgent(node: DuoNode): Promise<void> {
    const nodeArgs = this.#options.nodeArgs ?? [];
    this.#agents.set(node, await this.#spawn(`agent-${node}`, ['agent', GROUP, node], nodeArgs));
  }

  /** Ends an agent in order, within a minute. */
  async stopAgent(node: DuoNode): Promise<void> {
    if (node === 'a') this.#app?.close();
    await this.#agents.get(node)?.stop(60_000);
  }

  /** Removes what a stopped agent has stored. */
  emptyStore(node: DuoNode): void {
    rmSync(this.store(node), { recursive: true, force: true });
  }

  /** Plays the app on node a: says that it serves as soon as the node is master. */
  async serve(): Promise<void> {
    const path = this.socket('a');
    const app = await until('the agent of node a', () => this.#open(path), 60_000, 5);
    this.#app = app;
    await app.ask('HS', 'APP', 'bench');
    const epoch = await until(
      'node a to be master',
      async () => {
        const { role, epoch: present, phase } = await reportOf(app);
        return role === 'master' && phase === 'promoting' && present;
      },
      60_000,
      5,
    );
    await app.ask('HS', 'READY', String(epoch));
  }

  /** Resolves once the master confirms no write without node b. */
  async inSync(everyMs = 20): Promise<void> {
    await until('node b to be in sync', async () => (await this.report()).inSync.length === 2, 600_000, everyMs);
  }

  /** Resolves once the master confirms writes by itself. */
  async alone(): Promise<void> {
    await until('node a to be alone', async () => (await this.report()).inSync.length === 1, 60_000, 20);
  }

  /** Node a's report. */
  report(): Promise<AgentReport> {
    if (this.#app === null) throw new Error('no app plays yet');
    return reportOf(this.#app);
  }

  async close(): Promise<void> {
    this.#app?.close();
    const all = [...this.#agents.values(), ...(this.#controller === null ? [] : [this.#controller])];
    await Promise.all(all.map((one) => one.stop(60_000)));
  }

  #open(path: string): Promise<AppConnection | null> | null {
    return existsSync(path) ? AppConnection.open(path).catch(() => null) : null;
  }

  #spawn(
    name: string,
    args: readonly string[],
    nodeArgs: readonly string[],
    file = this.configFile,
  ): Promise<RigProcess> {
    const { wrap = [] } = this.#options;
    const argv = [...wrap, process.execPath, ...nodeArgs, this.#options.hsctl, ...args, '--config', file];
    return this.#machine.spawn(argv, { name, cwd: this.dir });
  }
}

async function reportOf(app: AppConnection): Promise<AgentReport> {
  const text = await app.ask('HS', 'STATUS');
  if (!(text instanceof Uint8Array)) throw new Error('HS STATUS was not answered by a text');
  return JSON.parse(Buffer.from(text).toString()) as AgentReport;
}
