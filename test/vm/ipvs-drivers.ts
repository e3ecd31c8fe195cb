import { after } from 'node:test';
import type { DesiredTraffic } from '../../src/controller/ports.ts';
import type { Backend } from '../../src/traffic/backends.ts';
import type { TrafficDeps } from '../../src/traffic/deps.ts';
import { type IpvsConfig, IpvsDriver } from '../../src/traffic/ipvs/driver.ts';
import { PATIENCE } from '../rig/patience.ts';
import { tool } from '../rig/tool.ts';
import { realDeps } from '../traffic/group.ts';
import { Peer } from '../traffic/peers.ts';
import { type Family, type Forwarding, IpvsNet, virtualAddress } from './ipvs-net.ts';
import { startAnswering } from './load.ts';

/** Of all services. */
export const PORT = 9000;

let shared: Promise<IpvsDrivers> | null = null;
after(async () => (await shared)?.close());

/** Programs of this machine, with the time that emulation takes. */
export const patientDeps: TrafficDeps = {
  ...realDeps,
  run: (command, options) => realDeps.run(command, { ...options, timeoutMs: options.timeoutMs * PATIENCE }),
};

/** A service of the tests: one way of forwarding, one IP version, one protocol. */
export interface Service {
  readonly forwarding: Forwarding;
  readonly family: Family;
  readonly protocol: 'tcp' | 'udp';
}

export const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

/** A client, servers on both nodes that say their names, and drivers of services between them. */
export class IpvsDrivers {
  readonly net: IpvsNet;
  readonly client: Peer;
  readonly #backends: Readonly<Record<Family, readonly Backend[]>>;

  private constructor(net: IpvsNet, client: Peer) {
    this.net = net;
    this.client = client;
    const backends = (address: 'address' | 'address6'): readonly Backend[] =>
      ['a', 'b'].map((node) => ({ node, address: net.rig.host(node)[address], port: PORT }));
    this.#backends = { 4: backends('address'), 6: backends('address6') };
  }

  /** One for all tests of the process, which is closed behind the last of them. */
  static shared(): Promise<IpvsDrivers> {
    shared ??= IpvsDrivers.#create();
    return shared;
  }

  static async #create(): Promise<IpvsDrivers> {
    const net = await IpvsNet.create();
    const [client] = await Promise.all([Peer.start(net.rig.host('client')), serve(net, 'a'), serve(net, 'b')]);
    return new IpvsDrivers(net, client);
  }

  close(): Promise<void> {
    return this.net.close();
  }

  /** A driver over the kernel's table, as a restarted controller makes it. */
  driver({ forwarding, family, protocol }: Service, change: Partial<IpvsConfig> = {}): IpvsDriver {
    const config: IpvsConfig = {
      type: 'ipvs',
      virtual: { host: virtualAddress(forwarding, family), port: PORT },
      protocol,
      forwarding,
      scheduler: 'fo',
      persistenceS: 0,
      fwmark: null,
      conntrack: null,
      setSysctls: true,
      ...change,
    };
    return new IpvsDriver(config, 'world', this.#backends[family], patientDeps);
  }

  /** What a new client of the service meets: a node's name, or `over CODE`. */
  reach({ forwarding, family, protocol }: Service, port = PORT): Promise<string> {
    return this.client.reach(virtualAddress(forwarding, family), port, protocol);
  }

  /** Removes all services and rules, and sets IPVS up as after a boot. */
  async reset(): Promise<void> {
    await Promise.all([
      tool(['ipvsadm', '-C']),
      tool(['nft', 'flush', 'ruleset']),
      tool([
        'sysctl',
        '-qw',
        ...['expire_nodest_conn=0', 'expire_quiescent_template=0'].map((one) => `net.ipv4.vs.${one}`),
      ]),
    ]);
  }
}

/** How ipvsadm names it. */
export function nameOf({ forwarding, family, protocol }: Service): string {
  const host = virtualAddress(forwarding, family);
  return `${protocol === 'tcp' ? '-t' : '-u'} ${family === 6 ? `[${host}]` : host}:${PORT}`;
}

/** Servers of a node on each address to which the director may send, and beside. */
function serve(net: IpvsNet, node: string): Promise<void> {
  const beside = ([4, 6] as const).map((family) => `${virtualAddress('dr', family)}/${PORT + 1}`);
  const places = [...net.addressesOf(node).map((address) => `${address}/${PORT}`), ...beside];
  const protocols = ['tcp', 'udp'] as const;
  return startAnswering(
    net.rig.host(node),
    node,
    protocols.flatMap((protocol) => places.map((place) => `${protocol}/${place}`)),
  );
}
