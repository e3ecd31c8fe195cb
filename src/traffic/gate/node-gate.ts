import type { TrafficDeps } from '../deps.ts';
import { tableName } from './plan.ts';
import { SynGate } from './syn-gate.ts';

/** The gate of a node, run by its agent: while closed, new connections to the app's port wait. */
export type NodeGate = Pick<SynGate, 'start' | 'close' | 'open' | 'check'>;

/** `port`: the app's. To be started before use. */
export function makeNodeGate(group: string, node: string, port: number, deps: TrafficDeps): NodeGate {
  return new SynGate({ table: tableName(group, node), place: 'node', address: null, port }, deps);
}
