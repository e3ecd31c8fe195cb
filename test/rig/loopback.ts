import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RawClient } from '../agent/resp/raw-client.ts';
import { Cluster, type ClusterOptions, NODES, type NodeName, type NodePorts } from './cluster.ts';
import { freePorts } from './free-ports.ts';
import { typescriptFriendList } from './friend-list.ts';
import { LocalMachine } from './machine.ts';

/** A pair of real agents with their controller and apps on loopback, and clients of the agents. */
export interface Loopback {
  readonly cluster: Cluster;
  /** Where clients of the app find it. */
  readonly service: string;
  /** Another connection to the agent of a node. */
  readonly client: (node: NodeName) => RawClient;
}

export type LoopbackOptions = Partial<
  Pick<ClusterOptions, 'app' | 'failover' | 'appSettings' | 'replication' | 'nodeSettings'>
> & {
  /** Where the machines' folders are; default the system's temporary directory. */
  readonly base?: string;
};

/** Lends a pair that serves, with both in sync. If `body` fails, the end of each agent's log goes to standard error. */
export async function onLoopback(
  body: (loopback: Loopback) => Promise<void>,
  options: LoopbackOptions = {},
): Promise<void> {
  const { base = tmpdir(), app = typescriptFriendList, failover, ...rest } = options;
  const dir = mkdtempSync(join(base, 'hsctl-loopback-'));
  const machine = (name: string): LocalMachine => {
    mkdirSync(join(dir, name));
    return new LocalMachine(name, join(dir, name));
  };
  const [director, a, b] = [machine('director'), machine('a'), machine('b')];
  const clients: RawClient[] = [];
  const leave = (): void => {
    for (const one of [director, a, b]) one.killAll();
    rmSync(dir, { recursive: true, force: true });
  };
  const exit = (): never => process.exit(1);
  process.on('exit', leave).on('SIGTERM', exit).on('SIGINT', exit);
  const [entry = 0, ...ports] = await freePorts(7);
  const service = `127.0.0.1:${entry}`;
  try {
    const cluster = await Cluster.start({
      director,
      nodes: { a, b },
      dir: join(dir, 'cluster'),
      ports: { a: portsOf(ports.slice(0, 3)), b: portsOf(ports.slice(3, 6)) },
      app,
      traffic: [{ type: 'proxy', listen: service }],
      failover: { holdDown: '0s', ...failover },
      ...rest,
    });
    const client = (node: NodeName): RawClient => {
      const made = new RawClient(cluster.socket(node));
      clients.push(made);
      return made;
    };
    try {
      await body({ cluster, service, client });
    } catch (error) {
      for (const node of NODES) process.stderr.write(`--- agent ${node}\n${cluster.agent(node).tail(40)}\n`);
      process.stderr.write(`--- controller\n${cluster.controller.tail(40)}\n`);
      throw error;
    }
  } finally {
    for (const client of clients) await client.close();
    for (const one of [director, a, b]) await one.close();
    leave();
    process.off('exit', leave).off('SIGTERM', exit).off('SIGINT', exit);
  }
}

function portsOf([control = 0, replication = 0, clients = 0]: readonly number[]): NodePorts {
  return { control, replication, clients };
}
