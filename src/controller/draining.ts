import type { GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import type { Change } from './changes.ts';
import type { GroupView } from './view.ts';

/** What draining a node makes of the record: it outlasts the controller, and so does the time at which it ends. */

/** `timeoutMs` null: what connections the node has are left to end. A drain takes the place of an earlier one of the node. */
export function planDrain({ record, nowWallMs }: GroupView, node: NodeId, timeoutMs: number | null): Change {
  const { [node]: _, ...others } = record.drainEndsWallMs;
  return {
    drained: [...new Set([...record.drained, node])],
    drainEndsWallMs: timeoutMs === null ? others : { ...others, [node]: nowWallMs + timeoutMs },
  };
}

export function planUndrain({ record }: GroupView, node: NodeId): Change {
  const { [node]: _, ...drainEndsWallMs } = record.drainEndsWallMs;
  return { drained: record.drained.filter((each) => each !== node), drainEndsWallMs };
}

/** Drained nodes whose time is over: what connections they still have are reset. */
export function cutOff({ drained, drainEndsWallMs }: GroupRecord, nowWallMs: number): readonly NodeId[] {
  return drained.filter((node) => (drainEndsWallMs[node] ?? Infinity) <= nowWallMs);
}
