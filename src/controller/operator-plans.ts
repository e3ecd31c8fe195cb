import { HsctlError } from '../kit/errors.ts';
import type { GroupRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import type { Change } from './changes.ts';
import { changed } from './decide.ts';
import { planDrain } from './draining.ts';
import { planFenced } from './fencing.ts';
import { planPromotion } from './preflight.ts';
import type { GroupView } from './view.ts';

/** What an operator's word makes of the record, and what the events say of it. */
export interface OperatorPlan {
  readonly record: GroupRecord;
  readonly message: string;
}

/** A change that leaves it to the rules who is master. */
export function changeBy(view: GroupView, change: Change, operator: string, what: string): OperatorPlan {
  const { rule, reason } = view.record;
  return { record: changed(view, change, rule, reason), message: `${operator}: ${what}` };
}

/** A change of master. */
export function promotionBy(view: GroupView, change: Change, reason: string): OperatorPlan {
  return { record: changed(view, change, 'operator', reason), message: reason };
}

/** Takes a node out of service; the peer of a master takes over with it. @throws HsctlError('refused') if nobody can */
export function drainBy(view: GroupView, node: NodeId, timeoutMs: number | null, operator: string): OperatorPlan {
  const change = planDrain(view, node, timeoutMs);
  if (view.record.master !== node) return changeBy(view, change, operator, `drain ${node}`);
  const plan = planPromotion(view, { to: null, force: false, allowDataLoss: false });
  if (plan.refusals.length === 0 && plan.change !== null)
    return promotionBy(view, { ...plan.change, ...change }, `${operator} drains ${node}: ${plan.to} takes over`);
  throw new HsctlError(
    'refused',
    `${node} is master and nobody can take over: ${plan.refusals.join('; ')}`,
    'bring the other node back first',
  );
}

/** An operator's word that a node is off. @throws HsctlError('refused') if it is not, or nothing waits for it */
export function fencedBy(view: GroupView, node: NodeId, operator: string): OperatorPlan {
  const plan = planFenced(view, node, operator);
  if ('change' in plan) return changeBy(view, plan.change, operator, `${node} is off`);
  throw new HsctlError('refused', plan.refusal, 'hsctl explain shows what the group waits for');
}
