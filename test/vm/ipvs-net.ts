import { LocalMachine } from '../rig/machine.ts';
import { Rig } from '../rig/rig.ts';
import { tool } from '../rig/tool.ts';

export type Family = 4 | 6;
export const FORWARDINGS = ['nat', 'dr', 'tun'] as const;
export type Forwarding = (typeof FORWARDINGS)[number];

const CLIENT = { 4: '10.0.0.1', 6: 'fd77::1' } as const;
const DIRECTOR = { 4: '10.0.0.10', 6: 'fd77::10' } as const;
const LAST_BYTE = { nat: 100, dr: 101, tun: 102 } as const;
const FAMILIES = [4, 6] as const;

/** The address that clients use, one for each way of forwarding. */
export function virtualAddress(forwarding: Forwarding, family: Family): string {
  return `${family === 4 ? '10.0.0.' : 'fd77::'}${LAST_BYTE[forwarding]}`;
}

/**
 * Client and two nodes on a segment, in namespaces; the VM itself is the director, since its settings of the kernel are
 * those that this process sees. All ways of forwarding work at once, as the manual tells to set them up.
 */
export class IpvsNet {
  readonly rig: Rig;
  readonly director: LocalMachine;

  private constructor(rig: Rig) {
    this.rig = rig;
    this.director = new LocalMachine('director', `${rig.dir}/director`);
  }

  /** To be closed. */
  static async create(): Promise<IpvsNet> {
    await tool(['modprobe', '-a', 'ip_vs', 'ipip', 'ip6_tunnel']);
    const net = new IpvsNet(await Rig.create(['client', 'a', 'b']));
    await net.#attachDirector();
    await Promise.all(['a', 'b'].map((node) => net.#setUpNode(node)));
    return net;
  }

  /** Addresses of a node to which the director may send. */
  addressesOf(node: string): readonly string[] {
    const { address, address6 } = this.rig.host(node);
    const virtual = (['dr', 'tun'] as const).flatMap((one) => FAMILIES.map((family) => virtualAddress(one, family)));
    return [address, address6, ...virtual];
  }

  /** State and last lines of every process, for a person who looks for a cause. */
  tails(): string {
    return this.rig.tails() + this.director.tails();
  }

  async close(): Promise<void> {
    await this.director.close();
    await tool(['ipvsadm', '-C']);
    await tool(['nft', 'flush', 'ruleset']);
    await this.rig.close();
  }

  async #attachDirector(): Promise<void> {
    await tool(
      ['ip', '-n', `${this.rig.id}-bridge`, '-batch', '-'],
      'link add name to-director type veth peer name eth0 netns 1\nlink set dev to-director master br0 up\n',
    );
    // Deprecated, as else the director wraps packets (tun) in ones from an address that the node has too, and drops.
    const addresses = FAMILIES.flatMap((family) => [
      family === 4 ? `${DIRECTOR[4]}/24 dev eth0` : `${DIRECTOR[6]}/64 dev eth0 nodad`,
      ...FORWARDINGS.map(
        (forwarding) => `${virtualAddress(forwarding, family)} dev eth0${family === 6 ? ' nodad preferred_lft 0' : ''}`,
      ),
    ]);
    await tool(['ip', '-batch', '-'], `link set eth0 up\n${addresses.map((one) => `addr add ${one}\n`).join('')}`);
    // It sends packets back where they came from, and means it.
    const settings = ['net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.eth0.send_redirects=0'];
    await tool(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1', ...settings]);
  }

  async #setUpNode(node: string): Promise<void> {
    const host = this.rig.host(node);
    const own = { 4: host.address, 6: host.address6 };
    const settings = [
      ['net.ipv4.conf.all.arp_ignore=1', 'net.ipv4.conf.all.arp_announce=2'],
      ['all', 'eth0', 'tunl0'].map((device) => `net.ipv4.conf.${device}.rp_filter=0`),
      [4, 6].flatMap((version) =>
        ['all', 'eth0'].map((device) => `net.ipv${version}.conf.${device}.accept_redirects=0`),
      ),
    ];
    await host.run(['sysctl', '-qw', ...settings.flat()]);
    await host.run(
      ['ip', '-6', '-batch', '-'],
      `link set tunl0 up\ntunnel add ipvs6 mode ip6ip6 local ${host.address6} remote any\nlink set ipvs6 up\n`,
    );
    for (const family of FAMILIES) {
      // DR and TUN answer clients themselves, with the virtual address; what NAT changed goes back through the director.
      const length = family === 4 ? 32 : 128;
      const lines = [
        ...(['dr', 'tun'] as const).map((one) => `addr add ${virtualAddress(one, family)}/${length} dev lo`),
        `route add ${CLIENT[family]}/${length} via ${DIRECTOR[family]} table 100`,
        `rule add from ${own[family]} to ${CLIENT[family]} lookup 100`,
      ];
      await host.run(['ip', `-${family}`, '-batch', '-'], `${lines.join('\n')}\n`);
    }
  }
}
