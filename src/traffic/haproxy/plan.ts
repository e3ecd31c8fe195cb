/** Which server of a backend takes connections, as orders for HAProxy's runtime API. Pure. */

import type { DesiredTraffic } from '../../controller/ports.ts';
import type { NodeId } from '../../model/roles.ts';
import type { ServerActual, ServerMode } from './parse.ts';

export interface HaproxyTarget {
  readonly backend: string;
  readonly servers: readonly { readonly node: NodeId; readonly server: string }[];
}

export interface HaproxyActual {
  readonly servers: ReadonlyMap<string, ServerActual>;
  /** Present connections of each server. */
  readonly connections: ReadonlyMap<string, number>;
}

/** Orders in their order; none if nothing is to be done. What has to stop stops before anything else begins. */
export function planHaproxy(
  { backend, servers }: HaproxyTarget,
  desired: DesiredTraffic,
  actual: HaproxyActual,
): readonly string[] {
  const stop: string[] = [];
  const begin: string[] = [];
  for (const { node, server } of servers) {
    const mode = modeOf(desired, node);
    const now = actual.servers.get(server);
    const order = now?.mode === mode ? [] : [`set server ${backend}/${server} state ${mode}`];
    if (mode === 'ready') {
      begin.push(...order);
      // Its own checks may not have noticed yet that the app serves; hsctl knows.
      if (now?.isDown === true) begin.push(`set server ${backend}/${server} health up`);
    } else stop.push(...order);
  }
  return [...stop, ...begin];
}

/** Orders to cut the connections of nodes that are dead, or of all while nobody serves. */
export function planCuts(
  { backend, servers }: HaproxyTarget,
  { active, hold, dead }: DesiredTraffic,
  actual: HaproxyActual,
): readonly string[] {
  const isOver = (node: NodeId): boolean => dead.includes(node) || (active === null && !hold);
  return servers
    .filter(({ node, server }) => isOver(node) && (actual.connections.get(server) ?? 0) > 0)
    .map(({ server }) => `shutdown sessions server ${backend}/${server}`);
}

/** During a planned change clients that are bound to a node by a cookie may still come; at other times to the master alone. */
function modeOf({ active, hold, dead }: DesiredTraffic, node: NodeId): ServerMode {
  if (dead.includes(node)) return 'maint';
  if (node === active) return 'ready';
  return active === null && hold ? 'drain' : 'maint';
}
