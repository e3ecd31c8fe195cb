/** The virtual address of a node as lines for `ip -batch`. Pure. */

import { canonicalHost } from '../../kit/address.ts';
import { HsctlError } from '../../kit/errors.ts';
import { familyOf } from '../family.ts';

export interface VirtualAddress {
  readonly address: string;
  readonly prefixLength: number;
  readonly family: 4 | 6;
  readonly interface: string;
  /** Of an IPv4 address; IPv6 has none. */
  readonly label: string;
  /** Routes and rules that are there as long as the address is, as the arguments of `ip route` and `ip rule`. */
  readonly routes: readonly string[];
  readonly rules: readonly string[];
}

/** What the configuration says of an address. */
type VirtualAddressParts = Partial<Pick<VirtualAddress, 'label' | 'routes' | 'rules'>>;

/** How late the kernel removes an address whose lifetime has run out, at most (it looks four times a second). */
const KERNEL_LATENESS_MS = 250;
const LABEL_MAX_CHARACTERS = 15;
/** Adding a rule that is there, and the number of its line: no trouble at all. */
const ALREADY_THERE = /^(RTNETLINK answers: File exists|Error: ipv[46]: .*exists\.?)$/;
const FAILED_LINE = /^Command failed /;
const INTERFACE_NAME = /^[^\s/:]{1,15}$/;

/** @throws HsctlError('config') when it is not an address with a prefix length, or no name of an interface. */
export function parseVirtualAddress(
  text: string,
  interfaceName: string,
  parts: VirtualAddressParts = {},
): VirtualAddress {
  const [host = '', length = ''] = text.split('/');
  const family = familyOf(host);
  const prefixLength = Number(length);
  const longest = family === 6 ? 128 : 32;
  if (family === null || !/^\d{1,3}$/.test(length) || prefixLength > longest) {
    throw new HsctlError(
      'config',
      `virtual address ${JSON.stringify(text)} is no address with a prefix length`,
      'write it as 10.0.0.100/32 or 2001:db8::100/128',
    );
  }
  if (!INTERFACE_NAME.test(interfaceName)) {
    throw new HsctlError(
      'config',
      `${JSON.stringify(interfaceName)} cannot be the name of an interface`,
      'see "ip link"',
    );
  }
  const { label = `${interfaceName}:hs`, routes = [], rules = [] } = parts;
  return { address: canonicalHost(host), prefixLength, family, interface: interfaceName, label, routes, rules };
}

/** The kernel counts lifetimes in whole seconds, so the last second of a lease is rounded up, all others down. */
export function kernelLifetimeS(remainingLeaseMs: number): number {
  return Math.max(1, Math.floor(remainingLeaseMs / 1000));
}

/**
 * How long after the end of a lease the address may still be there if the agent was killed or frozen, in milliseconds,
 * for an agent that renews with at least `leaseMs` left. A takeover after silence has to wait for this too.
 */
export function addressOutlivesLeaseMs(leaseMs: number): number {
  return Math.max(0, kernelLifetimeS(leaseMs) * 1000 + KERNEL_LATENESS_MS - leaseMs);
}

/** Sets the routes and rules of the address, also those that are there: behind the address, which routes may have as their source. */
export function setRouteLines({ routes, rules }: VirtualAddress): readonly string[] {
  return [...routes.map((route) => `route replace ${route}`), ...rules.map((rule) => `rule add ${rule}`)];
}

/** Removes them; that any of them is absent is an error of the program and a success for us. */
export function unsetRouteLines({ routes, rules }: VirtualAddress): readonly string[] {
  return [...rules.map((rule) => `rule del ${rule}`), ...routes.map((route) => `route del ${route}`)];
}

/** What went wrong, of all that `ip` complained about while routes were set; empty if nothing did. */
export function routeFaults(complaints: readonly string[]): readonly string[] {
  return complaints.filter((line, index) => {
    const isOfExisting = FAILED_LINE.test(line) && ALREADY_THERE.test(complaints[index - 1] ?? '');
    return !ALREADY_THERE.test(line) && !isOfExisting;
  });
}

/** Adds the address, or renews its lifetime. */
export function takeLine(vip: VirtualAddress, lifetimeS: number): string {
  const { label } = vip;
  const options =
    vip.family === 6
      ? // No duplicate detection, which would take a second; deprecated, so that the node does not speak from it.
        `nodad noprefixroute valid_lft ${lifetimeS} preferred_lft 0`
      : `${label.length <= LABEL_MAX_CHARACTERS ? `label ${label} ` : ''}noprefixroute valid_lft ${lifetimeS} preferred_lft ${lifetimeS}`;
  return `addr replace ${vip.address}/${vip.prefixLength} dev ${vip.interface} ${options}`;
}

/** Removes the address; that it is absent is an error of the program and a success for us. */
export function dropLine(vip: VirtualAddress, prefixLength = vip.prefixLength): string {
  return `addr del ${vip.address}/${prefixLength} dev ${vip.interface}`;
}

/** Lists the address as it is on the interface, whatever its prefix length. */
export function showLine(vip: VirtualAddress): string {
  return `addr show dev ${vip.interface} to ${vip.address}`;
}

/** Prefix lengths with which `ip addr show` lists the address: none if it is absent. */
export function shownPrefixLengths(vip: VirtualAddress, lines: readonly string[]): readonly number[] {
  return lines.flatMap((line) => {
    const [, address = '', length = ''] = /\sinet6?\s+([0-9a-fA-F.:]+)(?:\s+peer\s+\S+?)?\/(\d+)\s/.exec(line) ?? [];
    return address !== '' && canonicalHost(address) === vip.address ? [Number(length)] : [];
  });
}
