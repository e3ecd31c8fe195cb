import { z } from 'zod';
import { host } from './fields.ts';

/** The kinds of value that only entries of `traffic` hold, as `fields.ts` has the others. */

/** Network interface, short enough for the label `NAME:hs`, of which the kernel keeps 15 characters. */
export function interfaceName() {
  const remedy = 'write the name of a network interface, like eth0, of at most 12 characters (15 with the label ":hs")';
  return z.string(remedy).regex(/^[^\s/:]{1,12}$/, remedy);
}

/** Label of an address. The kernel has the interface's name before the colon; `check-traffic.ts` compares them. */
export function interfaceLabel() {
  const remedy = 'write INTERFACE:NAME, like eth0:web, of at most 15 characters';
  return z.string(remedy).regex(/^(?=.{1,15}$)[^\s/:]+:[^\s/:]+$/, remedy);
}

/** Arguments of `ip route add` or `ip rule add`, one text each. */
export function routeList() {
  const remedy =
    'write a list of arguments of `ip route add` (or `ip rule add`), like ["default via 10.0.0.1 table 100"]';
  const route = z
    .string(remedy)
    .max(1000, remedy)
    // What `ip` itself would read as another command or another line.
    .regex(/^(?!(?:add|del|delete|replace|change|append|flush|list|show|get|save|restore)\b)[\w:./ -]+$/, remedy);
  return z.array(route, remedy).max(100, 'write at most 100 of them');
}

/** Name of a frontend, backend or server of HAProxy's. */
export function haproxyName() {
  const remedy = 'write a name as in haproxy.cfg: letters, digits, "-", "_", "." and ":"';
  return z.string(remedy).regex(/^[A-Za-z0-9_.:-]{1,200}$/, remedy);
}

/** Domain name, with or without a dot at its end. */
export function domainName() {
  const remedy = 'write a domain name, like world.example.org';
  const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
  return z.string(remedy).regex(new RegExp(`^(?=.{1,253}$)${label}(?:\\.${label})*\\.?$`), remedy);
}

export const ADDRESS_LISTS =
  'write the addresses of each node, like { a: [192.0.2.11, "2001:db8::11"], b: [192.0.2.12] }';

/** Addresses of one node, or names that stand for one each. */
export function addressList() {
  return z.array(host(), ADDRESS_LISTS).min(1, ADDRESS_LISTS).max(16, 'write at most 16 addresses');
}
