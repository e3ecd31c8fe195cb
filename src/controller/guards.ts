import type { GroupRecord } from '../model/group-record.ts';
import { comparePositions } from '../model/position.ts';
import { describeFence, fenceOf, mustBeFenced } from './fencing.ts';
import { isReady, masterTroubles, reigningNode, successorOf } from './master.ts';
import {
  bestCandidate,
  describeMs,
  doubtAboutChoice,
  hasRenounced,
  hasRenouncedItself,
  isLive,
  isSilent,
  masterOf,
  nodeNamed,
  obstaclesTo,
  tellsNothing,
  type GroupView,
  type NodeView,
} from './view.ts';

/** One condition of a rule, in words and as a test. `found` says what the test saw, with values. */
export interface Guard {
  readonly name: string;
  /** The stages in which it holds, where it is about nothing else. */
  readonly stages?: readonly GroupRecord['stage'][];
  test(view: GroupView): Finding;
}

export interface Finding {
  readonly holds: boolean;
  readonly found: string;
}

const finding = (holds: boolean, found: string): Finding => ({ holds, found });

export const tilted: Guard = {
  name: 'clocks or event loop are in doubt',
  test: (view) => finding(view.tilt !== null, view.tilt ?? 'clocks agree and the loop is on time'),
};

/** The record is in one of these stages. */
export function stageIs(...stages: readonly GroupRecord['stage'][]): Guard {
  return {
    name: `stage is ${stages.join(' or ')}`,
    stages,
    test: (view) => finding(stages.includes(view.record.stage), `stage is ${view.record.stage}`),
  };
}

export function not(guard: Guard): Guard {
  return {
    name: `not: ${guard.name}`,
    test(view) {
      const { holds, found } = guard.test(view);
      return finding(!holds, found);
    },
  };
}

export const everyNodeReports: Guard = {
  name: 'every node reports, and knows its log',
  test(view) {
    const missing = view.nodes.flatMap((node) => {
      if (!isLive(view, node) || node.report === null) return [`${node.id} is not heard`];
      return tellsNothing(node.report) ? [`${node.id} cannot read its log: ${node.report.trouble}`] : [];
    });
    return finding(missing.length === 0, missing.join(', ') || 'all report');
  },
};

export const someNodeReigns: Guard = {
  name: 'a node owns the highest epoch',
  test(view) {
    const node = reigningNode(view);
    return finding(node !== null, node === null ? 'no node does' : `${node.id} owns epoch ${node.report?.epoch}`);
  },
};

export const masterIsLost: Guard = {
  name: 'the master cannot go on',
  test(view) {
    const troubles = masterTroubles(view);
    return finding(troubles.length > 0, troubles.join('; ') || `${view.record.master ?? 'nobody'} is well`);
  },
};

function textsOf(view: GroupView, node: NodeView): string[] {
  return obstaclesTo(view, node).map((obstacle) => obstacle.text);
}

export const anotherNodeCanServe: Guard = {
  name: 'another node holds every acknowledged record, can serve and is the better one',
  test(view) {
    const best = successorOf(view);
    if (best !== null && best.id !== view.record.master) return finding(true, `${best.id} can`);
    const others = view.nodes.filter((node) => node.id !== view.record.master);
    const reasons = others.flatMap((node) => textsOf(view, node));
    return finding(false, reasons.join('; ') || `${view.record.master} is the better one`);
  },
};

export const masterCanServeAgain: Guard = {
  name: 'the master on record holds every acknowledged record and can serve again',
  test(view) {
    const master = masterOf(view);
    if (master === null) return finding(false, 'no master on record');
    const reasons = textsOf(view, master);
    if (!hasRenouncedItself(view, master))
      reasons.push(`${master.id} has not given up epoch ${view.record.epoch} itself`);
    return finding(reasons.length === 0, reasons.join('; ') || `${master.id} can`);
  },
};

export const paused: Guard = {
  name: 'failover is paused',
  test({ record, nowWallMs }) {
    const leftMs = (record.pausedUntilWallMs ?? 0) - nowWallMs;
    return finding(leftMs > 0, leftMs > 0 ? `paused for another ${describeMs(leftMs)}` : 'not paused');
  },
};

export const automatic: Guard = {
  name: 'mode is auto',
  test: ({ thresholds }) => finding(thresholds.mode === 'auto', `mode is ${thresholds.mode}`),
};

export const heldDown: Guard = {
  name: 'the last failover was a short while ago',
  test({ record, thresholds, nowWallMs }) {
    if (record.failedOverAtWallMs === null) return finding(false, 'there was none');
    const leftMs = record.failedOverAtWallMs + thresholds.holdDownMs - nowWallMs;
    // More than the whole of it is left only where the wall clock was set back.
    const held = leftMs > 0 && leftMs <= thresholds.holdDownMs;
    return finding(held, held ? `hold-down for another ${describeMs(leftMs)}` : 'hold-down is over');
  },
};

export const nobodyTakesOver: Guard = {
  name: 'no other node is to take over: none is better, or no failover is allowed at present',
  test(view) {
    const other = anotherNodeCanServe.test(view);
    const bars = [paused, heldDown, not(automatic)].map((guard) => guard.test(view)).filter(({ holds }) => holds);
    if (!other.holds || bars.length === 0) return finding(!other.holds, other.found);
    return finding(true, bars.map(({ found }) => found).join('; '));
  },
};

/** How close together all probes have to fall for the controller to suspect itself. */
const TOGETHER_MS = 3_000;

export const controllerSuspectsItself: Guard = {
  name: 'every node was lost to the controller at once',
  test(view) {
    const silent = view.nodes.every((node) => node.silentMs > view.thresholds.detectMs);
    if (silent) return finding(true, 'no agent is heard');
    const master = masterOf(view);
    if (master !== null && hasRenounced(view, master)) return finding(false, `${master.id} gave up by itself`);
    const { probeSettleMs } = view.thresholds;
    const fallen = view.nodes.filter((node) => node.probe.verdict === 'down').map((node) => node.probe.sinceMs);
    const apartMs = Math.max(...fallen) - Math.min(...fallen);
    const together = fallen.length === view.nodes.length && apartMs <= Math.max(TOGETHER_MS, probeSettleMs);
    if (together) return finding(true, 'all probes fell together');
    // One of which nothing is known yet may be about to fall just as well.
    const others = view.nodes.filter((node) => node !== master && node.probe.verdict !== 'down');
    if (!onlyItsProbeFails(view, master) || others.length === 0) return finding(false, 'some node is heard');
    // It may also be that all stand again, and that this one was the first to be seen so.
    const isEarly = [...fallen, ...others.map(({ probe }) => probe.sinceMs)].some((sinceMs) => sinceMs < probeSettleMs);
    const names = others.map(({ id }) => id).join(', ');
    return finding(
      isEarly,
      isEarly ? `the probe of ${names} may fall too, or has only just risen` : `the probe of ${names} has not fallen`,
    );
  },
};

function onlyItsProbeFails(view: GroupView, master: NodeView | null): boolean {
  return master !== null && master.probe.verdict === 'down' && !isSilent(view, master);
}

export const targetIsLost: Guard = {
  name: 'the chosen node is gone before it was promoted',
  test(view) {
    const target = masterOf(view);
    const restarted = target?.report?.instance !== view.record.masterInstance;
    if (target === null) return finding(true, 'no node is chosen');
    const lost = isSilent(view, target) || hasRenounced(view, target) || restarted;
    return finding(lost, `${target.id} ${lost ? 'is silent, restarted or gave up' : 'is there'}`);
  },
};

export const someCandidate: Guard = {
  name: 'some node holds every acknowledged record and can serve',
  test(view) {
    const best = bestCandidate(view);
    return finding(
      best !== null,
      best === null ? view.nodes.flatMap((node) => textsOf(view, node)).join('; ') : `${best.id} can`,
    );
  },
};

export const neverWentAlone: Guard = {
  name: 'the only in-sync node gave up before it went on without the others',
  test(view) {
    const { formerInSync, inSync, stage, epoch, previousEpoch } = view.record;
    const alone = nodeNamed(view, inSync[0] ?? null);
    const report = alone?.report ?? null;
    if (formerInSync === null || alone === null || report === null)
      return finding(false, 'no such change is on record');
    // While a reign is set up the one before it is the last that can have confirmed anything.
    const lastEpoch = stage === 'fencing' ? previousEpoch : epoch;
    // One report says both, so nothing can have come in between.
    if (report.renouncedEpoch < lastEpoch) return finding(false, `${alone.id} has not given up epoch ${lastEpoch}`);
    if (report.log.end.seq === 0) return finding(false, `${alone.id} knows of nothing: its log is empty`);
    const never = !report.confirmedAlone;
    return finding(never, `${alone.id} ${never ? 'never confirmed' : 'may have confirmed'} anything alone`);
  },
};

export const choiceIsComplete: Guard = {
  name: 'the chosen node surely holds every acknowledged record',
  test(view) {
    const doubt = doubtAboutChoice(view);
    const { master } = view.record;
    return finding(doubt === '', doubt === '' ? `${master} does` : `the log of ${master} may lack some, and ${doubt}`);
  },
};

export const anotherHoldsMore: Guard = {
  name: 'the chosen node may lack acknowledged records, and a better one is there',
  test(view) {
    const best = bestCandidate(view);
    const chosenEnd = masterOf(view)?.report?.log.end;
    const ahead = best?.report && chosenEnd ? comparePositions(best.report.log.end, chosenEnd) : 0;
    const isBetter = ahead > 0 && doubtAboutChoice(view) !== '';
    return finding(isBetter, isBetter ? `${best?.id} is better` : 'none is better');
  },
};

export const formerMasterIsFenced: Guard = {
  name: 'the former master cannot serve any more',
  test(view) {
    const { record } = view;
    const former = nodeNamed(view, record.previous);
    if (former === null) return noGrantRuns(view);
    if (former.renouncedEpoch >= record.previousEpoch) return finding(true, `${former.id} renounced`);
    const fence = fenceOf(view);
    if (record.masterNeedsNoLease)
      return finding(false, `${former.id} may serve alone without a lease; ${describeFence(view, former)}`);
    if (mustBeFenced(view, former) && fence?.state !== 'waived') return finding(false, describeFence(view, former));
    return finding(former.grantRunsMs === 0, `the grant to ${former.id} runs for ${describeMs(former.grantRunsMs)}`);
  },
};

/** Without a former master on record: whoever was granted a lease by a controller whose records are lost. */
function noGrantRuns(view: GroupView): Finding {
  const granted = view.nodes.filter((node) => node.id !== view.record.master && node.grantRunsMs > 0);
  const found = granted.map((node) => `a grant to ${node.id} may run for ${describeMs(node.grantRunsMs)}`);
  return finding(granted.length === 0, found.join('; ') || 'no former master');
}

export const fenceIsDue: Guard = {
  name: 'the former master has not given up, and is to be fenced by commands',
  test(view) {
    const former = nodeNamed(view, view.record.previous);
    if (former === null) return finding(false, 'no former master');
    if (former.renouncedEpoch >= view.record.previousEpoch) return finding(false, `${former.id} renounced`);
    const fence = fenceOf(view);
    if (fence !== null) return finding(false, describeFence(view, former));
    if (!mustBeFenced(view, former)) return finding(false, `${former.id} has a lease that ends, or no commands`);
    const inTime = isLive(view, former) && (view.stageMs <= view.thresholds.detectMs || former.grantRunsMs > 0);
    return finding(
      !inTime,
      inTime ? `${former.id} is heard and may give up by itself` : `${former.id} has not given up`,
    );
  },
};

export const masterIsReady: Guard = {
  name: 'the master said that it is ready',
  test(view) {
    const report = masterOf(view)?.report;
    return finding(
      isReady(view),
      `${view.record.master} is ${report?.role ?? 'not heard'}, ${report?.phase ?? 'no reign'}`,
    );
  },
};

export const trafficHasMoved: Guard = {
  name: 'traffic goes to the master',
  test: (view) =>
    finding(view.trafficMoved, view.trafficMoved ? 'traffic goes there' : 'traffic does not go there yet'),
};

export const masterIsQuiesced: Guard = {
  name: 'the master has frozen writes and the target holds them all',
  test(view) {
    const { record } = view;
    const master = masterOf(view)?.report;
    if (record.target === null) return finding(false, 'no other node is to become master');
    const target = nodeNamed(view, record.target)?.report;
    const quiesced =
      master?.phase === 'quiesced' && master.epoch === record.epoch && master.assignmentRevision >= record.revision;
    const level = (target?.log.end.seq ?? -1) >= (master?.log.end.seq ?? Infinity);
    return finding(
      quiesced && level,
      `master is ${master?.phase ?? 'gone'} at ${master?.log.end.seq ?? '?'}, target is at ${target?.log.end.seq ?? '?'}`,
    );
  },
};

export const switchoverFailed: Guard = {
  name: 'the switchover took too long or lost one of its nodes',
  test(view) {
    const { record, thresholds } = view;
    const target = nodeNamed(view, record.target);
    const reasons = target === null ? ['no target'] : textsOf(view, target);
    if (view.stageMs > thresholds.switchoverTimeoutMs) reasons.push(`not quiesced after ${describeMs(view.stageMs)}`);
    reasons.push(...masterTroubles(view));
    return finding(reasons.length > 0, reasons.join('; ') || 'all is in order');
  },
};

export const proposalPending: Guard = {
  name: 'the master proposes another in-sync set',
  test(view) {
    const master = masterOf(view);
    const proposal = master?.report?.proposal ?? null;
    const known = view.nodes.map((node) => node.id);
    const valid =
      proposal !== null &&
      proposal.epoch === view.record.epoch &&
      master !== null &&
      isLive(view, master) &&
      !hasRenounced(view, master) &&
      proposal.inSync.includes(master.id) &&
      proposal.inSync.every((id) => known.includes(id));
    if (!valid) return finding(false, 'none');
    const same = [...proposal.inSync].toSorted().join() === [...view.record.inSync].toSorted().join();
    return finding(!same, same ? 'recorded already' : `${master.id} proposes ${proposal.inSync.join(', ')}`);
  },
};
