/** Which records a name has, and what has to change so that it leads to the master. Pure. */

import type { NodeId } from '../../model/roles.ts';
import { familyOf } from '../family.ts';
import { ipv4Bytes, ipv6Bytes } from '../packed-address.ts';
import { CLASS, TYPE } from './message.ts';

export interface DnsTarget {
  /** Lower case, with a dot at its end, as the zone. */
  readonly name: string;
  readonly zone: string;
  readonly ttlS: number;
  /** Addresses of each node, IPv4 and IPv6, in their canonical text. */
  readonly addresses: ReadonlyMap<NodeId, readonly string[]>;
}

export interface RecordSet {
  readonly ttlS: number;
  /** Addresses in canonical text. */
  readonly values: readonly string[];
}

/** What the server has under the name. */
export interface DnsActual {
  readonly A: RecordSet | null;
  readonly AAAA: RecordSet | null;
  /** The name is an alias, beside which no address may stand. */
  readonly isAlias: boolean;
}

export interface DnsChange {
  /** Types whose records are removed. */
  readonly remove: readonly ('A' | 'AAAA' | 'CNAME')[];
  readonly add: readonly string[];
}

/** What is to be changed for the name to lead to `node`; null if it does so already. */
export function planDns(target: DnsTarget, node: NodeId, actual: DnsActual): DnsChange | null {
  const addresses = target.addresses.get(node) ?? [];
  const of = (family: 4 | 6): readonly string[] => addresses.filter((address) => familyOf(address) === family);
  const wanted = { A: of(4), AAAA: of(6) };
  const differing = (['A', 'AAAA'] as const).filter((type) => !isSame(actual[type], wanted[type], target.ttlS));
  if (!actual.isAlias && differing.length === 0) return null;
  const types = actual.isAlias ? (['A', 'AAAA'] as const) : differing;
  return {
    remove: [
      ...(actual.isAlias ? (['CNAME'] as const) : []),
      ...types.filter((type) => actual.isAlias || actual[type] !== null),
    ],
    add: types.flatMap((type) => wanted[type]),
  };
}

/** The records of an update that makes the change: what goes stands before what comes. */
export function updateRecords(target: DnsTarget, change: DnsChange) {
  const removed = change.remove.map((type) => ({
    name: target.name,
    type: TYPE[type],
    class: CLASS.ANY,
    ttl: 0,
    data: new Uint8Array(),
  }));
  const added = change.add.map((address) => ({
    name: target.name,
    type: familyOf(address) === 6 ? TYPE.AAAA : TYPE.A,
    class: CLASS.IN,
    ttl: target.ttlS,
    data: Uint8Array.from(familyOf(address) === 6 ? ipv6Bytes(address) : ipv4Bytes(address)),
  }));
  return [...removed, ...added];
}

/** Of an update that has to be allowed and changes nothing: it removes one address, which nobody has. */
export function harmlessRecord({ name }: DnsTarget) {
  return { name, type: TYPE.A, class: CLASS.NONE, ttl: 0, data: Uint8Array.of(0, 0, 0, 0) };
}

function isSame(actual: RecordSet | null, wanted: readonly string[], ttlS: number): boolean {
  if (actual === null) return wanted.length === 0;
  return actual.ttlS === ttlS && actual.values.toSorted().join(' ') === wanted.toSorted().join(' ');
}
