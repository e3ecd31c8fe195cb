import { z } from 'zod';
import { duration, fsync, rate, size, wholeSeconds } from './amount-fields.ts';
import {
  addressWithPrefix,
  choice,
  command,
  count,
  endpoint,
  host,
  name,
  path,
  port,
  section,
  socketPath,
  unknownType,
  isSection,
} from './fields.ts';
import { probeSection } from './probe-section.ts';
import {
  ADDRESS_LISTS,
  addressList,
  domainName,
  haproxyName,
  interfaceLabel,
  interfaceName,
  routeList,
} from './traffic-fields.ts';

/**
 * The file, key by key: names and units as people write them, nothing filled in. `resolve.ts` makes the `Config` of it.
 * The descriptions reach editors through the JSON Schema.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MEBIBYTE = 2 ** 20;

const GROUP_LIMIT = 10_000;
const NODE_NAMES = 'write exactly two nodes, like a: { address: 10.0.0.11 } and b: { address: 10.0.0.12 }';

const fenceSchema = section({
  command: command().describe('The program and its arguments; exit code 0 says that the node is off'),
  timeout: duration(100, HOUR)
    .optional()
    .describe('After this it is killed, and nobody knows what it did; default 30s'),
});

const watchdogSchema = section({
  device: path().describe('The watchdog device, like /dev/watchdog'),
  timeout: wholeSeconds(1, 600)
    .optional()
    .describe('The machine restarts when it was not fed for this long; default 5s'),
});

const nodeSchema = section({
  address: host().describe("The node's address, on which its agent listens"),
  control: port().optional().describe("The agent's port for the controller; default 7401"),
  replication: port().optional().describe("The agent's port for the other agent; default 7402"),
  port: port().optional().describe("Where the app on this node takes its clients; default: the app's port"),
  socket: socketPath().optional().describe("This node's RESP socket; default: the app's socket"),
  listen: endpoint().optional().describe("This node's RESP endpoint; default: the app's"),
  store: path().optional().describe("This node's directory for the log; default: the group's store"),
  fence: z
    .array(fenceSchema, 'write a list of commands, like [{ command: [/etc/hsctl/fence-a] }]')
    .min(1, 'write at least one command, or leave it out')
    .max(10, 'write at most 10 commands')
    .optional()
    .describe('How the controller fences the node: programs, tried in this order; default: not at all'),
  watchdog: watchdogSchema.optional().describe('Kernel watchdog that the agent feeds; default: none'),
});

const appSchema = section({
  port: port().optional().describe('Where the app takes its clients'),
  socket: socketPath()
    .optional()
    .describe('Unix socket on which the agent serves RESP to the app; default /run/hsctl/GROUP.sock'),
  listen: endpoint().optional().describe('Loopback endpoint for RESP beside the socket; default: none'),
  probe: probeSection().optional().describe('How the app is probed, by its agent and by the controller; default: not'),
  heartbeat: section({
    interval: duration(10, MINUTE).optional().describe("How often the agent compares the app's counters"),
    misses: count(2, 100).optional().describe('Comparisons without a request after which the app counts as hung'),
  })
    .optional()
    .describe('For apps that send requests all the time: how long silence may last; default: not watched'),
  run: command().optional().describe('The app, if the agent is to run it'),
  stopTimeout: duration(10, 10 * MINUTE)
    .optional()
    .describe('From SIGTERM to SIGKILL; default 5s'),
  restart: section({
    times: count(0, 1000)
      .optional()
      .describe('Restarts in place before the node gives up; default 0: fail over at once'),
    within: duration(SECOND, DAY).optional().describe('The time over which they are counted; default 1m'),
  })
    .optional()
    .describe('Restarting a crashed app in place'),
  promote: command().optional().describe('Hook on the node that becomes master'),
  demote: command().optional().describe('Hook on the node that stops being master'),
  notify: command()
    .optional()
    .describe('Program on each node that is told of every change of its state, as by keepalived'),
  hookTimeout: duration(10, HOUR).optional().describe('After this a hook is killed and has failed'),
  ready: choice(['app', 'hook', 'probe'])
    .optional()
    .describe(
      'Who says that a promoted app is ready: the app (HS READY), the promote hook by exit 0, or the probe; default: hook if there is a promote hook, else app',
    ),
  readyTimeout: duration(100, DAY).optional().describe('After this a promotion without that word has failed'),
});

const protocol = choice(['tcp', 'udp']).optional().describe('Default tcp');

const trafficSchema = z.discriminatedUnion(
  'type',
  [
    section({
      type: z.literal('proxy').describe('TCP proxy inside the controller'),
      listen: endpoint().describe('Where clients connect'),
      hold: duration(0, 10 * MINUTE)
        .optional()
        .describe('How long new connections wait during a change of master; default 10s'),
    }),
    section({
      type: z.literal('vip').describe('Address that the master holds, under its lease'),
      address: addressWithPrefix().describe('The address, with prefix length'),
      interface: interfaceName().describe('Network interface of the node'),
      label: interfaceLabel().optional().describe('Label of an IPv4 address; default INTERFACE:hs'),
      routes: routeList()
        .optional()
        .describe('Routes that exist while the address is held, as `ip route add` takes them'),
      rules: routeList().optional().describe('Rules that exist while the address is held, as `ip rule add` takes them'),
      announce: section({
        count: count(1, 100).optional().describe('Announcements after a takeover; default 5'),
        interval: duration(10, MINUTE).optional().describe('Time between them; default 300ms'),
        refresh: duration(SECOND, DAY).optional().describe('Time between later ones; default 1s'),
      })
        .optional()
        .describe('Telling the neighbours'),
    }),
    section({
      type: z.literal('ipvs').describe('IPVS service on the director, by ipvsadm'),
      virtual: endpoint().describe('Address and port for clients'),
      protocol,
      forwarding: choice(['nat', 'dr', 'tun']).optional().describe('How packets reach the node; default nat'),
      scheduler: choice(['fo', 'rr', 'wrr', 'lc', 'wlc', 'lblc', 'lblcr', 'dh', 'sh', 'sed', 'nq', 'ovf', 'mh'])
        .optional()
        .describe('Default fo: all to the highest weight'),
      persistence: wholeSeconds(0, 86_400).optional().describe('How long a client sticks to its node; default 0s: not'),
      fwmark: count(1, 2 ** 31 - 1)
        .optional()
        .describe(
          "Mark of the service's packets, set by your own rules; default: address, port and protocol tell them",
        ),
      conntrack: z
        .boolean('write true or false')
        .optional()
        .describe('Whether IPVS uses conntrack, for firewall rules by state; default: as it is'),
      sysctls: choice(['set', 'check'])
        .optional()
        .describe("Whether the kernel's settings of IPVS are changed where they do harm, or only told; default set"),
    }),
    section({
      type: z.literal('nft').describe('DNAT on the director, by nft'),
      virtual: endpoint().describe('Address and port for clients'),
      protocol,
    }),
    section({
      type: z.literal('haproxy').describe("Servers of a backend of HAProxy's, by its runtime API"),
      socket: socketPath().describe('Unix socket of the runtime API, with level admin'),
      backend: haproxyName().describe('The backend'),
      servers: z
        .record(name(), haproxyName(), 'write the server of each node, like { a: world1, b: world2 }')
        .optional()
        .describe("Each node's server in the backend; default: the node's name"),
      virtual: endpoint()
        .optional()
        .describe(
          'Where clients connect: there new connections wait during a planned change; default: they are refused',
        ),
    }),
    section({
      type: z.literal('dns').describe('Name that follows the master, by dynamic update'),
      name: domainName().describe('The name'),
      zone: domainName().describe('The zone that it is in'),
      server: endpoint().describe('Primary server of the zone'),
      key: path().describe('File with the key for TSIG, as tsig-keygen or keymgr writes it'),
      ttl: wholeSeconds(1, 86_400).optional().describe('How long others may remember the address; default 5s'),
      addresses: z
        .record(name(), addressList(), ADDRESS_LISTS)
        .optional()
        .describe("Addresses of each node for clients, IPv4 and IPv6; default: the node's address"),
      timeout: duration(10, 10 * MINUTE)
        .optional()
        .describe('After this an exchange with the server has failed; default 5s'),
    }),
    section({
      type: z.literal('script').describe('Your own program'),
      command: command().describe('The program and its arguments'),
      timeout: duration(10, HOUR).optional().describe('After this it is killed and has failed; default 10s'),
    }),
  ],
  unknownType(['proxy', 'vip', 'ipvs', 'nft', 'haproxy', 'dns', 'script']),
);

const replicationSchema = section({
  ack: choice(['replica']).optional().describe('When a write is confirmed: once every in-sync node holds it'),
  fsync: fsync().optional().describe('Time between two fsyncs of the log, or "always"; default 100ms'),
  store: path().optional().describe('Directory of the log on each node; default /var/lib/hsctl/GROUP'),
  catchUpRate: rate(65_536).optional().describe('Bytes per second for a slave that catches up, or "unlimited"'),
  catchUpInterval: duration(10, 10 * SECOND)
    .optional()
    .describe('Time over which that rate is kept; default 100ms'),
  segmentSize: size(MEBIBYTE, 1024 * MEBIBYTE)
    .optional()
    .describe('Size at which a new file of the log is begun; default 64MiB'),
  tombstones: duration(MINUTE, 400 * DAY)
    .optional()
    .describe('How long a delete is remembered for absent slaves; default 1d'),
});

const failoverSchema = section({
  mode: choice(['auto', 'manual']).optional().describe('Whether the controller may fail over by itself; default auto'),
  lease: duration(50, 10 * MINUTE)
    .optional()
    .describe('How long a master may serve on one grant'),
  heartbeat: duration(10, MINUTE).optional().describe('Time between two heartbeats on each link'),
  detect: duration(20, 10 * MINUTE)
    .optional()
    .describe('Silence after which the other end of a link counts as gone'),
  stallTimeout: duration(100, HOUR).optional().describe('Silence of the slave after which the master may go on alone'),
  holdDown: duration(0, DAY).optional().describe('Time after a failover in which no other one begins by itself'),
  onControllerLoss: choice(['serve', 'stop'])
    .optional()
    .describe('What a master does that is alone and loses the controller; default serve'),
  fence: choice(['doubt', 'always'])
    .optional()
    .describe(
      'When a former master that does not give up by itself is fenced by commands: only where no lease tells that it has ended, or always; default doubt',
    ),
  finishWork: duration(0, 10 * MINUTE)
    .optional()
    .describe('How long requests under way may take to end in a planned change before writes freeze; default 200ms'),
  switchoverTimeout: duration(100, HOUR)
    .optional()
    .describe('A planned change that has not frozen writes by then is rolled back'),
  prefer: name().optional().describe('Node that becomes master of a fresh pair; default: the first'),
});

export const groupSchema = section({
  profile: choice(['fast', 'balanced', 'wan'])
    .optional()
    .describe('Set of numbers that all others default to; default balanced'),
  nodes: z
    .record(name(), nodeSchema, NODE_NAMES)
    .refine((nodes) => Object.keys(nodes).length === 2, { error: NODE_NAMES, when: ({ value }) => isSection(value) })
    .describe('The two nodes, by name'),
  app: appSchema.optional().describe('The protected server'),
  traffic: z
    .array(trafficSchema, 'write a list of drivers, like [{ type: proxy, listen: "127.0.0.1:9000" }]')
    .max(100, 'write at most 100 drivers')
    .optional()
    .describe('How clients reach the master'),
  notify: command()
    .optional()
    .describe("Program on the controller's machine that is told of every change of the group's state"),
  replication: replicationSchema.optional().describe('How state is kept and copied'),
  failover: failoverSchema.optional().describe('When the other node takes over'),
});
export type GroupFile = z.output<typeof groupSchema>;

const clusterKeys = {
  cluster: name().describe('Name of the cluster; agents and controllers of another name are refused'),
  tls: section({ dir: path().describe('Directory with ca.pem, and NAME.pem and NAME.key of this machine') })
    .optional()
    .describe('Certificates; may be left out only where every address is loopback'),
  controller: section({
    listen: endpoint().optional().describe('Where the controller serves its API to other machines; default: nowhere'),
    socket: socketPath().optional().describe("The controller's socket; default /run/hsctl/controller.sock"),
    state: path().optional().describe("Directory of the controller's records; default /var/lib/hsctl/controller"),
    ipvsSync: section({
      interface: interfaceName().describe('Interface towards the other director'),
      id: count(0, 255).optional().describe('Number that both directors have; default 0'),
    })
      .optional()
      .describe('Connections of IPVS are told to a second director; default: not'),
  })
    .optional()
    .describe('The controller'),
};

const GROUPS = 'write the groups by name, like world: { nodes: ... }';

/** All but the inside of the groups, which are checked one by one so that one that is wrong hides nothing in the others. */
export const clusterSchema = section({
  ...clusterKeys,
  groups: z
    .record(name(), z.unknown(), GROUPS)
    .refine((groups) => Object.keys(groups).length > 0, GROUPS)
    .refine((groups) => Object.keys(groups).length <= GROUP_LIMIT, `write at most ${GROUP_LIMIT} groups`),
});
export type ClusterFile = z.output<typeof clusterSchema>;

/** The whole file. */
export const fileSchema = section({
  ...clusterKeys,
  groups: z.record(name(), groupSchema, GROUPS).describe('The protected services, by name'),
});
export type ConfigFile = z.output<typeof fileSchema>;
