import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GroupStatus } from '../../src/model/status.ts';
import { Cluster, NODES, type NodeName, USUAL_PORTS } from '../rig/cluster.ts';
import { cppFriendList } from '../rig/friend-list.ts';
import { HistoryRun } from '../rig/history-run.ts';
import { machineMs } from '../rig/machine-clock.ts';
import { until } from '../rig/until.ts';
import { Peer, type PeerConnection } from '../traffic/peers.ts';
import type { Service } from './ipvs-drivers.ts';
import { FORWARDINGS, IpvsNet, virtualAddress } from './ipvs-net.ts';
import { Load, placeOf, startAnswering } from './load.ts';

const PORT = 9000;
/** Emulation is slow: who waits longer than this has been forgotten. */
const PATIENCE_MS = 20_000;
/** Between two writes: about what the emulated processors can do beside the change, each taking two agents and an app. */
const EVERY_MS = 80;
/** Other requests, where all else that the VM does leaves room on a busy machine, too; on a quiet one 200 were served. */
const PER_SECOND = 24;
/** For what is waited for. */
export const LIMIT_MS = 60_000;
/** Between two questions, each of which takes the controller from its work; the VM multiplies it. */
export const ASK_MS = 100;

const servicesOf = (protocol: Service['protocol']): readonly Service[] =>
  FORWARDINGS.flatMap((forwarding) => ([4, 6] as const).map((family) => ({ forwarding, family, protocol })));
const endpoint = ({ forwarding, family }: Service): string => {
  const host = virtualAddress(forwarding, family);
  return `${family === 6 ? `[${host}]` : host}:${PORT}`;
};

/**
 * A whole pair behind IPVS, the VM being the director: controller, two agents, apps that take writes over TCP and say
 * their node's name by UDP, each reached by NAT, DR and TUN, over IPv4 and IPv6; and clients that write.
 */
export class IpvsPair {
  readonly net: IpvsNet;
  readonly cluster: Cluster;
  /** Writes over a connection each. */
  readonly writes: HistoryRun;
  readonly #client: Peer;

  private constructor(net: IpvsNet, cluster: Cluster, client: Peer, writes: HistoryRun) {
    this.net = net;
    this.cluster = cluster;
    this.writes = writes;
    this.#client = client;
  }

  /** Resolves once the pair is whole and its clients are served. To be closed. */
  static async start(): Promise<IpvsPair> {
    const net = await IpvsNet.create();
    try {
      const { rig } = net;
      // One name for both addresses of a node: the entries of both IP versions are of one group.
      const names = NODES.map(
        (node) => `${rig.host(node).address} ${node}.pair\n${rig.host(node).address6} ${node}.pair\n`,
      );
      appendFileSync('/etc/hosts', names.join(''));
      const [cluster, client] = await Promise.all([
        startCluster(net),
        Peer.start(rig.host('client')),
        ...NODES.map((node) => answerDatagrams(net, node)),
      ]);
      const writes = await HistoryRun.start(rig.host('client'), {
        to: servicesOf('tcp').map(endpoint).join(','),
        everyMs: EVERY_MS,
        patienceMs: PATIENCE_MS,
      });
      return new IpvsPair(net, cluster, client, writes);
    } catch (error) {
      process.stderr.write(net.tails());
      await net.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.net.close();
  }

  /** Resolves when `node` serves alone, traffic goes there, and clients have been served since, each way over TCP. */
  async servedBy(node: NodeName): Promise<GroupStatus> {
    const status = await until(
      `${node} to serve alone`,
      async () => {
        const now = await this.cluster.status();
        return now.serving && now.master === node && now.traffic.every(({ settled }) => settled) && now;
      },
      LIMIT_MS,
      ASK_MS,
    );
    const sinceMs = machineMs();
    await until(
      `${node} to serve each way`,
      () => {
        const since = this.writes.soFar().filter(({ outcome, startMs }) => outcome === 'ok' && startMs >= sinceMs);
        return new Set(since.map(({ place }) => place)).size === servicesOf('tcp').length;
      },
      LIMIT_MS,
      ASK_MS,
    );
    return status;
  }

  /** Clients that use all twelve ways, beside those that write. */
  load(): Promise<Load> {
    return Load.start(this.net.rig.host('client'), [...this.places('tcp'), ...this.places('udp')], PER_SECOND);
  }

  places(protocol: Service['protocol']): readonly string[] {
    return servicesOf(protocol).map((service) => placeOf(service, PORT));
  }

  /** A connection to the app that stays, over IPv4 by each way of forwarding. */
  connections(): Promise<readonly PeerConnection[]> {
    return Promise.all(
      FORWARDINGS.map(async (forwarding) => {
        const connection = await this.#client.open(virtualAddress(forwarding, 4), PORT);
        connection.say('PING');
        await connection.got('PONG');
        return connection;
      }),
    );
  }
}

async function startCluster({ rig, director }: IpvsNet): Promise<Cluster> {
  return Cluster.start({
    director,
    nodes: { a: rig.host('a'), b: rig.host('b') },
    dir: join(rig.dir, 'cluster'),
    ports: USUAL_PORTS,
    app: cppFriendList,
    traffic: [...servicesOf('tcp'), ...servicesOf('udp')].map((service) => ({
      type: 'ipvs',
      virtual: endpoint(service),
      protocol: service.protocol,
      forwarding: service.forwarding,
    })),
    profile: 'wan',
    appSettings: { heartbeat: { interval: '1s', misses: 10 } },
    // A request takes seconds here when everything is busy with the change.
    failover: { holdDown: '0s', finishWork: '5s', lease: '5s' },
    nodeSettings: (node) => ({ address: `${node}.pair` }),
  });
}

/** What the app of a node would answer by UDP. */
function answerDatagrams(net: IpvsNet, node: NodeName): Promise<void> {
  return startAnswering(
    net.rig.host(node),
    node,
    net.addressesOf(node).map((address) => `udp/${address}/${PORT}`),
  );
}
