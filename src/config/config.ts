/** The checked configuration, as the rest of the code uses it: numbers have units in their names, nothing is optional that has a default. */

import type { ProbeOptions, ProbeType } from './probe-kinds.ts';

export type Profile = 'fast' | 'balanced' | 'wan';

export interface Endpoint {
  /** Host name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ProbeTiming {
  readonly intervalMs: number;
  /** The interval while the last results speak against the verdict, or there is none yet. */
  readonly fastIntervalMs: number;
  readonly timeoutMs: number;
  /** Bad results in a row that make a verdict of `down`. */
  readonly fall: number;
  /** Good results in a row that make a verdict of `up`. */
  readonly rise: number;
}

/** One probe: its times, who runs it, and the keys of its kind under their names in the file. */
export type ProbeConfig = {
  readonly [Type in ProbeType]: ProbeTiming & {
    readonly type: Type;
    readonly from: 'both' | 'agent' | 'controller';
  } & ProbeOptions<Type>;
}[ProbeType];

/** The probes of one node. */
export interface ProbeSet {
  /** How many of them must be up for the app to count as up. */
  readonly need: 'all' | 'any';
  /** At least one. */
  readonly of: readonly ProbeConfig[];
}

/** What is the same on both nodes; port, socket and RESP endpoint of the app are in `NodeConfig`. */
export interface AppConfig {
  /** Probes by the agent on the node, and by the controller; null for none. */
  readonly probe: ProbeSet | null;
  readonly heartbeat: { readonly intervalMs: number; readonly misses: number } | null;
  /** Command that the agent runs as the app; null if something else runs it. */
  readonly run: readonly string[] | null;
  readonly stopTimeoutMs: number;
  readonly restart: { readonly times: number; readonly withinMs: number };
  /** Hooks on the node; null for none. */
  readonly promote: readonly string[] | null;
  readonly demote: readonly string[] | null;
  /** Told of every change of the node's state, as keepalived does it; null for none. */
  readonly notify: readonly string[] | null;
  readonly hookTimeoutMs: number;
  /** Who says that a promoted app is ready: the app (`HS READY`), the promote hook's exit 0, or the local probe. */
  readonly ready: 'app' | 'hook' | 'probe';
  /** How long a promoted app may take before the promotion counts as failed. */
  readonly readyTimeoutMs: number;
}

type Forwarding = 'nat' | 'dr' | 'tun';
/** Schedulers of IPVS, by the kernel's names. */
type IpvsScheduler = 'fo' | 'rr' | 'wrr' | 'lc' | 'wlc' | 'lblc' | 'lblcr' | 'dh' | 'sh' | 'sed' | 'nq' | 'ovf' | 'mh';

export type TrafficConfig =
  | { readonly type: 'proxy'; readonly listen: Endpoint; readonly holdMs: number }
  | {
      readonly type: 'vip';
      /** Address with prefix length. */
      readonly address: string;
      readonly interface: string;
      /** Name under which old tools show an IPv4 address. */
      readonly label: string;
      /** Routes and rules that exist while the address is held, as the arguments of `ip route` and `ip rule`. */
      readonly routes: readonly string[];
      readonly rules: readonly string[];
      /** How many announcements follow a takeover, how far apart, and how often one is repeated later. */
      readonly announce: { readonly count: number; readonly intervalMs: number; readonly refreshMs: number };
    }
  | {
      readonly type: 'ipvs';
      readonly virtual: Endpoint;
      readonly protocol: 'tcp' | 'udp';
      /** Mark of the service's packets, which rules of the operator set; null: they are told by `virtual`. */
      readonly fwmark: number | null;
      readonly forwarding: Forwarding;
      readonly scheduler: IpvsScheduler;
      /** Seconds a client sticks to its server; 0 for none. */
      readonly persistenceS: number;
      /** Whether IPVS uses conntrack; null: as it is. */
      readonly conntrack: boolean | null;
      /** Whether the kernel's settings of IPVS may be changed. */
      readonly setSysctls: boolean;
    }
  | { readonly type: 'nft'; readonly virtual: Endpoint; readonly protocol: 'tcp' | 'udp' }
  | {
      readonly type: 'haproxy';
      /** Unix socket of the runtime API. */
      readonly socket: string;
      readonly backend: string;
      /** Name of each node's server in the backend. */
      readonly servers: Readonly<Record<string, string>>;
      /** Where clients connect: new connections wait there during a planned change; null: they fail. */
      readonly virtual: Endpoint | null;
    }
  | {
      readonly type: 'dns';
      readonly name: string;
      readonly zone: string;
      /** The primary server of the zone. */
      readonly server: Endpoint;
      /** File with the key for TSIG. */
      readonly key: string;
      readonly ttlS: number;
      /** Addresses of each node for clients. */
      readonly addresses: Readonly<Record<string, readonly string[]>>;
      readonly timeoutMs: number;
    }
  | { readonly type: 'script'; readonly command: readonly string[]; readonly timeoutMs: number };

/** A node with all that is its own. The file may give the last four once for the group; here they are always in force. */
export interface NodeConfig {
  readonly id: string;
  readonly address: string;
  /** Ports of the agent for the controller and for its peer. */
  readonly control: number;
  readonly replication: number;
  /** Where the app takes its clients; null if it has none that hsctl knows of. */
  readonly appPort: number | null;
  /** Unix socket on which the agent serves RESP. */
  readonly socket: string;
  /** TCP endpoint for RESP beside the socket; null for none. */
  readonly listen: Endpoint | null;
  /** Directory of the agent's log. */
  readonly store: string;
  /** Programs on the controller's machine that fence the node, in the order in which they are tried. */
  readonly fence: readonly FenceMethod[];
  /** Watchdog that the agent feeds; null for none. */
  readonly watchdog: WatchdogConfig | null;
}

export interface FenceMethod {
  readonly command: readonly string[];
  readonly timeoutMs: number;
}

export interface WatchdogConfig {
  readonly device: string;
  /** Whole seconds after which the device restarts the machine unless it is fed. */
  readonly timeoutS: number;
}

export interface ReplicationConfig {
  readonly ack: 'replica';
  /** Milliseconds between fsyncs, or `always`. */
  readonly fsync: 'always' | number;
  /** Bytes per second; null for unlimited. */
  readonly catchUpRate: number | null;
  readonly catchUpIntervalMs: number;
  readonly segmentBytes: number;
  readonly tombstonesMs: number;
}

export interface FailoverConfig {
  readonly mode: 'auto' | 'manual';
  readonly leaseMs: number;
  readonly heartbeatMs: number;
  /** Silence of a link after which its other end counts as gone. */
  readonly detectMs: number;
  readonly stallTimeoutMs: number;
  readonly holdDownMs: number;
  readonly onControllerLoss: 'serve' | 'stop';
  /** When the fence commands of a former master run: where no lease tells that it has ended, or always. */
  readonly fence: 'doubt' | 'always';
  /** In a switchover, what traffic drivers get to stop new work, and then requests under way to end, before writes freeze. */
  readonly finishWorkMs: number;
  /** Limit for a switchover's quiescing; after it the switchover is rolled back. */
  readonly switchoverTimeoutMs: number;
  /** Node that becomes master of a fresh pair. */
  readonly prefer: string;
}

export interface GroupConfig {
  readonly name: string;
  readonly profile: Profile;
  /** Two nodes, in the order of the file. */
  readonly nodes: readonly NodeConfig[];
  readonly app: AppConfig;
  readonly traffic: readonly TrafficConfig[];
  /** Runs on the controller's machine at every change of the group's state; null for none. */
  readonly notify: readonly string[] | null;
  readonly replication: ReplicationConfig;
  readonly failover: FailoverConfig;
}

export interface Config {
  readonly cluster: string;
  /** Directory with ca.pem, NAME.pem and NAME.key; null for plain text, which needs every address to be loopback. */
  readonly tls: { readonly dir: string } | null;
  readonly controller: {
    readonly listen: Endpoint | null;
    readonly socket: string;
    readonly state: string;
    /** Where the connections of IPVS are told to a second director; null: nowhere. */
    readonly ipvsSync: { readonly interface: string; readonly id: number } | null;
  };
  readonly groups: readonly GroupConfig[];
}
