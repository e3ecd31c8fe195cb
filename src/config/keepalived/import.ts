import { canonicalHost, isHost } from '../../kit/address.ts';
import { HsctlError } from '../../kit/errors.ts';
import { writeConfig } from '../write-config.ts';
import { gap, groupName, NODE_NAMES, type GroupDraft, type NodeName } from './draft.ts';
import { serverGroups, virtualAddresses } from './lvs.ts';
import { readMachine, routerId, type Machine } from './machine.ts';
import type { Files, SourceFile } from './read-lines.ts';
import { Remarks, type Remark } from './remarks.ts';
import { formatPlace } from './statement.ts';
import {
  addressesOf,
  appOf,
  beginsAsMaster,
  machineAddresses,
  priorityOf,
  remarkOnManners,
  unitsOf,
  vipEntries,
  type Unit,
} from './vrrp.ts';

export interface ImportRequest {
  /** The file of one machine, or of both. */
  readonly sources: readonly { readonly file: SourceFile; readonly id: string | null }[];
  readonly files: Files;
  readonly cluster: string;
  /** Addresses of the nodes that the operator gave: they come before what the files say. */
  readonly addresses: Readonly<Partial<Record<NodeName, string>>>;
}

export interface Import {
  /** Text of the new configuration. */
  readonly config: string;
  readonly groups: readonly string[];
  /** In the order of the files. */
  readonly remarks: readonly Remark[];
}

/**
 * Turns keepalived's configuration of a pair into hsctl's.
 * @throws HsctlError('config') with a line for each fault of its syntax, or if there is nothing in it for hsctl
 */
export function importKeepalived({ sources, files, cluster, addresses }: ImportRequest): Import {
  const remarks = new Remarks();
  const machines = sources.map(({ file, id }) => readMachine(file, id, files, remarks));
  const [first, second] = machines;
  if (first === undefined) throw new HsctlError('usage', 'no file to import', 'name keepalived.conf');
  const drafts: GroupDraft[] = [];
  const taken = new Set<string>();
  const add = (wanted: string, draft: Omit<GroupDraft, 'name'>): void => {
    const name = groupName(wanted, taken);
    taken.add(name);
    drafts.push({ ...draft, name });
  };
  for (const unit of unitsOf(first)) {
    const draft = vrrpGroup(unit, first, second, remarks);
    if (draft !== null) add(unit.name, draft);
  }
  for (const draft of serverGroups(first, remarks)) add(serviceName(draft), draft);
  if (drafts.length === 0) {
    const lines = remarks.list().map(renderRemark);
    const message = [`${first.file}: nothing in it is a pair that hsctl could keep available`, ...lines].join('\n');
    throw new HsctlError('config', message, 'see docs/migrating-from-keepalived.md');
  }
  const text = fileOf(cluster, drafts, machines, addresses, remarks);
  return { config: text, groups: drafts.map(({ name }) => name), remarks: remarks.list() };
}

export function renderRemark({ place, kind, what, instead }: Remark): string {
  return `${formatPlace(place)}: ${kind}: ${what}: ${instead}`;
}

function serviceName({ about, app }: Omit<GroupDraft, 'name'>): string {
  const [, kind = '', name = ''] = about.split(' ');
  if (kind === 'group') return name;
  return kind === 'fwmark' ? `mark-${name}` : `port-${Number(app['port'] ?? name)}`;
}

function vrrpGroup(
  unit: Unit,
  machine: Machine,
  other: Machine | undefined,
  remarks: Remarks,
): Omit<GroupDraft, 'name'> | null {
  const { place } = unit.owner;
  const title = `${unit.owner.keyword} ${unit.name}`;
  const virtual = addressesOf(unit, machine);
  const services = virtualAddresses(machine);
  if (virtual.length > 0 && virtual.every(({ address }) => services.has(address))) {
    remarks.add(
      'omitted',
      place,
      title,
      'it moves the address of virtual_server between two directors, and the controller runs on one of them: leave this instance with keepalived, or let the nodes hold the address (driver vip) without a director',
    );
    return null;
  }
  if (virtual.length === 0)
    remarks.add(
      'omitted',
      place,
      `${title} without an address`,
      'add an entry to traffic, so that clients find the master',
    );
  remarkOnManners(unit, remarks);
  const partner = other === undefined ? null : partnerOf(unit, machine, other);
  if (other !== undefined && partner === null)
    remarks.add('omitted', place, `${title} in one file only`, 'both machines are taken to have it');
  return {
    about: title,
    place,
    addresses: nodeAddresses(unit, partner, remarks),
    ports: null,
    app: appOf(unit, machine, remarks),
    traffic: vipEntries(unit, machine, remarks),
    prefer: preferred(unit, partner),
  };
}

/** The same unit on the other machine: by its name, or else by an address. */
function partnerOf(unit: Unit, machine: Machine, other: Machine): Unit | null {
  const units = unitsOf(other);
  const own = new Set(addressesOf(unit, machine).map(({ address }) => address));
  return (
    units.find(({ name }) => name === unit.name) ??
    units.find((each) => addressesOf(each, other).some(({ address }) => own.has(address))) ??
    null
  );
}

function nodeAddresses(unit: Unit, partner: Unit | null, remarks: Remarks): GroupDraft['addresses'] {
  const one = machineAddresses(unit);
  const two = partner === null ? null : machineAddresses(partner);
  if (one.peers.length > 1)
    remarks.add(
      'gap',
      unit.owner.place,
      `unicast_peer of ${one.peers.length} machines`,
      'a group has two nodes: fill in which of them is the other one',
    );
  const onlyPeer = one.peers.length === 1 ? (one.peers[0] ?? null) : null;
  const twoPeer = two?.peers.length === 1 ? (two.peers[0] ?? null) : null;
  return { a: one.own ?? twoPeer, b: two?.own ?? onlyPeer };
}

function preferred(unit: Unit, partner: Unit | null): NodeName {
  if (partner !== null && priorityOf(unit) !== priorityOf(partner))
    return priorityOf(partner) > priorityOf(unit) ? 'b' : 'a';
  return beginsAsMaster(unit) === false ? 'b' : 'a';
}

const CONTROL_PORT = 7401;
const PORT_STEP = 10;

function fileOf(
  cluster: string,
  drafts: readonly GroupDraft[],
  machines: readonly Machine[],
  given: ImportRequest['addresses'],
  remarks: Remarks,
): string {
  const above = new Map<string, readonly string[]>();
  const behind = new Map<string, string>();
  const used = new Map<string, number>();
  const groups: Record<string, unknown> = {};
  for (const draft of drafts) {
    const path = `groups.${draft.name}`;
    const nodes: Record<string, unknown> = {};
    const addresses = NODE_NAMES.map((node) => given[node] ?? draft.addresses[node]);
    const before = Math.max(0, ...addresses.map((address) => used.get(canonicalHost(address ?? '')) ?? 0));
    for (const [index, node] of NODE_NAMES.entries()) {
      const address = addresses[index] ?? null;
      const known = address !== null && isHost(address);
      if (!known) {
        remarks.add('gap', draft.place, `the address of node ${node}`, `fill it in, or give --address ${node}=ADDRESS`);
        behind.set(`${path}.nodes.${node}`, 'not in the file');
      }
      const ports = { control: CONTROL_PORT + PORT_STEP * before, replication: CONTROL_PORT + 1 + PORT_STEP * before };
      used.set(canonicalHost(address ?? ''), before + 1);
      nodes[node] = {
        address: known ? address : gap(`the address of node ${node}`),
        ...(before === 0 ? {} : ports),
        ...(draft.ports === null ? {} : { port: draft.ports[node] }),
      };
    }
    const app = { ...draft.app };
    if (draft.ports !== null) delete app['port'];
    groups[draft.name] = {
      nodes,
      ...(Object.keys(app).length === 0 ? {} : { app }),
      ...(draft.traffic.length === 0 ? {} : { traffic: draft.traffic }),
      ...(draft.prefer === 'a' ? {} : { failover: { prefer: draft.prefer } }),
    };
    above.set(path, [`${draft.about}, ${formatPlace(draft.place)}`]);
    if (app['ready'] === undefined && app['promote'] === undefined) {
      above.set(`${path}.nodes`, [
        'The app says by "HS READY" when it may be given clients: README.md, "Joining an app".',
        'Until it does, use ready: hook with a promote hook, or ready: probe with a probe.',
      ]);
    }
  }
  above.set('tls', ['Made by "hsctl cert init" and "hsctl cert issue".']);
  const lines = remarks.list();
  const head = [
    `Made by "hsctl import" from ${[...new Set(machines.map(describe))].join(' and ')}.`,
    ...(lines.length === 0
      ? []
      : ['', 'What is otherwise than it was, or has no counterpart:', ...lines.map(renderRemark)]),
  ];
  return writeConfig({ cluster, tls: { dir: '/etc/hsctl/tls' }, groups }, { head, above, behind });
}

function describe(machine: Machine): string {
  const id = routerId(machine);
  return id === null ? machine.file : `${machine.file} (router_id ${id})`;
}
