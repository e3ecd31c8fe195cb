import type { Change } from './rules.ts';
import { beginReign } from './rules.ts';
import { masterTroubles } from './guards.ts';
import {
  describeMs,
  masterOf,
  nodeNamed,
  obstaclesTo,
  type GroupView,
  type NodeView,
  type PromoteRequest,
} from './view.ts';

/**
 * An operator's `promote`. The same plan is printed by a dry run and carried out by a real one; a refusal names
 * what stands in the way and which flag, if any, takes it on the operator's head.
 */
export interface PromotePlan {
  readonly from: string | null;
  readonly to: string | null;
  readonly refusals: readonly string[];
  readonly steps: readonly { readonly name: string; readonly description: string }[];
  /** Acknowledged records that the target is known to lack; null if there are none. */
  readonly atStake: { readonly first: number; readonly last: number } | null;
  /** What to change in the record if there is no refusal. */
  readonly change: Change | null;
}

export function planPromotion(view: GroupView, request: PromoteRequest): PromotePlan {
  const { record } = view;
  const master = masterOf(view);
  const target = nodeNamed(view, request.to) ?? view.nodes.find((node) => node.id !== record.master) ?? null;
  const empty = { from: record.master, to: target?.id ?? null, steps: [], atStake: null, change: null };
  if (target === null) return { ...empty, refusals: ['there is no such node in the group'] };
  const masterLost = master === null || masterTroubles(view).length > 0;
  if (target.id === record.master && !masterLost) return planConfirmMaster(view, target.id, request, empty);
  if (record.stage === 'quiescing' || record.stage === 'fencing') {
    return { ...empty, refusals: [`a change of master is under way (${record.stage})`] };
  }

  const refusals = [...refusalsOf(view, target, request)];
  const targetSeq = target.report?.log.end.seq ?? 0;
  const confirmedSeq = master?.report?.confirmedSeq ?? 0;
  const atStake = confirmedSeq > targetSeq ? { first: targetSeq + 1, last: confirmedSeq } : null;
  if (record.stage === 'none' && !request.force)
    refusals.push(
      'nothing is on record yet: the first reign begins by itself when every node reports (or use --force)',
    );
  if (
    record.masterNeedsNoLease &&
    master !== null &&
    master.id !== target.id &&
    masterLost &&
    master.renouncedEpoch < record.epoch &&
    !request.force
  ) {
    refusals.push(`${master.id} may still serve alone without a lease; make sure that it is off, then use --force`);
  }
  const planned = !masterLost && obstaclesTo(view, target).length === 0;
  const change: Change = planned
    ? { stage: 'quiescing', target: target.id }
    : {
        ...beginReign(view, target.id, 'forced'),
        // Beyond this the operator answers for the former master; the grants are still waited out.
        masterNeedsNoLease: false,
        dataLossAccepted: request.allowDataLoss,
      };
  return {
    from: record.master,
    to: target.id,
    refusals,
    steps: stepsOf(view, target.id, planned),
    atStake,
    change,
  };
}

/** Promoting the node that is master already gives up what a diverged peer holds beyond it. */
function planConfirmMaster(
  view: GroupView,
  to: string,
  request: PromoteRequest,
  empty: Omit<PromotePlan, 'refusals'>,
): PromotePlan {
  const diverged = view.nodes.filter((node) => node.report?.role === 'diverged').map((node) => node.id);
  if (diverged.length === 0) return { ...empty, refusals: [`${to} is master already`] };
  if (!request.allowDataLoss) {
    return {
      ...empty,
      refusals: [
        `${diverged.join(', ')} has acknowledged records that ${to} lacks; --allow-data-loss archives and cuts them`,
      ],
    };
  }
  const steps = diverged.map((id) => ({
    name: 'archive',
    description: `${id} archives the records that ${to} lacks, cuts its log and follows`,
  }));
  return { ...empty, steps, refusals: [], change: { discard: diverged } };
}

function refusalsOf(view: GroupView, target: NodeView, request: PromoteRequest): string[] {
  return obstaclesTo(view, target).flatMap(({ kind, text }) => {
    switch (kind) {
      case 'silent':
      case 'failed':
        return [text];
      case 'behind':
      case 'incomplete':
      case 'diverged':
        return request.allowDataLoss ? [] : [`${text} (--allow-data-loss promotes it all the same)`];
      case 'drained':
      case 'app':
        return request.force ? [] : [`${text} (--force promotes it all the same)`];
    }
  });
}

function stepsOf(view: GroupView, to: string, planned: boolean): PromotePlan['steps'] {
  const from = view.record.master;
  const steps: { name: string; description: string }[] = [];
  if (planned) {
    steps.push({ name: 'quiesce', description: `${from} takes no new work and ends what is under way` });
    steps.push({ name: 'freeze', description: `${from} freezes writes until ${to} holds every record` });
  }
  steps.push({ name: 'decide', description: `epoch ${view.record.epoch + 1} of ${to} is put on record` });
  const former = masterOf(view);
  const wait = planned
    ? 'gives its lease back'
    : `is fenced; its grant runs for ${describeMs(former?.grantRunsMs ?? 0)}`;
  if (from !== null) steps.push({ name: 'fence', description: `${from} ${wait}` });
  steps.push({ name: 'promote', description: `${to} begins epoch ${view.record.epoch + 1}` });
  steps.push({ name: 'ready', description: `the app on ${to} says that it is ready` });
  steps.push({ name: 'traffic', description: `clients are sent to ${to}` });
  return steps;
}
