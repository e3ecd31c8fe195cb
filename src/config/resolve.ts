import { isLoopback, canonicalHost } from '../kit/address.ts';
import type {
  AppConfig,
  Config,
  FailoverConfig,
  GroupConfig,
  NodeConfig,
  ReplicationConfig,
  TrafficConfig,
} from './config.ts';
import { resolveProbes } from './probe-section.ts';
import { PROFILES, type ProfileNumbers } from './profiles.ts';
import type { ClusterFile, GroupFile } from './schema.ts';

/** Fills in what the file leaves out. The result is whole, but not yet checked for contradictions. */

const DEFAULT_PORTS = { control: 7401, replication: 7402 } as const;

export function resolveCluster(file: ClusterFile, groups: readonly GroupConfig[]): Config {
  return {
    cluster: file.cluster,
    tls: file.tls ?? null,
    controller: {
      listen: file.controller?.listen ?? null,
      socket: file.controller?.socket ?? '/run/hsctl/controller.sock',
      state: file.controller?.state ?? '/var/lib/hsctl/controller',
      ipvsSync:
        file.controller?.ipvsSync === undefined
          ? null
          : { interface: file.controller.ipvsSync.interface, id: file.controller.ipvsSync.id ?? 0 },
    },
    groups,
  };
}

export function resolveGroup(name: string, file: GroupFile): GroupConfig {
  const profile = file.profile ?? 'balanced';
  const numbers = PROFILES[profile];
  const nodes = resolveNodes(name, file);
  return {
    name,
    profile,
    nodes,
    app: resolveApp(file.app ?? {}, numbers),
    traffic: (file.traffic ?? []).map((traffic) => resolveTraffic(traffic, nodes)),
    notify: file.notify ?? null,
    replication: resolveReplication(file.replication ?? {}, numbers),
    failover: resolveFailover(file.failover ?? {}, numbers, nodes[0]?.id ?? ''),
  };
}

/** Whether two addresses surely are on one machine. */
function shareMachine(one: string, other: string): boolean {
  return canonicalHost(one) === canonicalHost(other) || (isLoopback(one) && isLoopback(other));
}

function resolveNodes(group: string, file: GroupFile): readonly NodeConfig[] {
  const nodes = Object.entries(file.nodes);
  const [first, second] = nodes;
  const together = first !== undefined && second !== undefined && shareMachine(first[1].address, second[1].address);
  return nodes.map(([id, node]) => {
    // Two agents on one machine need a socket and a directory each.
    const own = together ? `${group}-${id}` : group;
    return {
      id,
      address: node.address,
      control: node.control ?? DEFAULT_PORTS.control,
      replication: node.replication ?? DEFAULT_PORTS.replication,
      appPort: node.port ?? file.app?.port ?? null,
      socket: node.socket ?? file.app?.socket ?? `/run/hsctl/${own}.sock`,
      listen: node.listen ?? file.app?.listen ?? null,
      store: node.store ?? file.replication?.store ?? `/var/lib/hsctl/${own}`,
      fence: (node.fence ?? []).map(({ command, timeout }) => ({ command, timeoutMs: timeout ?? 30_000 })),
      watchdog:
        node.watchdog === undefined ? null : { device: node.watchdog.device, timeoutS: node.watchdog.timeout ?? 5 },
    };
  });
}

function resolveApp(file: NonNullable<GroupFile['app']>, numbers: ProfileNumbers): AppConfig {
  return {
    probe: file.probe === undefined ? null : resolveProbes(file.probe, numbers),
    heartbeat:
      file.heartbeat === undefined
        ? null
        : {
            intervalMs: file.heartbeat.interval ?? numbers.appHeartbeat.intervalMs,
            misses: file.heartbeat.misses ?? numbers.appHeartbeat.misses,
          },
    run: file.run ?? null,
    stopTimeoutMs: file.stopTimeout ?? 5000,
    restart: { times: file.restart?.times ?? 0, withinMs: file.restart?.within ?? 60_000 },
    promote: file.promote ?? null,
    demote: file.demote ?? null,
    notify: file.notify ?? null,
    hookTimeoutMs: file.hookTimeout ?? numbers.hookTimeoutMs,
    ready: file.ready ?? (file.promote === undefined ? 'app' : 'hook'),
    readyTimeoutMs: file.readyTimeout ?? numbers.readyTimeoutMs,
  };
}

function resolveTraffic(file: NonNullable<GroupFile['traffic']>[number], nodes: readonly NodeConfig[]): TrafficConfig {
  switch (file.type) {
    case 'proxy':
      return { type: 'proxy', listen: file.listen, holdMs: file.hold ?? 10_000 };
    case 'vip':
      return {
        type: 'vip',
        address: file.address,
        interface: file.interface,
        label: file.label ?? `${file.interface}:hs`,
        routes: file.routes ?? [],
        rules: file.rules ?? [],
        announce: {
          count: file.announce?.count ?? 5,
          intervalMs: file.announce?.interval ?? 300,
          refreshMs: file.announce?.refresh ?? 1000,
        },
      };
    case 'ipvs':
      return {
        type: 'ipvs',
        virtual: file.virtual,
        protocol: file.protocol ?? 'tcp',
        forwarding: file.forwarding ?? 'nat',
        scheduler: file.scheduler ?? 'fo',
        persistenceS: file.persistence ?? 0,
        fwmark: file.fwmark ?? null,
        conntrack: file.conntrack ?? null,
        setSysctls: file.sysctls !== 'check',
      };
    case 'nft':
      return { type: 'nft', virtual: file.virtual, protocol: file.protocol ?? 'tcp' };
    case 'haproxy':
      return {
        type: 'haproxy',
        socket: file.socket,
        backend: file.backend,
        servers: { ...Object.fromEntries(nodes.map(({ id }) => [id, id])), ...file.servers },
        virtual: file.virtual ?? null,
      };
    case 'dns':
      return {
        type: 'dns',
        name: file.name,
        zone: file.zone,
        server: file.server,
        key: file.key,
        ttlS: file.ttl ?? 5,
        addresses: { ...Object.fromEntries(nodes.map(({ id, address }) => [id, [address]])), ...file.addresses },
        timeoutMs: file.timeout ?? 5000,
      };
    case 'script':
      return { type: 'script', command: file.command, timeoutMs: file.timeout ?? 10_000 };
  }
}

function resolveReplication(file: NonNullable<GroupFile['replication']>, numbers: ProfileNumbers): ReplicationConfig {
  return {
    ack: file.ack ?? 'replica',
    fsync: file.fsync ?? 100,
    // null is a value of its own here: unlimited.
    catchUpRate: file.catchUpRate === undefined ? numbers.catchUpRate : file.catchUpRate,
    catchUpIntervalMs: file.catchUpInterval ?? 100,
    segmentBytes: file.segmentSize ?? 64 * 2 ** 20,
    tombstonesMs: file.tombstones ?? 86_400_000,
  };
}

function resolveFailover(
  file: NonNullable<GroupFile['failover']>,
  numbers: ProfileNumbers,
  firstNode: string,
): FailoverConfig {
  return {
    mode: file.mode ?? 'auto',
    leaseMs: file.lease ?? numbers.leaseMs,
    heartbeatMs: file.heartbeat ?? numbers.heartbeatMs,
    detectMs: file.detect ?? numbers.detectMs,
    stallTimeoutMs: file.stallTimeout ?? numbers.stallTimeoutMs,
    holdDownMs: file.holdDown ?? numbers.holdDownMs,
    onControllerLoss: file.onControllerLoss ?? 'serve',
    fence: file.fence ?? 'doubt',
    finishWorkMs: file.finishWork ?? 200,
    switchoverTimeoutMs: file.switchoverTimeout ?? numbers.switchoverTimeoutMs,
    prefer: file.prefer ?? firstNode,
  };
}
