import { beginReign, newEpoch, type Change } from './changes.ts';
import { mustBeFenced } from './fencing.ts';
import { targetIsLost } from './guards.ts';
import { masterTroubles } from './master.ts';
import {
  describeMs,
  isLive,
  masterOf,
  nodeNamed,
  obstaclesTo,
  type GroupView,
  type NodeView,
  type Obstacle,
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
  const target = request.to === null ? otherNode(view) : nodeNamed(view, request.to);
  const former = formerOf(view, target, request);
  const empty = { from: former.node?.id ?? null, to: target?.id ?? null, steps: [], atStake: null, change: null };
  if (target === null) return { ...empty, refusals: ['there is no such node in the group'] };
  const masterLost = master === null || masterTroubles(view).length > 0;
  const reigns = record.stage === 'serving' || record.stage === 'promoting';
  if (reigns && target === master && !masterLost) return planConfirmMaster(view, target.id, request, empty);
  if (isUnderWay(view, masterLost, request)) {
    return { ...empty, refusals: [`a change of master is under way (${record.stage})`] };
  }

  const planned = record.stage === 'serving' && !masterLost && obstaclesTo(view, target).length === 0;
  const change: Change = planned
    ? { stage: 'quiescing', target: target.id }
    : {
        ...beginReign(view, target.id, 'forced'),
        ...waitsFor(view, former, request),
        dataLossAccepted: request.allowDataLoss,
      };
  return {
    from: empty.from,
    to: target.id,
    refusals: refusalsOf(view, target, former, masterLost, request),
    steps: stepsOf(view, target.id, former.node, planned),
    atStake: atStake(former.node, target),
    change,
  };
}

/** The one whose place is taken, and the epoch that it must not serve under any more. */
interface Former {
  readonly node: NodeView | null;
  readonly epoch: number;
}

/** While a reign is being set up it is the master of the one before; without records it may be the other node. */
function formerOf(view: GroupView, target: NodeView | null, { force }: PromoteRequest): Former {
  const { stage, epoch, previous, previousEpoch } = view.record;
  if (stage === 'none' && !force)
    return { node: view.nodes.find((node) => node !== target) ?? null, epoch: newEpoch(view) - 1 };
  if (stage === 'fencing') return { node: nodeNamed(view, previous), epoch: previousEpoch };
  return { node: masterOf(view), epoch };
}

function otherNode(view: GroupView): NodeView | null {
  return view.nodes.find((node) => node.id !== view.record.master) ?? null;
}

/** A change of master that may still go on by itself; --force does not wait for one that does not. */
function isUnderWay(view: GroupView, masterLost: boolean, { force }: PromoteRequest): boolean {
  switch (view.record.stage) {
    case 'none':
    case 'serving':
      return false;
    case 'quiescing':
      return true;
    case 'fencing':
      return !force && !targetIsLost.test(view).holds;
    case 'promoting':
      return !force && !masterLost;
  }
}

function atStake(former: NodeView | null, target: NodeView): PromotePlan['atStake'] {
  const targetSeq = target.report?.log.end.seq ?? 0;
  const confirmedSeq = former?.report?.confirmedSeq ?? 0;
  return confirmedSeq > targetSeq ? { first: targetSeq + 1, last: confirmedSeq } : null;
}

/** What the new reign waits for. With --force the operator answers for the former master; the grants are still waited out. */
function waitsFor(view: GroupView, { node, epoch }: Former, { force }: PromoteRequest): Change {
  const { fence } = view.record;
  const masterNeedsNoLease = mayServeUnleased(view) && !force;
  const previous = node === null ? {} : { previous: node.id, previousEpoch: epoch };
  const isConfirmed = fence?.state === 'confirmed' && fence.node === node?.id && fence.epoch >= epoch;
  if (!force || node === null || isConfirmed) return { ...previous, masterNeedsNoLease };
  const detail = 'an operator answers for it (--force)';
  return { ...previous, masterNeedsNoLease, fence: { node: node.id, epoch, state: 'waived', attempts: 0, detail } };
}

/** Without records nobody knows how the other node serves. */
function mayServeUnleased({ record }: GroupView): boolean {
  return record.masterNeedsNoLease || record.stage === 'none';
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

function refusalsOf(
  view: GroupView,
  target: NodeView,
  former: Former,
  masterLost: boolean,
  request: PromoteRequest,
): string[] {
  const { record, thresholds } = view;
  const refusals = obstaclesTo(view, target).flatMap((obstacle) => refusalFor(obstacle, request));
  const { node } = former;
  const canBeFenced = node !== null && thresholds.fenceable.includes(node.id);
  if (record.stage === 'none' && !request.force && (!canBeFenced || isLive(view, node))) {
    refusals.push(
      'nothing is on record yet: the first reign begins by itself when every node reports (or use --force)',
    );
  }
  const mayServeUnheard = record.masterNeedsNoLease && node !== null && node !== target && masterLost;
  if (mayServeUnheard && !canBeFenced && node.renouncedEpoch < former.epoch && !request.force) {
    refusals.push(
      `${node.id} may still serve alone without a lease; make sure that it is off, then say so: hsctl fenced ${record.group} ${node.id}`,
    );
  }
  return refusals;
}

function refusalFor({ kind, text }: Obstacle, request: PromoteRequest): string[] {
  switch (kind) {
    case 'silent':
    case 'failed':
      return [text];
    case 'behind':
    case 'incomplete':
    case 'diverged':
      return request.allowDataLoss ? [] : [`${text} (promote --allow-data-loss does it all the same)`];
    case 'drained':
    case 'app':
      return request.force ? [] : [`${text} (promote --force does it all the same)`];
  }
}

function waitFor(view: GroupView, former: NodeView): string {
  const byCommands =
    view.thresholds.fenceable.includes(former.id) && (mayServeUnleased(view) || mustBeFenced(view, former));
  const lease = `its grant runs for ${describeMs(former.grantRunsMs)}`;
  return byCommands ? `gives up, or is fenced by its commands; ${lease}` : `is fenced; ${lease}`;
}

function stepsOf(view: GroupView, to: string, former: NodeView | null, planned: boolean): PromotePlan['steps'] {
  const epoch = newEpoch(view);
  const from = former?.id;
  const steps: { name: string; description: string }[] = [];
  if (planned) {
    steps.push({ name: 'quiesce', description: `${from} takes no new work and ends what is under way` });
    steps.push({ name: 'freeze', description: `${from} freezes writes until ${to} holds every record` });
  }
  steps.push({ name: 'decide', description: `epoch ${epoch} of ${to} is put on record` });
  if (former !== null) {
    const wait = planned ? 'gives its lease back' : waitFor(view, former);
    steps.push({ name: 'fence', description: `${from} ${wait}` });
  }
  steps.push({ name: 'promote', description: `${to} begins epoch ${epoch}` });
  steps.push({ name: 'ready', description: `the app on ${to} says that it is ready` });
  steps.push({ name: 'traffic', description: `clients are sent to ${to}` });
  return steps;
}
