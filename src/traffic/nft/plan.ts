/**
 * Destination NAT on the director by a table of nftables' own. What changes with the master are the elements of two
 * maps and a set; the rules never change. Pure.
 *
 * `active`: clients' port -> address and port of the master, used for the first packet of a connection (the kernel
 * remembers it for the rest). `gate`: clients' port -> what becomes of new connections if there is no master: `drop`
 * (TCP sends again: they wait) or `refuse`. `dead`: addresses whose connections are reset, and which may not answer.
 */

import type { DesiredTraffic } from '../../controller/ports.ts';
import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import type { Backend } from '../backends.ts';

export interface NftTarget {
  readonly table: string;
  readonly family: 'ip' | 'ip6';
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  readonly backends: readonly Backend[];
}

export type NftGate = 'open' | 'drop' | 'refuse';

/** What the elements say. */
interface NftState {
  /** `10.0.0.11:9000`; null for none. */
  readonly active: string | null;
  readonly gate: NftGate;
  /** Addresses, sorted. */
  readonly dead: readonly string[];
}

export interface NftActual extends Omit<NftState, 'gate'> {
  /** `unknown`: somebody put something else there. */
  readonly gate: NftGate | 'unknown';
  /** Chains with the comments of their rules, to tell whether somebody changed the table itself. */
  readonly structure: readonly string[];
}

/** Raised whenever the rules below change, so that a table made by another version is replaced. */
const VERSION = 1;

function desiredState(target: NftTarget, desired: DesiredTraffic): NftState {
  const alive = target.backends.filter(({ node }) => !desired.dead.includes(node));
  const active = alive.find(({ node }) => node === desired.active);
  const dead = target.backends.filter(({ node }) => desired.dead.includes(node)).map(({ address }) => address);
  const mayWait = desired.active === null && desired.hold && desired.dead.length === 0;
  return {
    active: active === undefined ? null : formatEndpoint({ host: active.address, port: active.port }),
    gate: active !== undefined ? 'open' : mayWait ? 'drop' : 'refuse',
    dead: dead.map(canonicalHost).toSorted(),
  };
}

/** Commands for one transaction of `nft -f`; none if nothing is to be done. `actual` is null if there is no such table. */
export function planNft(target: NftTarget, desired: DesiredTraffic, actual: NftActual | null): readonly string[] {
  const state = desiredState(target, desired);
  const name = `${target.family} ${target.table}`;
  const intact = actual !== null && actual.structure.join('\n') === expectedStructure(target).join('\n');
  const present = intact ? actual : null;

  const steps: string[] = [];
  if (present === null) steps.push(`add table ${name}`, `delete table ${name}`, ...tableCommands(target));
  if (present?.active !== state.active) {
    if (present !== null) steps.push(`flush map ${name} active`);
    if (state.active !== null)
      steps.push(`add element ${name} active { ${target.port} : ${concatenated(state.active)} }`);
  }
  if (present?.gate !== state.gate) {
    if (present !== null) steps.push(`flush map ${name} gate`);
    const verdict = state.gate === 'drop' ? 'drop' : 'goto refuse';
    if (state.gate !== 'open') steps.push(`add element ${name} gate { ${target.port} : ${verdict} }`);
  }
  if (present?.dead.join(' ') !== state.dead.join(' ')) {
    if (present !== null) steps.push(`flush set ${name} dead`);
    if (state.dead.length > 0) steps.push(`add element ${name} dead { ${state.dead.join(', ')} }`);
  }
  return steps;
}

/** `10.0.0.11:9000` -> `10.0.0.11 . 9000` */
function concatenated(endpoint: string): string {
  const colon = endpoint.lastIndexOf(':');
  return `${canonicalHost(endpoint.slice(0, colon).replaceAll(/[[\]]/g, ''))} . ${endpoint.slice(colon + 1)}`;
}

interface Chain {
  readonly name: string;
  readonly hook: string;
  /** Comment and rule. */
  readonly rules: readonly (readonly [string, string])[];
}

function chains({ family, protocol, address, port }: NftTarget): readonly Chain[] {
  const toClients = `${family} daddr ${address}`;
  const ours = `ct original ${family} daddr ${address} meta l4proto ${protocol} ct original proto-dst ${port}`;
  const gate = [`gate`, `${toClients} ct state new ${protocol} dport vmap @gate`] as const;
  const translate = ['translate', `${toClients} dnat to ${protocol} dport map @active`] as const;
  const deadTo = ['dead', `${ours} ${family} daddr @dead goto refuse`] as const;
  const deadFrom = ['dead-answers', `${ours} ${family} saddr @dead drop`] as const;
  return [
    {
      name: 'refuse',
      hook: '',
      rules: [
        ['reset', 'meta l4proto tcp reject with tcp reset'],
        ['reject', 'reject'],
      ],
    },
    // Before address translation (-100), behind the lookup of connections (-200).
    { name: 'gate_arriving', hook: 'type filter hook prerouting priority -150;', rules: [gate] },
    { name: 'gate_local', hook: 'type filter hook output priority -150;', rules: [gate] },
    { name: 'translate_arriving', hook: 'type nat hook prerouting priority -100;', rules: [translate] },
    { name: 'translate_local', hook: 'type nat hook output priority -100;', rules: [translate] },
    { name: 'dead_passing', hook: 'type filter hook forward priority 0;', rules: [deadTo, deadFrom] },
    { name: 'dead_local', hook: 'type filter hook output priority 0;', rules: [deadTo] },
    { name: 'dead_arriving', hook: 'type filter hook input priority 0;', rules: [deadFrom] },
  ];
}

function commentOf(target: NftTarget, name: string): string {
  return `hsctl v${VERSION} ${name} ${target.protocol} ${target.address} ${target.port}`;
}

/** The lines that `parseNft` makes of an untouched table. */
export function expectedStructure(target: NftTarget): readonly string[] {
  return chains(target)
    .map(({ name, rules }) => `${name}: ${rules.map(([comment]) => commentOf(target, comment)).join(', ')}`)
    .toSorted();
}

function tableCommands(target: NftTarget): readonly string[] {
  const { family, table } = target;
  const name = `${family} ${table}`;
  const addressType = family === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
  const all = chains(target);
  return [
    `add table ${name}`,
    `add map ${name} active { type inet_service : ${addressType} . inet_service; }`,
    `add map ${name} gate { type inet_service : verdict; }`,
    `add set ${name} dead { type ${addressType}; }`,
    ...all.map(
      (chain) => `add chain ${name} ${chain.name}${chain.hook === '' ? '' : ` { ${chain.hook} policy accept; }`}`,
    ),
    ...all.flatMap((chain) =>
      chain.rules.map(
        ([comment, rule]) => `add rule ${name} ${chain.name} ${rule} comment "${commentOf(target, comment)}"`,
      ),
    ),
  ];
}
