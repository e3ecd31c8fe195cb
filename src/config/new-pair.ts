import { isIP } from 'node:net';
import { isLoopback } from '../kit/address.ts';
import type { Profile } from './config.ts';
import { writeConfig } from './write-config.ts';

/** What `hsctl init` asks for. */
export interface PairAnswers {
  readonly cluster: string;
  readonly group: string;
  readonly addressA: string;
  readonly addressB: string;
  /** Where the app takes its clients. */
  readonly port: number;
  readonly profile: Profile;
  readonly traffic: 'vip' | 'ipvs' | 'nft' | 'proxy';
  /** The address for clients: with prefix length for `vip`, with port for the others. */
  readonly virtual: string;
  /** Of the node, for `vip`. */
  readonly interface: string;
}

const TRAFFIC = {
  vip: 'an address that the master holds, under its lease',
  ipvs: 'a service of IPVS on the director; needs ipvsadm there',
  nft: 'an address that the director translates; needs nft there',
  proxy: 'a TCP proxy inside the controller',
} as const;

const SECOND_NODE_PORTS = { control: 7411, replication: 7412 };

/** An address alone means just that one. */
function withPrefixLength(address: string): string {
  const family = isIP(address);
  return family === 0 ? address : `${address}/${family === 6 ? 128 : 32}`;
}

/** The file for a pair, with comments for whoever goes on with it. */
export function newPairConfig(answers: PairAnswers): string {
  const { cluster, group, addressA, addressB, port, profile, traffic, virtual } = answers;
  const local = isLoopback(addressA) && isLoopback(addressB);
  const together = local || addressA === addressB;
  const entry =
    traffic === 'vip'
      ? { type: traffic, address: withPrefixLength(virtual), interface: answers.interface }
      : traffic === 'proxy'
        ? { type: traffic, listen: virtual }
        : { type: traffic, virtual };
  const file = {
    cluster,
    ...(local ? {} : { tls: { dir: '/etc/hsctl/tls' } }),
    groups: {
      [group]: {
        profile,
        nodes: {
          a: { address: addressA, ...(together ? { port } : {}) },
          b: { address: addressB, ...(together ? { ...SECOND_NODE_PORTS, port: port + 1 } : {}) },
        },
        app: { ...(together ? {} : { port }), probe: { type: 'tcp' } },
        traffic: [entry],
      },
    },
  };
  const at = `groups.${group}`;
  const above = new Map([
    [at, ['One protected service; there may be more, each with ports of its own on the nodes.']],
    [`${at}.nodes`, ['The machines: one serves, the other holds a copy of every acknowledged write.']],
    [
      `${at}.app`,
      [
        'The server. It finds its agent at the unix socket (socket:), or by RESP at listen: 127.0.0.1:6379, and says HS READY.',
        'Further keys: run, restart, promote, demote, heartbeat, ready.',
      ],
    ],
    [`${at}.traffic`, [`How clients reach the master: ${TRAFFIC[traffic]}.`]],
    ...(local ? [] : [['tls', ['Made by "hsctl cert init" and "hsctl cert issue".']] as const]),
  ]);
  const head = [
    'The same file on every machine. Check it: hsctl config check, then hsctl doctor.',
    'Every key: docs/configuration.md; every value in force: hsctl config show.',
  ];
  const behind = new Map([[`${at}.profile`, 'fast | balanced | wan: numbers for leases and heartbeats']]);
  return writeConfig(file, { head, above, behind });
}
