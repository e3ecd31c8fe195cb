import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, type NodePorts, USUAL_PORTS } from '../../test/rig/cluster.ts';
import { freePorts } from '../../test/rig/free-ports.ts';
import { typescriptFriendList } from '../../test/rig/friend-list.ts';
import { LocalMachine, type Machine } from '../../test/rig/machine.ts';
import { Rig } from '../../test/rig/rig.ts';

/** Where the demo plays: machines, and a cluster on them that is up. */
export interface Stage {
  readonly cluster: Cluster;
  readonly client: Machine;
  /** Where clients find the service. */
  readonly service: string;
  /** How somebody runs a command on the client's or the director's machine. */
  readonly enter: (machine: 'client' | 'director') => string;
}

/** The usual minute without a second failover is longer than the demo. */
const SOON_AGAIN = { holdDown: '2s' };

const PICTURE = (service: string, a: string, b: string): string => `
    client ──▶ ${service}
                  │
          ┌───────┴────────┐
    a  ${a}        b  ${b}
       friend-list     friend-list    lists in memory, one of the two serves
       hsctl agent ◀─▶ hsctl agent    every change is on both before the client's OK
          └───────┬────────┘
          hsctl controller            decides, moves the traffic
`;

/** Machines made of network namespaces, and an address that moves between the nodes. Needs root. */
export function onNamespaces(play: (stage: Stage) => Promise<void>): Promise<void> {
  const service = '10.0.0.100:9000';
  return Rig.use(async (rig) => {
    const [director, client, a, b] = [rig.host('director'), rig.host('client'), rig.host('a'), rig.host('b')];
    console.log(`Four machines made of network namespaces (${rig.id}-...):`);
    console.log(PICTURE(service, a.address, b.address));
    const cluster = await Cluster.start({
      director,
      nodes: { a, b },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: typescriptFriendList,
      traffic: [{ type: 'vip', address: '10.0.0.100/32', interface: 'eth0' }],
      failover: SOON_AGAIN,
    });
    await play({ cluster, client, service, enter: (machine) => `ip netns exec ${rig.id}-${machine} ` });
  });
}

/** Everything on loopback, behind the proxy of the controller. Needs nothing. */
export async function onLoopback(play: (stage: Stage) => Promise<void>): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'hsctl-demo-'));
  const machine = (name: string): LocalMachine => new LocalMachine(name, join(dir, name));
  const [director, client, a, b] = [machine('director'), machine('client'), machine('a'), machine('b')];
  const machines = [client, director, a, b];
  const leave = (): void => {
    for (const one of machines) one.killAll();
    rmSync(dir, { recursive: true, force: true });
  };
  const ended = (): never => process.exit(1);
  process.on('exit', leave);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ended);
  const ports = await freePorts(7);
  const [entry = 0] = ports;
  const service = `127.0.0.1:${entry}`;
  console.log('Everything is on loopback, and a proxy takes the place of the address that moves (which needs root):');
  console.log(PICTURE(service, `:${ports[3]}   `, `:${ports[6]}   `));
  const cluster = await Cluster.start({
    director,
    nodes: { a, b },
    dir: join(dir, 'cluster'),
    ports: { a: portsOf(ports.slice(1, 4)), b: portsOf(ports.slice(4, 7)) },
    app: typescriptFriendList,
    traffic: [{ type: 'proxy', listen: service }],
    failover: SOON_AGAIN,
  });
  await play({ cluster, client, service, enter: () => '' });
  for (const one of machines) await one.close();
}

function portsOf([control = 0, replication = 0, clients = 0]: readonly number[]): NodePorts {
  return { control, replication, clients };
}
