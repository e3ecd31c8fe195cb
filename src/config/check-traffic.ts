import { isIP } from 'node:net';
import { canonicalHost, formatEndpoint, isWildcard } from '../kit/address.ts';
import { formatDuration } from '../kit/units.ts';
import type { Endpoint, GroupConfig, TrafficConfig } from './config.ts';
import { error, warning, type Finding } from './finding.ts';
import type { FilePath } from './problem.ts';

type Driver<Type extends TrafficConfig['type']> = Extract<TrafficConfig, { type: Type }>;

/** Shortest lifetime of an address that the kernel offers. */
const KERNEL_LIFETIME_MS = 1000;

/** Traffic drivers that cannot do what the group asks of them, or get into each other's way. */
export function* checkTraffic(group: GroupConfig): Generator<Finding> {
  for (const [index, driver] of group.traffic.entries()) {
    const path: FilePath = ['groups', group.name, 'traffic', index];
    if (driver.type === 'vip') yield* checkVip(group, driver, path);
    if (driver.type === 'ipvs' || driver.type === 'nft') yield* checkVirtual(group, driver.virtual, path);
    if (driver.type === 'ipvs') yield* checkIpvs(group, driver, path);
    if (driver.type === 'haproxy') yield* checkHaproxy(group, driver, path);
    if (driver.type === 'dns') yield* checkDns(group, driver, path);
    const needsPort = driver.type === 'proxy' || driver.type === 'ipvs' || driver.type === 'nft';
    if (needsPort && group.nodes.some(({ appPort }) => appPort === null)) {
      yield error([path], `${driver.type} does not know the app's port`, `add groups.${group.name}.app.port`);
    }
  }
}

/** The address of a vip, without its prefix length. */
export function addressOf(driver: Driver<'vip'>): string {
  return canonicalHost(driver.address.split('/')[0] ?? '');
}

function* checkVip(group: GroupConfig, driver: Driver<'vip'>, path: FilePath): Generator<Finding> {
  const owner = group.nodes.find(({ address }) => canonicalHost(address) === addressOf(driver));
  if (owner !== undefined) {
    yield error([[...path, 'address']], `${driver.address} is node ${owner.id}'s own address`, 'use one that moves');
  }
  if (!driver.label.startsWith(`${driver.interface}:`)) {
    yield error(
      [[...path, 'label']],
      `label ${driver.label} does not begin with ${driver.interface}:`,
      `write it as ${driver.interface}:NAME`,
    );
  }
  const { leaseMs } = group.failover;
  if (leaseMs < KERNEL_LIFETIME_MS && group.failover.fence !== 'always') {
    const least = formatDuration(KERNEL_LIFETIME_MS);
    yield warning(
      [path],
      `a silent machine's kernel keeps the address for up to 1.25s, so its takeover waits longer than the lease of ${formatDuration(leaseMs)}`,
      `lead traffic by proxy, ipvs or nft instead, use failover.lease: ${least} or more, or fence the silent machine (failover.fence: always)`,
    );
  }
}

function* checkVirtual(group: GroupConfig, virtual: Endpoint, path: FilePath): Generator<Finding> {
  const place: FilePath = [...path, 'virtual'];
  const family = isIP(virtual.host);
  if (family === 0 || isWildcard(virtual.host)) {
    yield error(
      [place],
      `${formatEndpoint(virtual)} is not one address`,
      'write the address that clients use, like 10.0.0.100:9000',
    );
    return;
  }
  for (const node of group.nodes) {
    // A name may have an address of each version; the driver looks for the right one.
    const own = isIP(node.address);
    if (own !== 0 && own !== family) {
      yield error(
        [['groups', group.name, 'nodes', node.id, 'address']],
        `${node.address} cannot be reached from ${formatEndpoint(virtual)}`,
        `write an IPv${family} address, or a name that has one`,
      );
    }
  }
}

function* checkIpvs(group: GroupConfig, driver: Driver<'ipvs'>, path: FilePath): Generator<Finding> {
  const { forwarding, virtual, fwmark, scheduler } = driver;
  if (scheduler === 'sh' || scheduler === 'dh') {
    yield warning(
      [[...path, 'scheduler']],
      `scheduler ${scheduler} leads some clients to the node that does not serve, and the kernel refuses them`,
      'use fo',
    );
  }
  if (forwarding !== 'nat' || fwmark !== null) {
    const keeper = fwmark === null ? `forwarding ${forwarding}` : 'a service by fwmark';
    for (const { id, appPort } of group.nodes) {
      if (appPort === null || appPort === virtual.port) continue;
      yield error(
        [[...path, 'virtual']],
        `${keeper} keeps port ${virtual.port}, but the app on ${id} takes its clients at ${appPort}`,
        fwmark === null ? 'use the same port, or forwarding: nat' : 'use the same port',
      );
    }
  }
  for (const vip of group.traffic) {
    if (vip.type !== 'vip' || addressOf(vip) !== canonicalHost(virtual.host)) continue;
    if (forwarding === 'nat') {
      yield error(
        [[...path, 'virtual']],
        `the director and the master would both hold ${virtual.host}`,
        'remove the vip: with forwarding nat only the director has the address',
      );
    } else if (vip.interface !== 'lo') {
      yield warning(
        [[...path, 'virtual']],
        `the director and the master both answer for ${virtual.host}`,
        `put the vip on interface lo, with arp_ignore=1 and arp_announce=2, so that only the director answers`,
      );
    }
  }
}

/** Sections by node may name no others. */
function* checkNodeKeys(group: GroupConfig, keys: readonly string[], path: FilePath): Generator<Finding> {
  const ids = group.nodes.map(({ id }) => id);
  for (const key of keys) {
    if (!ids.includes(key)) yield error([[...path, key]], `no node ${key}`, `use ${ids.join(' and ')}`);
  }
}

function* checkHaproxy(group: GroupConfig, driver: Driver<'haproxy'>, path: FilePath): Generator<Finding> {
  const place: FilePath = [...path, 'servers'];
  yield* checkNodeKeys(group, Object.keys(driver.servers), place);
  const [first, second] = group.nodes.map(({ id }) => driver.servers[id]);
  if (first === second) yield error([place], `both nodes are server ${first}`, 'name one server for each');
  const { virtual } = driver;
  if (virtual !== null && isIP(virtual.host) === 0) {
    yield error(
      [[...path, 'virtual']],
      `${formatEndpoint(virtual)} is not an address`,
      'write the address and port of `bind` in haproxy.cfg, like 10.0.0.100:9000',
    );
  }
}

function* checkDns(group: GroupConfig, driver: Driver<'dns'>, path: FilePath): Generator<Finding> {
  const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');
  const [name, zone] = [plain(driver.name), plain(driver.zone)];
  if (name !== zone && !name.endsWith(`.${zone}`)) {
    yield error([[...path, 'name']], `${driver.name} is not in zone ${driver.zone}`, `write a name below ${zone}`);
  }
  yield* checkNodeKeys(group, Object.keys(driver.addresses), [...path, 'addresses']);
}
