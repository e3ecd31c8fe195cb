/**
 * From the services that the kernel has to those that it should have, as arguments of ipvsadm. Pure.
 *
 * One server at most has a weight above 0. Each edit names all that it does not want changed, because `-e` replaces
 * everything: without -m or -i a server becomes one of direct routing, without -w its weight 1.
 */

import type { DesiredTraffic } from '../../controller/ports.ts';
import type { NodeId } from '../../model/roles.ts';

export type IpvsForwarding = 'nat' | 'dr' | 'tun';

export interface IpvsServer {
  /** `10.0.0.11:9000`, as ipvsadm writes it. */
  readonly server: string;
  readonly forwarding: IpvsForwarding;
  readonly weight: number;
}

export interface IpvsService {
  readonly scheduler: string;
  /** Seconds a client sticks to its server; 0 for none. */
  readonly persistenceS: number;
  /** Options that we never set (mask, flags, one packet), as found. */
  readonly otherOptions: string;
  readonly servers: readonly IpvsServer[];
}

/** What the configuration says of a service. */
export interface IpvsTarget {
  /** `-t 10.0.0.100:9000`, `-f 7 -6`: how ipvsadm names the service. */
  readonly service: string;
  readonly scheduler: string;
  readonly persistenceS: number;
  readonly forwarding: IpvsForwarding;
  /**
   * What comes from where a packet came from lately goes to the same server, and there is no end that would be seen
   * (UDP): a server that is to get nothing new must be taken out, as with weight 0 it would keep its clients for ever.
   */
  readonly endless: boolean;
  readonly servers: readonly { readonly node: NodeId; readonly server: string }[];
}

/** One line for `ipvsadm -R`. */
export type IpvsStep = string;

const FORWARDING_FLAG = { nat: '-m', dr: '-g', tun: '-i' } as const;

/** Steps, in order, that bring `actual` (null: no such service) to what is desired; none if nothing is to be done. */
export function planIpvs(target: IpvsTarget, desired: DesiredTraffic, actual: IpvsService | null): readonly IpvsStep[] {
  const steps: IpvsStep[] = [];
  const options = `-s ${target.scheduler}${target.persistenceS > 0 ? ` -p ${target.persistenceS}` : ''}`;
  if (actual === null) steps.push(`-A ${target.service} ${options}`);
  else if (!hasOptions(actual, target)) steps.push(`-E ${target.service} ${options}`);
  return [...steps, ...planServers(target, wantedWeights(target, desired, actual), actual?.servers ?? [])];
}

function hasOptions(actual: IpvsService, target: IpvsTarget): boolean {
  return (
    actual.scheduler === target.scheduler && actual.persistenceS === target.persistenceS && actual.otherOptions === ''
  );
}

/** Weight of each server that the service should have. Those left out are removed, and the kernel forgets their connections. */
function wantedWeights(
  target: IpvsTarget,
  desired: DesiredTraffic,
  actual: IpvsService | null,
): ReadonlyMap<string, number> {
  const alive = target.servers.filter(({ node }) => !desired.dead.includes(node));
  if (desired.active === null && desired.hold) return keptWeights(alive, actual);
  const wanted = target.endless ? alive.filter(({ node }) => node === desired.active) : alive;
  return new Map(wanted.map(({ node, server }) => [server, node === desired.active ? 1 : 0]));
}

/** While new connections are held elsewhere, whoever had them may go on having them; but never two. */
function keptWeights(alive: IpvsTarget['servers'], actual: IpvsService | null): ReadonlyMap<string, number> {
  const weightOf = (server: string): number =>
    actual?.servers.find((candidate) => candidate.server === server)?.weight ?? 0;
  const positive = alive.filter(({ server }) => weightOf(server) > 0);
  return new Map(alive.map(({ server }) => [server, positive.length === 1 && weightOf(server) > 0 ? 1 : 0]));
}

function planServers(
  target: IpvsTarget,
  wanted: ReadonlyMap<string, number>,
  servers: readonly IpvsServer[],
): readonly IpvsStep[] {
  const present = new Map(servers.map((one) => [one.server, one]));
  const put = (server: string, weight: number): IpvsStep =>
    `${present.has(server) ? '-e' : '-a'} ${target.service} -r ${server} ${FORWARDING_FLAG[target.forwarding]} -w ${weight} -x 0 -y 0`;
  const differs = (server: string, weight: number): boolean => {
    const one = present.get(server);
    return one === undefined || one.weight !== weight || one.forwarding !== target.forwarding;
  };

  const steps: IpvsStep[] = [];
  const [active] = [...wanted].find(([, weight]) => weight > 0) ?? [null];
  const highestOther = Math.max(0, ...servers.filter(({ server }) => server !== active).map(({ weight }) => weight));
  let risen = 0;
  if (active !== null && target.scheduler === 'fo' && highestOther > 0) {
    // Scheduler fo sends all to the highest weight, so this one step moves the service, without a moment of no server.
    risen = highestOther + 1;
    const activeNow = present.get(active);
    if (activeNow === undefined || activeNow.weight < risen) steps.push(put(active, risen));
    if (activeNow === undefined) present.set(active, { server: active, forwarding: target.forwarding, weight: risen });
  }
  // With any other scheduler the old server stops first: a moment of no server is better than one of two.
  for (const { server } of servers) {
    const weight = wanted.get(server);
    if (weight === undefined) steps.push(`-d ${target.service} -r ${server}`);
    else if (server !== active && differs(server, weight)) steps.push(put(server, weight));
  }
  if (active !== null && (risen > 1 || differs(active, 1))) steps.push(put(active, 1));
  for (const [server, weight] of wanted) if (server !== active && !present.has(server)) steps.push(put(server, weight));
  return steps;
}
