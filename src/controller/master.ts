import {
  candidatesOf,
  describeMs,
  hasRenounced,
  hasRenouncedItself,
  isSilent,
  longestLog,
  masterOf,
  type GroupView,
  type NodeView,
} from './view.ts';

/** What a view says of the master: whether it can go on, and who could instead of it. */

/** Why the master on record cannot go on; empty while it can. */
export function masterTroubles(view: GroupView): string[] {
  const master = masterOf(view);
  if (master === null) return [];
  const troubles: string[] = [];
  if (hasRenounced(view, master))
    troubles.push(
      `${master.id} gave up epoch ${view.record.epoch}: ${master.report?.trouble || 'its agent restarted'}`,
    );
  if (isSilent(view, master)) {
    troubles.push(
      `${master.id} silent for ${describeMs(master.silentMs)}, to its peer for ${describeMs(master.silentToPeerMs)}`,
    );
  }
  if (probeSpeaksAgainst(view, master)) troubles.push(`probe of ${master.id} fails: ${master.probe.detail}`);
  if (view.record.stage === 'promoting' && view.stageMs > view.thresholds.readyTimeoutMs && !isReady(view)) {
    troubles.push(`${master.id} is not ready ${describeMs(view.stageMs)} after its promotion`);
  }
  return troubles;
}

/**
 * A slave's app need not take clients, so what its probe found before the reign says nothing against its promotion; but a
 * verdict of this reign does, and so does one that still stands when the app has had its time.
 */
function probeSpeaksAgainst(view: GroupView, master: NodeView): boolean {
  if (master.probe.verdict !== 'down' || view.record.stage === 'promoting') return false;
  return master.probe.sinceMs < view.stageMs || view.stageMs > view.thresholds.readyTimeoutMs;
}

/** Its app said that it is ready under the recorded epoch. */
export function isReady(view: GroupView): boolean {
  const report = masterOf(view)?.report;
  return report?.role === 'master' && report.epoch === view.record.epoch && report.phase === 'ready';
}

/**
 * The node that should reign after the present master, which cannot go on: the best of the others, or the same again
 * if nothing is wrong with it but that it gave up its epoch (its agent was restarted). Null if nobody can.
 */
export function successorOf(view: GroupView): NodeView | null {
  const candidates = candidatesOf(view).filter((node) => node.id !== view.record.master || mayStay(view, node));
  return longestLog(candidates, view.record.master);
}

/** Nothing is wrong with the master but that it gave up, and it is not meant to leave. */
function mayStay(view: GroupView, master: NodeView): boolean {
  const isDrained = view.record.drained.includes(master.id);
  return hasRenouncedItself(view, master) && !probeSpeaksAgainst(view, master) && !isDrained;
}

/** A node that owns a reign although nothing is on record. */
export function reigningNode(view: GroupView): NodeView | null {
  const highest = Math.max(...view.nodes.map((node) => node.report?.epoch ?? 0));
  return (
    view.nodes.find(
      ({ report }) => report?.role === 'master' && report.epoch === highest && report.renouncedEpoch < highest,
    ) ?? null
  );
}
