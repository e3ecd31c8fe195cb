/** Which server of a backend takes connections, as orders for HAProxy's runtime API. Pure. */

import type { DesiredTraffic } from '../../controller/ports.ts';
import type { NodeId } from '../../model/roles.ts';
import type { ServerActual, ServerMode } from './parse.ts';

export interface HaproxyTarget {
  readonly backend: string;
  readonly frontend: string | null;
  readonly servers: readonly { readonly node: NodeId; readonly server: string }[];
}

export interface HaproxyActual {
  readonly servers: ReadonlyMap<string, ServerActual>;
  /** Present connections of each server. */
  readonly connections: ReadonlyMap<string, number>;
  /** Connections that the frontend accepts; null without a frontend. */
  readonly frontendLimit: number | null;
}

/**
 * Orders in their order; none if nothing is to be done. What has to stop stops before anything else begins, and the
 * frontend is closed first and opened last, so that whoever comes meanwhile waits and is not turned away.
 * `usualLimit`: connections that the frontend accepts when it is open.
 */
export function planHaproxy(
  target: HaproxyTarget,
  desired: DesiredTraffic,
  actual: HaproxyActual,
  usualLimit: number,
): readonly string[] {
  const { backend, frontend } = target;
  const holds = desired.active === null && desired.hold;
  const close: string[] = [];
  const stop: string[] = [];
  const begin: string[] = [];
  for (const { node, server } of target.servers) {
    const mode = modeOf(desired, node);
    const now = actual.servers.get(server);
    const order = now?.mode === mode ? [] : [`set server ${backend}/${server} state ${mode}`];
    if (mode === 'ready') {
      begin.push(...order);
      // Its own checks may not have noticed yet that the app serves; hsctl knows.
      if (now?.isDown === true) begin.push(`set server ${backend}/${server} health up`);
    } else stop.push(...order);
    const isCut = mode === 'maint' && (actual.connections.get(server) ?? 0) > 0;
    if (isCut) stop.push(`shutdown sessions server ${backend}/${server}`);
  }
  if (frontend !== null && holds && actual.frontendLimit !== 0) close.push(`set maxconn frontend ${frontend} 0`);
  const open =
    frontend !== null && !holds && actual.frontendLimit === 0 ? [`set maxconn frontend ${frontend} ${usualLimit}`] : [];
  return [...close, ...stop, ...begin, ...open];
}

/** During a planned change present connections go on; at all other times only those of the master do. */
function modeOf({ active, hold, dead }: DesiredTraffic, node: NodeId): ServerMode {
  if (dead.includes(node)) return 'maint';
  if (node === active) return 'ready';
  return active === null && hold ? 'drain' : 'maint';
}
