import { z } from 'zod';
import { duration, fsync, rate, size, wholeSeconds } from './amount-fields.ts';
import {
  addressWithPrefix,
  choice,
  command,
  count,
  endpoint,
  host,
  interfaceName,
  name,
  path,
  port,
  section,
  socketPath,
  statusRange,
  unknownType,
  isSection,
} from './fields.ts';

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

const nodeSchema = section({
  address: host().describe("The node's address, on which its agent listens"),
  control: port().optional().describe("The agent's port for the controller; default 7401"),
  replication: port().optional().describe("The agent's port for the other agent; default 7402"),
  port: port().optional().describe("Where the app on this node takes its clients; default: the app's port"),
  socket: socketPath().optional().describe("This node's RESP socket; default: the app's socket"),
  listen: endpoint().optional().describe("This node's RESP endpoint; default: the app's"),
  store: path().optional().describe("This node's directory for the log; default: the group's store"),
});

const probeTiming = {
  interval: duration(20, HOUR).optional().describe('From the start of one probe to that of the next'),
  timeout: duration(10, 5 * MINUTE)
    .optional()
    .describe('After this a probe has failed'),
  fall: count(1, 100).optional().describe('Failures in a row after which the app counts as down; default 3'),
  rise: count(1, 100).optional().describe('Successes in a row after which it counts as up again; default 2'),
};
const probePort = port().optional().describe("Port that is probed; default: the app's port");

const probeSchema = z.discriminatedUnion(
  'type',
  [
    section({
      type: z.literal('tcp').describe('Good if a connection is accepted'),
      port: probePort,
      ...probeTiming,
    }),
    section({
      type: z.literal('http').describe('Good if a GET is answered as expected'),
      port: probePort,
      path: z
        .string('write a path, like /health')
        .regex(/^\/[\x21-\x7e]*$/, 'write a path, like /health')
        .optional()
        .describe('What is asked for; default /'),
      host: host().optional().describe("Host header; default: the node's address"),
      status: z
        .array(statusRange(), 'write a list of status codes, like [200-299]')
        .min(1, 'write at least one status code, like [200-299]')
        .optional()
        .describe('Status codes that are good; default [200-299]'),
      contains: z
        .string('write the text that the body must hold')
        .min(1, 'write the text that the body must hold')
        .max(1000, 'write at most 1000 characters')
        .optional()
        .describe('Text that must stand in the first 64 KiB of the body'),
      ...probeTiming,
    }),
    section({
      type: z.literal('exec').describe('Good if a program ends with exit code 0'),
      command: command().describe('The program and its arguments'),
      ...probeTiming,
    }),
  ],
  unknownType(['tcp', 'http', 'exec']),
);

const appSchema = section({
  port: port().optional().describe('Where the app takes its clients'),
  socket: socketPath()
    .optional()
    .describe('Unix socket on which the agent serves RESP to the app; default /run/hsctl/GROUP.sock'),
  listen: endpoint().optional().describe('Loopback endpoint for RESP beside the socket; default: none'),
  probe: probeSchema.optional().describe('How the app is probed, by its agent and by the controller; default: not'),
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
    }),
    section({
      type: z.literal('nft').describe('DNAT on the director, by nft'),
      virtual: endpoint().describe('Address and port for clients'),
      protocol,
    }),
    section({
      type: z.literal('script').describe('Your own program'),
      command: command().describe('The program and its arguments'),
      timeout: duration(10, HOUR).optional().describe('After this it is killed and has failed; default 10s'),
    }),
  ],
  unknownType(['proxy', 'vip', 'ipvs', 'nft', 'script']),
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
