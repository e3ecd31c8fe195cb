import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { ApiClient } from '../../src/api/client.ts';
import { foregroundScheduler } from '../../src/kit/clock.ts';
import { messageOf } from '../../src/kit/errors.ts';
import { clusterStatusSchema, type GroupStatus } from '../../src/model/status.ts';
import { makeCertificates } from './certificates.ts';
import type { Machine } from './machine.ts';
import { PATIENCE } from './patience.ts';
import type { RigProcess } from './rig-process.ts';
import { UNIT_PRIORITY } from './unit-priority.ts';
import { until } from './until.ts';

const HSCTL = fileURLToPath(new URL('../../bin/hsctl.js', import.meta.url));

export const GROUP = 'friends';
export const NODES = ['a', 'b'] as const;
export type NodeName = (typeof NODES)[number];

export interface NodePorts {
  readonly control: number;
  readonly replication: number;
  /** Of the app. */
  readonly clients: number;
}

export interface ClusterOptions {
  readonly director: Machine;
  readonly nodes: Readonly<Record<NodeName, Machine>>;
  /** Folder for the configuration and the certificates. */
  readonly dir: string;
  readonly ports: Readonly<Record<NodeName, NodePorts>>;
  /** Command of the app, given its agent's socket and its port. */
  readonly app: (socket: string, port: number) => readonly string[];
  /** Entries of the group's `traffic`, as in the file. */
  readonly traffic: readonly object[];
  /** Default: balanced. */
  readonly profile?: 'fast' | 'balanced' | 'wan';
  /** Keys of `failover` and of `app` beside the rig's own, as in the file. */
  readonly failover?: object;
  readonly appSettings?: object;
  /** Keys of `replication`, as in the file. */
  readonly replication?: object;
  /** Keys of a node beside the rig's own, as in the file. */
  readonly nodeSettings?: (node: NodeName) => object;
  /** Added to the environment of the daemons on a machine. */
  readonly env?: (machine: Machine) => Readonly<Record<string, string>>;
}

/** The usual ports, for nodes with an address each. */
export const USUAL_PORTS: Readonly<Record<NodeName, NodePorts>> = {
  a: { control: 7401, replication: 7402, clients: 9000 },
  b: { control: 7401, replication: 7402, clients: 9000 },
};

/** hsctl at work: a controller, two agents and two apps, as processes on the machines they belong to. */
export class Cluster {
  readonly configFile: string;
  readonly #options: ClusterOptions;
  readonly #apps = new Map<NodeName, RigProcess>();
  readonly #agents = new Map<NodeName, RigProcess>();
  #controller: RigProcess | null = null;

  private constructor(options: ClusterOptions) {
    this.#options = options;
    this.configFile = join(options.dir, 'hsctl.yaml');
  }

  /** Writes certificates and configuration, starts everything, and resolves once the pair serves with both in sync. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = await Cluster.prepare(options);
    await cluster.startController();
    for (const node of NODES) await cluster.startAgent(node);
    for (const node of NODES) await cluster.startApp(node);
    await cluster.whole();
    return cluster;
  }

  /** The files alone; what is to run is started piece by piece. */
  static async prepare(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    mkdirSync(options.dir, { recursive: true });
    const tls = join(options.dir, 'tls');
    const exposed = NODES.some((node) => !options.nodes[node].address.startsWith('127.'));
    if (exposed) await makeCertificates(tls, 'rig', NODES);
    writeFileSync(cluster.configFile, stringify(cluster.#configuration(exposed ? tls : null)));
    return cluster;
  }

  // --- the programs

  get controller(): RigProcess {
    return started(this.#controller, 'the controller');
  }

  agent(node: NodeName): RigProcess {
    return started(this.#agents.get(node), `the agent of ${node}`);
  }

  app(node: NodeName): RigProcess {
    return started(this.#apps.get(node), `the app of ${node}`);
  }

  async startController(): Promise<void> {
    const argv = this.command('controller');
    this.#controller = await this.#spawn(this.#options.director, argv, 'controller');
  }

  async startAgent(node: NodeName): Promise<void> {
    const argv = this.command('agent', GROUP, node);
    this.#agents.set(node, await this.#spawn(this.#options.nodes[node], argv, 'agent'));
  }

  async startApp(node: NodeName): Promise<void> {
    const argv = this.#options.app(this.socket(node), this.#options.ports[node].clients);
    this.#apps.set(node, await this.#options.nodes[node].spawn(argv, { name: 'app' }));
  }

  /** Starts again whatever has ended. */
  async restartEnded(): Promise<void> {
    if (!this.#controller?.running) await this.startController();
    for (const node of NODES) if (!this.#agents.get(node)?.running) await this.startAgent(node);
    for (const node of NODES) if (!this.#apps.get(node)?.running) await this.startApp(node);
  }

  // --- what an operator does

  /** Runs `hsctl ARGS` on the director; resolves to what it prints, rejects if its exit code is not 0. */
  hsctl(...args: readonly string[]): Promise<string> {
    return this.#options.director.run(this.command(...args));
  }

  /** `hsctl ARGS` as it is executed. */
  command(...args: readonly string[]): string[] {
    return [process.execPath, HSCTL, ...args, '--config', this.configFile];
  }

  /** The controller's API, without a process for each question. */
  get api(): ApiClient {
    return new ApiClient(join(this.#options.director.dir, 'controller.sock'), foregroundScheduler);
  }

  async status(): Promise<GroupStatus> {
    const cluster = clusterStatusSchema.parse(await this.api.status(GROUP));
    const group = cluster.groups.find((candidate) => candidate.group === GROUP);
    if (!group) throw new Error(`the status has no group ${GROUP}`);
    return group;
  }

  /** Resolves once one node serves, both are in sync, and nothing is amiss. Rejects if a program has ended. */
  async whole(limitMs = 30_000 * PATIENCE): Promise<GroupStatus> {
    let last = 'no status';
    try {
      return await until(
        'the pair to be whole',
        async () => {
          this.#checkRunning();
          const status = await this.status().catch((error: unknown) => void (last = String(error)));
          if (!status) return null;
          last = status.summary;
          return (
            status.serving && status.protectedBy.length === 1 && status.traffic.every((one) => one.settled) && status
          );
        },
        limitMs,
        100,
      );
    } catch (error) {
      throw new Error(`the pair does not become whole: ${messageOf(error)}; ${last}`, { cause: error });
    }
  }

  #checkRunning(): void {
    const programs = [this.controller, ...NODES.flatMap((node) => [this.agent(node), this.app(node)])];
    const ended = programs.filter((one) => !one.running);
    if (ended.length > 0) throw new Error(ended.map((one) => `${one.name} has ended: ${one.state}`).join(', '));
  }

  /** Node that serves, by the controller's word. */
  async master(): Promise<NodeName> {
    const { master } = await this.status();
    const node = NODES.find((name) => name === master);
    if (!node) throw new Error(`there is no master but ${master}`);
    return node;
  }

  /** Unix socket on which a node's agent serves its app. */
  socket(node: NodeName): string {
    return join(this.#options.nodes[node].dir, 'app.sock');
  }

  /** Folder of the controller's records. */
  get records(): string {
    return join(this.#options.director.dir, 'state');
  }

  /** Folder of a node's log. */
  store(node: NodeName): string {
    return join(this.#options.nodes[node].dir, 'store');
  }

  #spawn(machine: Machine, argv: readonly string[], name: string): Promise<RigProcess> {
    return machine.spawn([...UNIT_PRIORITY, ...argv], { name, env: this.#options.env?.(machine) ?? {} });
  }

  #configuration(tls: string | null): object {
    const { director, nodes, ports, traffic, failover, appSettings, replication, profile = 'balanced' } = this.#options;
    const node = (name: NodeName): object => ({
      address: nodes[name].address,
      control: ports[name].control,
      replication: ports[name].replication,
      port: ports[name].clients,
      socket: this.socket(name),
      store: this.store(name),
      ...this.#options.nodeSettings?.(name),
    });
    return {
      cluster: 'rig',
      ...(tls === null ? {} : { tls: { dir: tls } }),
      controller: { socket: join(director.dir, 'controller.sock'), state: this.records },
      groups: {
        [GROUP]: {
          profile,
          nodes: { a: node('a'), b: node('b') },
          app: { heartbeat: { interval: '100ms', misses: 5 }, ...appSettings },
          traffic,
          failover: { ...failover },
          ...(replication === undefined ? {} : { replication }),
        },
      },
    };
  }
}

function started(one: RigProcess | null | undefined, what: string): RigProcess {
  if (!one) throw new Error(`${what} was not started`);
  return one;
}

/** The node that is not `node`. */
export function otherThan(node: NodeName): NodeName {
  return node === 'a' ? 'b' : 'a';
}
