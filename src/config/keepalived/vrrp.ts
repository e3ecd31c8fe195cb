import { isIP } from 'node:net';
import { canonicalHost } from '../../kit/address.ts';
import { formatDuration } from '../../kit/units.ts';
import { hooksOf } from './notify.ts';
import { milliseconds, wholeNumber, type Machine } from './machine.ts';
import type { Remarks } from './remarks.ts';
import { argument, last, listed, type Statement } from './statement.ts';
import { trackedProbes, type Section } from './track-scripts.ts';

/** A vrrp_instance, or a sync group with all of its instances: what changes its machine as one. */
export interface Unit {
  readonly name: string;
  /** The sync group, or the only instance. */
  readonly owner: Statement;
  readonly instances: readonly Statement[];
}

export function unitsOf(machine: Machine): readonly Unit[] {
  const grouped = new Set<string>();
  const units: Unit[] = [];
  for (const [name, owner] of machine.syncGroups) {
    const members = listed(owner.block ?? [], 'group').map(({ keyword }) => keyword);
    const instances = members.flatMap((member) => machine.instances.get(member) ?? []);
    for (const member of members) grouped.add(member);
    if (instances.length > 0) units.push({ name, owner, instances });
  }
  for (const [name, owner] of machine.instances)
    if (!grouped.has(name)) units.push({ name, owner, instances: [owner] });
  return units;
}

export interface VirtualAddress {
  readonly place: Statement['place'];
  readonly address: string;
  readonly text: string;
  readonly interface: string;
  readonly label: string | null;
  readonly instance: Statement;
}

/** The addresses that the unit moves, each once. */
export function addressesOf(unit: Unit, machine: Machine): readonly VirtualAddress[] {
  const found = new Map<string, VirtualAddress>();
  for (const instance of unit.instances) {
    const block = instance.block ?? [];
    const usual = argument(block, 'interface') ?? argument(machine.global, 'default_interface') ?? 'eth0';
    const lines = [...listed(block, 'virtual_ipaddress'), ...listed(block, 'virtual_ipaddress_excluded')];
    for (const { keyword: text, args, place } of lines) {
      const address = canonicalHost(text.split('/')[0] ?? '');
      const after = (word: string): string | null => args[args.indexOf(word) + 1] ?? null;
      const has = (word: string): boolean => args.includes(word);
      if (found.has(address)) continue;
      found.set(address, {
        place,
        address,
        text,
        interface: (has('dev') ? after('dev') : null) ?? usual,
        label: has('label') ? after('label') : null,
        instance,
      });
    }
  }
  return [...found.values()];
}

/** One machine's own address and those of the others, as far as its unicast settings tell. */
export function machineAddresses(unit: Unit): { readonly own: string | null; readonly peers: readonly string[] } {
  // Each network has addresses of its own: one of them is enough.
  const blocks = unit.instances.map(({ block }) => block ?? []);
  const block = blocks.find((each) => listed(each, 'unicast_peer').length > 0) ?? blocks[0] ?? [];
  const own = argument(block, 'unicast_src_ip') ?? argument(block, 'mcast_src_ip');
  return { own, peers: listed(block, 'unicast_peer').map(({ keyword }) => keyword) };
}

/** How strongly this machine wants to be master. */
export function priorityOf(unit: Unit): number {
  const [instance] = unit.instances;
  return wholeNumber(argument(instance?.block ?? [], 'priority')) ?? 100;
}

/** Whether it says that it begins as master; null if it does not say. */
export function beginsAsMaster(unit: Unit): boolean | null {
  const state = argument(unit.instances[0]?.block ?? [], 'state');
  return state === null ? null : state.toUpperCase() === 'MASTER';
}

/** The `app` of the group: its probes and hooks. */
export function appOf(unit: Unit, machine: Machine, remarks: Remarks): Section {
  const isGroup = unit.owner.keyword === 'vrrp_sync_group';
  const hooks = new Map(Object.entries(hooksOf(unit.owner, remarks)));
  for (const instance of isGroup ? unit.instances : []) {
    const own = hooksOf(instance, remarks);
    for (const [hook, command] of Object.entries(own)) {
      if (!hooks.has(hook)) hooks.set(hook, command);
      else {
        const what = `${hook} scripts of ${instance.args[0]}`;
        remarks.add('omitted', instance.place, what, 'the hook of the sync group runs: call them from there');
      }
    }
  }
  const blocks = [...new Set([unit.owner, ...unit.instances])].map(({ block }) => block ?? []);
  const probes = trackedProbes(machine, blocks, remarks);
  const [probe] = probes;
  return {
    ...(probe === undefined ? {} : { probe: probes.length === 1 ? probe : { type: 'all', of: probes } }),
    ...Object.fromEntries(hooks),
    ...(probe === undefined || hooks.has('promote') ? {} : { ready: 'probe' }),
  };
}

/** The `vip` entries of the group. */
export function vipEntries(unit: Unit, machine: Machine, remarks: Remarks): readonly Section[] {
  const entries = addressesOf(unit, machine).flatMap((virtual): Section[] => {
    const version = isIP(virtual.address);
    if (version === 0) {
      remarks.add('omitted', virtual.place, virtual.text, 'this is no address');
      return [];
    }
    const bits = version === 4 ? 32 : 128;
    const [, prefix] = virtual.text.split('/');
    if (prefix !== undefined && Number(prefix) !== bits) {
      remarks.add(
        'changed',
        virtual.place,
        virtual.text,
        `${virtual.address}/${bits}: the node keeps its own address in that network, so that taking the other away leaves the rest alone`,
      );
    }
    const announce = announcement(virtual.instance.block ?? [], machine.global);
    return [
      {
        type: 'vip',
        address: `${virtual.address}/${bits}`,
        interface: virtual.interface,
        ...(virtual.label === null || version === 6 ? {} : { label: virtual.label }),
        ...(Object.keys(announce).length === 0 ? {} : { announce }),
      },
    ];
  });
  return withRoutes(unit, entries);
}

/** Routes and rules go with the first address. */
function withRoutes(unit: Unit, entries: readonly Section[]): readonly Section[] {
  const lines = (keyword: string): string[] =>
    unit.instances
      .flatMap(({ block }) => listed(block ?? [], keyword))
      .map(({ keyword: first, args }) => [first, ...args].filter((word) => word !== 'no_track').join(' '));
  const routes = lines('virtual_routes').map(asIpTakesIt);
  const rules = lines('virtual_rules');
  const [first, ...others] = entries;
  if (first === undefined || routes.length + rules.length === 0) return entries;
  return [{ ...first, ...(routes.length > 0 && { routes }), ...(rules.length > 0 && { rules }) }, ...others];
}

/** A route of keepalived's own words as the arguments of `ip route add`. */
function asIpTakesIt(route: string): string {
  return route
    .replace(/^src (\S+) (?:to )?(.*)$/, '$2 src $1')
    .replace(/^to /, '')
    .replace(/\bgw\b/, 'via')
    .replace(/\bvia (\S+) or (\S+)/, 'nexthop via $1 nexthop via $2');
}

function announcement(block: readonly Statement[], global: readonly Statement[]): Section {
  const count = wholeNumber(argument(block, 'garp_master_repeat') ?? argument(global, 'vrrp_garp_master_repeat'));
  const refreshMs = milliseconds(
    argument(block, 'garp_master_refresh') ?? argument(global, 'vrrp_garp_master_refresh'),
  );
  return {
    ...(count === null || count < 1 ? {} : { count: Math.min(count, 100) }),
    ...(refreshMs === null || refreshMs < 1000 ? {} : { refresh: formatDuration(refreshMs) }),
  };
}

/** What works otherwise with hsctl, for every instance. */
export function remarkOnManners(unit: Unit, remarks: Remarks): void {
  for (const { block, place } of unit.instances) {
    const statements = block ?? [];
    if (last(statements, 'nopreempt') === null) {
      const preempt = last(statements, 'preempt', 'preempt_delay');
      remarks.add(
        'changed',
        preempt?.place ?? place,
        preempt?.keyword ?? 'preemption',
        'a node that comes back follows; "hsctl promote" brings it to the front when you want it',
      );
    }
    const advert = last(statements, 'advert_int');
    const advertMs = milliseconds(advert?.args[0] ?? null);
    if (advert !== null && advertMs !== null && advertMs !== 1000) {
      remarks.add(
        'changed',
        advert.place,
        `advert_int ${advert.args[0]}`,
        'profile sets how fast a silent node is replaced: fast, balanced (about a second) or wan',
      );
    }
  }
}
