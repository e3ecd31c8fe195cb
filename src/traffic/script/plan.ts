/** When a user's script is to be run, and with what. Pure. */

import type { DesiredTraffic } from '../../controller/ports.ts';
import type { Backend } from '../backends.ts';

/** What the script's `status` said: a node, nobody, or that it cannot tell. */
export type ScriptStatus = { readonly active: string | null } | 'unknown';

/** The script's first line: the name of the node that has the traffic, or `-` for none. */
export function parseStatus(stdout: string): ScriptStatus {
  const word = stdout.trim().split(/\s+/)[0] ?? '';
  if (word === '') return 'unknown';
  return { active: word === '-' ? null : word };
}

/**
 * Whether `apply` has to run: the state differs, or something else was desired when it last ran (`applied`; null after
 * a restart of ours, when a state that is right, with nothing special about it, is left alone).
 */
export function needsApply(desired: DesiredTraffic, actual: ScriptStatus, applied: DesiredTraffic | null): boolean {
  if (actual === 'unknown' || actual.active !== activeOf(desired)) return true;
  if (applied === null) return desired.hold || desired.dead.length > 0;
  return applied.hold !== desired.hold || applied.dead.toSorted().join(' ') !== desired.dead.toSorted().join(' ');
}

/** The node that takes new connections: never one that is dead. */
export function activeOf(desired: DesiredTraffic): string | null {
  return desired.active !== null && desired.dead.includes(desired.active) ? null : desired.active;
}

/** Environment of the script. Names of nodes are separated by spaces; what is not there is empty. */
export function scriptEnvironment(
  group: string,
  backends: readonly Backend[],
  desired: DesiredTraffic,
): Readonly<Record<string, string>> {
  const active = backends.find(({ node }) => node === activeOf(desired));
  const portOf = ({ port }: Backend): string => (port > 0 ? String(port) : '');
  return {
    HSCTL_GROUP: group,
    HSCTL_EPOCH: String(desired.epoch),
    HSCTL_ACTIVE: active?.node ?? '',
    HSCTL_ACTIVE_ADDRESS: active?.address ?? '',
    HSCTL_ACTIVE_PORT: active === undefined ? '' : portOf(active),
    HSCTL_HOLD: desired.hold ? '1' : '0',
    HSCTL_DEAD: desired.dead.join(' '),
    HSCTL_NODES: backends.map(({ node }) => node).join(' '),
    HSCTL_SERVERS: backends.map((one) => `${one.node}=${one.address}=${portOf(one)}`).join(' '),
  };
}
