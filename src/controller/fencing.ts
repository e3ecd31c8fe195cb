import type { FenceRecord } from '../model/group-record.ts';
import type { NodeId } from '../model/roles.ts';
import type { Change } from './changes.ts';
import type { FenceOutcome } from './ports.ts';
import { isLive, nodeNamed, type GroupView, type NodeView } from './view.ts';

/**
 * Fencing of a former master by commands (power switch, hypervisor, cloud) or by an operator's word: for when its own word
 * does not come and no lease tells when its reign is over. What is on record counts, nothing else: the wish is recorded
 * before a command runs, and its outcome before anything follows from it.
 */

/** Commands that are to run, or to run again. */
export interface FenceOrder {
  readonly node: NodeId;
  readonly epoch: number;
}

/** The fence on record of the reign that has to end now; null if there is none. */
export function fenceOf({ record }: GroupView): FenceRecord | null {
  const { fence } = record;
  return fence !== null && fence.node === record.previous && fence.epoch >= record.previousEpoch ? fence : null;
}

/** Nothing but its own word or a fence ends the reign of the former master. */
export function mustBeFenced({ record, thresholds }: GroupView, former: NodeView): boolean {
  return thresholds.fenceable.includes(former.id) && (record.masterNeedsNoLease || thresholds.fence === 'always');
}

/** How it stands with the fence of the former master, and what an operator can do. */
export function describeFence(view: GroupView, former: NodeView): string {
  const fence = fenceOf(view);
  const word = `once you have made sure that it is off: hsctl fenced ${view.record.group} ${former.id}`;
  if (fence === null) return view.thresholds.fenceable.includes(former.id) ? `${former.id} is not fenced yet` : word;
  switch (fence.state) {
    case 'wanted':
      return `${former.id} is being fenced`;
    case 'failed':
      return `fencing ${former.id} failed (${fence.detail}) and is tried again; ${word}`;
    case 'unknown':
      return `whether ${former.id} was fenced is not known (${fence.detail}), and it is tried again; ${word}`;
    case 'confirmed':
    case 'waived':
      return `${former.id}: ${fence.detail}`;
  }
}

/** Puts on record that the former master is to be fenced by its commands. */
export function wantFence({ record }: GroupView): Change {
  const { previous: node, previousEpoch: epoch } = record;
  return node === null ? {} : { fence: { node, epoch, state: 'wanted', attempts: 0, detail: '' } };
}

/** Which commands have to run, by the record; null for none. */
export function fenceWanted(view: GroupView): FenceOrder | null {
  const fence = fenceOf(view);
  const former = nodeNamed(view, view.record.previous);
  if (view.record.stage !== 'fencing' || fence === null || former === null) return null;
  if (fence.state === 'confirmed' || fence.state === 'waived' || former.renouncedEpoch >= fence.epoch) return null;
  return view.thresholds.fenceable.includes(fence.node) ? { node: fence.node, epoch: fence.epoch } : null;
}

/** What the commands came to, as a change of the record with the event that tells of it; null if nobody waits for it any more. */
export function fenceFound(
  view: GroupView,
  { node, epoch }: FenceOrder,
  { state, detail }: FenceOutcome,
): { readonly change: Change; readonly message: string; readonly isAlarm: boolean } | null {
  const former = fenceOf(view);
  const found = nodeNamed(view, node);
  if (former === null || found === null || former.epoch !== epoch) return null;
  const fence = { node, epoch, state, detail, attempts: former.attempts + 1 };
  const message = describeFence({ ...view, record: { ...view.record, fence } }, found);
  return { change: { fence }, message, isAlarm: state !== 'confirmed' };
}

/** An operator's word that a node is off: why it is not taken, or what it changes. */
export function planFenced(
  view: GroupView,
  id: NodeId,
  operator: string,
): { readonly refusal: string } | { readonly change: Change } {
  const { record } = view;
  const node = nodeNamed(view, id);
  if (node === null) return { refusal: `there is no node ${id}` };
  if (isLive(view, node)) return { refusal: `${id} is heard, so it is not off` };
  const epoch = record.stage === 'fencing' ? record.previousEpoch : record.epoch;
  const reigned = record.stage === 'fencing' ? record.previous === id : record.master === id && epoch > 0;
  if (!reigned) return { refusal: `nothing waits for ${id}: it is not the master whose reign has to end` };
  const attempts = record.fence?.attempts ?? 0;
  return {
    change: { fence: { node: id, epoch, state: 'confirmed', attempts, detail: `off, by the word of ${operator}` } },
  };
}
