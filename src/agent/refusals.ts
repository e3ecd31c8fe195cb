import type { Log } from '../replication/log/log.ts';
import type { AgentCore } from './core/agent-core.ts';
import type { AgentSettings } from './core/agent-ports.ts';

/** What clients are told, with Redis' codes, while a node may not answer them. */

/** Why nothing may be read here now; null if it may. `isTailDoubtful`: records of a reign that ended may still be cut off. */
export function readRefusal(
  core: AgentCore,
  settings: AgentSettings,
  log: Log,
  isTailDoubtful: boolean,
): string | null {
  if (log.damage !== null) return `MISCONF ${log.damage.message}`;
  // A slave that starts from nothing: what came already is found by key once its index is in place.
  if (log.count === 0 && !log.isSettled)
    return 'LOADING this node copies the state of the master, and finds no key yet';
  if (core.phase === null && isTailDoubtful)
    return 'MASTERDOWN no reign goes on here: what was not confirmed in the last one may still be cut off';
  if (core.phase === null || core.mayReply()) return null;
  return core.phase === 'released'
    ? readOnly(core, settings)
    : 'MASTERDOWN this master has no valid lease at the moment';
}

/** Why nothing may be written here, and where it may. */
export function readOnly(core: AgentCore, { node, peer }: AgentSettings): string {
  const master = core.assignment?.master ?? (core.role === 'slave' ? peer : null);
  const where = master === null || master === node ? 'no node is master at the moment' : `the master is ${master}`;
  return `READONLY You can't write against this node: ${where}`;
}
