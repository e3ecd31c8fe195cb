import { isIP } from 'node:net';
import { canonicalHost, formatEndpoint, isLoopback, isWildcard } from '../kit/address.ts';
import { addressOf } from './check-traffic.ts';
import type { Config, GroupConfig, NodeConfig } from './config.ts';
import { error, type Finding } from './finding.ts';
import { formatPath, type FilePath } from './problem.ts';

/** What groups, nodes and controller take from each other, and what must be encrypted. */
export function* checkCluster(config: Config): Generator<Finding> {
  yield* checkEncryption(config);
  yield* checkPorts(config);
  yield* checkPaths(config);
  yield* checkAddresses(config);
}

function* checkEncryption(config: Config): Generator<Finding> {
  if (config.tls !== null) return;
  const places: { host: string; path: FilePath }[] = config.groups.flatMap((group) =>
    group.nodes.map(({ id, address }) => ({ host: address, path: ['groups', group.name, 'nodes', id, 'address'] })),
  );
  const listen = config.controller.listen;
  if (listen !== null) places.push({ host: listen.host, path: ['controller', 'listen'] });
  const exposed = places.find(({ host }) => !isLoopback(host));
  if (exposed === undefined) return;
  yield error(
    [['tls']],
    `missing, though ${formatPath(exposed.path)} (${exposed.host}) is not a loopback address`,
    'make certificates with "hsctl cert" and add tls: { dir: /etc/hsctl/tls }',
  );
}

/** Something that one process alone can have. */
interface Claim {
  readonly paths: readonly [FilePath, ...FilePath[]];
  readonly machine: string;
}

function collision(claim: Claim, other: Claim, found: string, what: string): Finding {
  const [own] = claim.paths;
  const twoNodes = own[0] === 'groups' && own[1] === other.paths[0][1] && own[2] === 'nodes';
  const remedy = twoNodes ? `give each node its own, as ${formatPath(own)}` : `give each a ${what} of its own`;
  return error(claim.paths, found, remedy);
}

interface PortClaim extends Claim {
  readonly host: string;
  readonly port: number;
}

function* checkPorts(config: Config): Generator<Finding> {
  const taken = new TakenPorts();
  for (const claim of portClaims(config)) {
    const other = taken.add(claim);
    if (other === null) continue;
    yield collision(claim, other, `${formatEndpoint(claim)} is taken by ${formatPath(other.paths[0])}`, 'port');
  }
}

/** The first claims of each kind, by port: a large cluster has thousands for the same port, on as many addresses. */
class TakenPorts {
  readonly #onHost = new Map<string, PortClaim[]>();
  readonly #onMachine = new Map<string, PortClaim>();
  readonly #onAllAddresses = new Map<string, PortClaim>();

  /** Adds a claim; the one that it collides with, if there is one. */
  add(claim: PortClaim): PortClaim | null {
    const host = `${claim.port} ${canonicalHost(claim.host)}`;
    const machine = `${claim.port} ${claim.machine}`;
    const sameHost = this.#onHost.get(host) ?? [];
    this.#onHost.set(host, sameHost);
    const everywhere = isWildcard(claim.host);
    // Beyond loopback an address names its machine; the same loopback address is another one on each machine.
    const namesMachine = !isLoopback(claim.host) && !everywhere;
    const other =
      (everywhere ? this.#onMachine : this.#onAllAddresses).get(machine) ??
      sameHost.find((each) => namesMachine || each.machine === claim.machine) ??
      null;
    if (!sameHost.some((each) => each.machine === claim.machine)) sameHost.push(claim);
    if (!this.#onMachine.has(machine)) this.#onMachine.set(machine, claim);
    if (everywhere && !this.#onAllAddresses.has(machine)) this.#onAllAddresses.set(machine, claim);
    return other;
  }
}

function* portClaims(config: Config): Generator<PortClaim> {
  const director = directorOf(config);
  const { listen } = config.controller;
  if (listen !== null) yield { paths: [['controller', 'listen']], machine: director, ...listen };
  for (const group of config.groups) {
    for (const node of group.nodes) yield* nodePortClaims(group, node);
    for (const [index, driver] of group.traffic.entries()) {
      if (driver.type !== 'proxy') continue;
      yield { paths: [['groups', group.name, 'traffic', index, 'listen']], machine: director, ...driver.listen };
    }
  }
}

function* nodePortClaims(group: GroupConfig, node: NodeConfig): Generator<PortClaim> {
  const machine = machineOf(node.address);
  const at = (...keys: string[]): FilePath => ['groups', group.name, ...keys];
  const own = { machine, host: node.address };
  yield { ...own, port: node.control, paths: [at('nodes', node.id, 'control')] };
  yield { ...own, port: node.replication, paths: [at('nodes', node.id, 'replication')] };
  if (node.appPort !== null) {
    yield { ...own, port: node.appPort, paths: [at('nodes', node.id, 'port'), at('app', 'port')] };
  }
  if (node.listen !== null) {
    yield { ...node.listen, machine, paths: [at('nodes', node.id, 'listen'), at('app', 'listen')] };
  }
}

/** The machine of the controller, as far as it is known: that of everything if all is loopback. */
function directorOf(config: Config): string {
  const [group] = config.groups;
  const all = config.groups.every(({ nodes }) => nodes.every(({ address }) => isLoopback(address)));
  return group !== undefined && all ? machineOf('localhost') : 'director';
}

function machineOf(address: string): string {
  return isLoopback(address) ? 'localhost' : canonicalHost(address);
}

interface PathClaim extends Claim {
  readonly file: string;
  /** A directory: nothing else may be inside it. */
  readonly directory: boolean;
}

function* checkPaths(config: Config): Generator<Finding> {
  const claims = new Map<string, PathClaim>();
  const all = [...pathClaims(config)];
  for (const claim of all) {
    const key = `${claim.machine}:${claim.file}`;
    const other = claims.get(key);
    if (other === undefined) claims.set(key, claim);
    else yield collision(claim, other, `${claim.file} is taken by ${formatPath(other.paths[0])}`, 'path');
  }
  for (const claim of all) {
    for (const above of parentsOf(claim.file)) {
      const outer = claims.get(`${claim.machine}:${above}`);
      if (outer?.directory !== true) continue;
      yield collision(claim, outer, `${claim.file} is inside ${above}, which is ${formatPath(outer.paths[0])}`, 'path');
    }
  }
}

function* pathClaims(config: Config): Generator<PathClaim> {
  const machines = new Set(config.groups.flatMap(({ nodes }) => nodes.map(({ address }) => machineOf(address))));
  const { socket, state } = config.controller;
  // The controller may run on any of them.
  for (const machine of machines) {
    yield { machine, file: plainPath(socket), directory: false, paths: [['controller', 'socket'], ['controller']] };
    yield { machine, file: plainPath(state), directory: true, paths: [['controller', 'state'], ['controller']] };
  }
  for (const group of config.groups) {
    for (const node of group.nodes) {
      const machine = machineOf(node.address);
      const at = (...keys: string[]): FilePath => ['groups', group.name, ...keys];
      yield {
        machine,
        file: plainPath(node.socket),
        directory: false,
        paths: [at('nodes', node.id, 'socket'), at('app', 'socket')],
      };
      yield {
        machine,
        file: plainPath(node.store),
        directory: true,
        paths: [at('nodes', node.id, 'store'), at('replication', 'store')],
      };
      if (node.watchdog === null) continue;
      // One process alone can have it open.
      const file = plainPath(node.watchdog.device);
      yield { machine, file, directory: false, paths: [at('nodes', node.id, 'watchdog', 'device')] };
    }
  }
}

function plainPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function parentsOf(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(2).map((_, index) => parts.slice(0, index + 2).join('/'));
}

function* checkAddresses(config: Config): Generator<Finding> {
  const taken = new Map<string, FilePath>();
  for (const group of config.groups) {
    for (const [index, driver] of group.traffic.entries()) {
      let key: string;
      let path: FilePath = ['groups', group.name, 'traffic', index];
      if (driver.type === 'vip') {
        key = addressOf(driver);
        path = [...path, 'address'];
      } else if (driver.type === 'ipvs' && driver.fwmark !== null) {
        key = `fwmark ${driver.fwmark} of IPv${isIP(driver.virtual.host)}`;
        path = [...path, 'fwmark'];
      } else if (driver.type === 'ipvs' || driver.type === 'nft') {
        key = `${driver.protocol} ${formatEndpoint({ ...driver.virtual, host: canonicalHost(driver.virtual.host) })}`;
        path = [...path, 'virtual'];
      } else if (driver.type === 'haproxy') {
        key = `backend ${driver.backend} of ${driver.socket}`;
        path = [...path, 'backend'];
      } else if (driver.type === 'dns') {
        key = driver.name.toLowerCase().replace(/\.$/, '');
        path = [...path, 'name'];
      } else continue;
      const other = taken.get(key);
      if (other === undefined) taken.set(key, path);
      else yield error([path], `${key} is taken by ${formatPath(other)}`, 'use another one for each');
    }
  }
}
