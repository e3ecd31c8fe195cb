/** The checked configuration, as the rest of the code uses it: numbers have units in their names, nothing is optional that has a default. */

export type Profile = 'fast' | 'balanced' | 'wan';

export interface Endpoint {
  /** Host name or address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface ProbeTiming {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Bad results in a row that make a verdict of `down`. */
  readonly fall: number;
  /** Good results in a row that make a verdict of `up`. */
  readonly rise: number;
}

export type ProbeConfig = ProbeTiming &
  (
    | {
        readonly type: 'tcp';
        /** null: the `appPort` of the node that is probed. */
        readonly port: number | null;
      }
    | {
        readonly type: 'http';
        readonly port: number | null;
        readonly path: string;
        /** Host header; null: the node's address. */
        readonly host: string | null;
        /** Inclusive ranges of status codes that count as good. */
        readonly status: readonly (readonly [number, number])[];
        /** Text that the body must hold; null for none. */
        readonly contains: string | null;
      }
    | { readonly type: 'exec'; readonly command: readonly string[] }
  );

/** What is the same on both nodes; port, socket and RESP endpoint of the app are in `NodeConfig`. */
export interface AppConfig {
  /** Probe by the agent on the node, and by the controller; null for none. */
  readonly probe: ProbeConfig | null;
  readonly heartbeat: { readonly intervalMs: number; readonly misses: number } | null;
  /** Command that the agent runs as the app; null if something else runs it. */
  readonly run: readonly string[] | null;
  readonly stopTimeoutMs: number;
  readonly restart: { readonly times: number; readonly withinMs: number };
  /** Hooks on the node; null for none. */
  readonly promote: readonly string[] | null;
  readonly demote: readonly string[] | null;
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
      /** How many announcements follow a takeover, how far apart, and how often one is repeated later. */
      readonly announce: { readonly count: number; readonly intervalMs: number; readonly refreshMs: number };
    }
  | {
      readonly type: 'ipvs';
      readonly virtual: Endpoint;
      readonly protocol: 'tcp' | 'udp';
      readonly forwarding: Forwarding;
      readonly scheduler: IpvsScheduler;
      /** Seconds a client sticks to its server; 0 for none. */
      readonly persistenceS: number;
    }
  | { readonly type: 'nft'; readonly virtual: Endpoint; readonly protocol: 'tcp' | 'udp' }
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
  };
  readonly groups: readonly GroupConfig[];
}
