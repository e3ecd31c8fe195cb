import { tool } from './tool.ts';

/** A host of the rig as the network sees it. */
export interface Place {
  readonly name: string;
  readonly namespace: string;
  /** Address on the rig's only segment, 10.0.0.0/24. */
  readonly address: string;
  /** The same in fd77::/64. */
  readonly address6: string;
}

/** Last byte of the addresses of the usual hosts, as in the manual's examples. */
const LAST_BYTE: Readonly<Record<string, number>> = { client: 1, director: 10, a: 11, b: 12 };

/** Clients with a connection a request must not run out of ports while closed connections linger. */
const MANY_CONNECTIONS = ['net.ipv4.tcp_tw_reuse=1', 'net.ipv4.ip_local_port_range=1024 65535'];

const CUTS = `
add table bridge rig
add set bridge rig cuts { type ifname . ifname; }
add chain bridge rig forward { type filter hook forward priority 0; }
add rule bridge rig forward iifname . oifname @cuts drop
add set bridge rig lossy { type ifname . ifname; }
add rule bridge rig forward iifname . oifname @lossy numgen random mod 100 < 30 drop
`;

/**
 * Hosts in network namespaces of their own, joined by a bridge in yet another. What passes between two hosts can be
 * dropped on the bridge, each direction for itself: nobody is told, and established connections suffer as well.
 */
export class Network {
  readonly places: readonly Place[];
  readonly #bridge: string;

  private constructor(id: string, names: readonly string[]) {
    this.#bridge = `${id}-bridge`;
    this.places = names.map((name, index) => {
      const last = LAST_BYTE[name] ?? 20 + index;
      return { name, namespace: `${id}-${name}`, address: `10.0.0.${last}`, address6: `fd77::${last}` };
    });
  }

  /** Makes namespaces whose names begin with `id`. Rejects without root. */
  static async create(id: string, names: readonly string[]): Promise<Network> {
    const network = new Network(id, names);
    const bridge = network.#bridge;
    const spaces = [bridge, ...network.places.map((place) => place.namespace)];
    await tool(['ip', '-batch', '-'], spaces.map((name) => `netns add ${name}\n`).join(''));
    await tool(
      ['ip', '-n', bridge, '-batch', '-'],
      [
        'link add name br0 type bridge stp_state 0 forward_delay 0 mcast_snooping 0',
        'link set dev br0 up',
        ...network.places.flatMap(({ name, namespace }) => [
          `link add name to-${name} type veth peer name eth0 netns ${namespace}`,
          `link set dev to-${name} master br0 up`,
        ]),
        '',
      ].join('\n'),
    );
    await Promise.all([
      tool(['ip', 'netns', 'exec', bridge, 'nft', '-f', '-'], CUTS),
      ...network.places.map(({ namespace }) =>
        tool(['ip', 'netns', 'exec', namespace, 'sysctl', '-q', '-w', ...MANY_CONNECTIONS]),
      ),
      ...network.places.map((place) =>
        tool(
          ['ip', '-n', place.namespace, '-batch', '-'],
          `link set dev lo up\nlink set dev eth0 up\naddr add ${place.address}/24 dev eth0\n` +
            `addr add ${place.address6}/64 dev eth0 nodad\n`,
        ),
      ),
    ]);
    return network;
  }

  /** Drops from now on what goes from one host to another. */
  async cut(pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
    if (pairs.length > 0) await this.#nft(`add element bridge rig cuts ${setOf(pairs)}\n`);
  }

  /** Lets the pairs through again, whether or not they were cut or lossy. */
  async heal(pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
    const elements = setOf(pairs);
    if (pairs.length === 0) return;
    const script = ['cuts', 'lossy'].flatMap((set) => [
      `add element bridge rig ${set} ${elements}\n`, // what is not there cannot be deleted
      `delete element bridge rig ${set} ${elements}\n`,
    ]);
    await this.#nft(script.join(''));
  }

  /** Drops from now on three of ten of what goes from one host to another. */
  async lose(pairs: readonly (readonly [from: string, to: string])[]): Promise<void> {
    if (pairs.length > 0) await this.#nft(`add element bridge rig lossy ${setOf(pairs)}\n`);
  }

  /** Ends every cut and loss. */
  async healAll(): Promise<void> {
    await this.#nft('flush set bridge rig cuts\nflush set bridge rig lossy\n');
  }

  #nft(script: string): Promise<string> {
    return tool(['ip', 'netns', 'exec', this.#bridge, 'nft', '-f', '-'], script);
  }
}

function setOf(pairs: readonly (readonly [string, string])[]): string {
  return `{ ${pairs.map(([from, to]) => `"to-${from}" . "to-${to}"`).join(', ')} }`;
}
