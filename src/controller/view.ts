import type { AgentReport } from '../model/agent-report.ts';
import type { GroupRecord } from '../model/group-record.ts';
import { comparePositions, type LogPosition } from '../model/position.ts';
import type { NodeId } from '../model/roles.ts';
import type { ProbeObservation } from './ports.ts';

/**
 * Everything that a decision about one group may depend on, taken at one moment: observations, the recorded
 * state, thresholds and times. The rules read nothing else.
 */
export interface GroupView {
  readonly record: GroupRecord;
  /** The group's nodes in the order of the configuration. */
  readonly nodes: readonly NodeView[];
  readonly thresholds: Thresholds;
  readonly nowWallMs: number;
  /** For how long the record has been in its present stage, as this process knows. */
  readonly stageMs: number;
  /** Why the clocks or the event loop cannot be trusted at present; null if they can. */
  readonly tilt: string | null;
  /** Drained nodes whose clients have had their time: what connections remain are reset. */
  readonly cutOff: readonly NodeId[];
  /** The traffic drivers have done what the record wants: new work goes to the master, or in a planned change to nobody. */
  readonly trafficMoved: boolean;
}

export interface NodeView {
  readonly id: NodeId;
  /** The newest report, however old; null if there was none since this controller started. */
  readonly report: AgentReport | null;
  /** There is a link to its agent, which has reported on it. */
  readonly linked: boolean;
  /** Milliseconds since anything was heard of the agent (since the start of the controller if never). */
  readonly silentMs: number;
  /** Milliseconds since its peer heard of it, by the peer's newest beat; Infinity if the peer cannot tell. */
  readonly silentToPeerMs: number;
  /** It will never serve again under any epoch up to this one: by its own word, its peer's word of it, or a fence. */
  readonly renouncedEpoch: number;
  /** Milliseconds until nobody can serve under a grant that this controller gave to the node. */
  readonly grantRunsMs: number;
  readonly probe: ProbeObservation;
}

export interface Thresholds {
  readonly mode: 'auto' | 'manual';
  readonly prefer: NodeId;
  readonly detectMs: number;
  readonly holdDownMs: number;
  readonly readyTimeoutMs: number;
  readonly finishWorkMs: number;
  /** When the probe of one node has fallen, that of another one falls within this time if the same thing is to blame. */
  readonly probeSettleMs: number;
  readonly switchoverTimeoutMs: number;
  readonly onControllerLoss: 'serve' | 'stop';
  /** The app itself says that it is ready, so it has to be joined to its agent; else hook or probe speak for it. */
  readonly appJoins: boolean;
  /** `doubt`: a former master is fenced where no lease tells when it ends. `always`: whenever it does not give up by itself. */
  readonly fence: 'doubt' | 'always';
  /** Nodes that have commands to fence them. */
  readonly fenceable: readonly NodeId[];
}

export interface PromoteRequest {
  /** Null: whichever node is not master. */
  readonly to: NodeId | null;
  readonly force: boolean;
  readonly allowDataLoss: boolean;
}

/** The node on record as master, or as master to be. */
export function masterOf(view: GroupView): NodeView | null {
  return view.nodes.find((node) => node.id === view.record.master) ?? null;
}

export function nodeNamed(view: GroupView, id: NodeId | null): NodeView | null {
  return view.nodes.find((node) => node.id === id) ?? null;
}

/** Heard of recently enough to be counted on. */
export function isLive(view: GroupView, node: NodeView): boolean {
  return node.linked && node.report !== null && node.silentMs <= view.thresholds.detectMs;
}

/** Nobody has heard of it: neither this controller nor its peer. */
export function isSilent(view: GroupView, node: NodeView): boolean {
  return node.silentMs > view.thresholds.detectMs && node.silentToPeerMs > view.thresholds.detectMs;
}

/** It will never serve again under the recorded epoch, by whosever word. */
export function hasRenounced(view: GroupView, node: NodeView): boolean {
  return node.renouncedEpoch >= view.record.epoch;
}

/** The same by its own word, or fenced off: then its newest report does not tell of the time before. */
export function hasRenouncedItself({ record }: GroupView, node: NodeView): boolean {
  const { fence, epoch } = record;
  const isFenced = fence?.state === 'confirmed' && fence.node === node.id && fence.epoch >= epoch;
  return isFenced || (node.report?.renouncedEpoch ?? 0) >= epoch;
}

/** One reason why a node should not become master. */
export interface Obstacle {
  /**
   * `silent`, `failed`, `diverged`: it cannot. `behind`, `incomplete`: acknowledged records would or might be lost.
   * `drained`, `app`: it could, but would not serve or was not meant to.
   */
  readonly kind: 'silent' | 'failed' | 'diverged' | 'behind' | 'incomplete' | 'drained' | 'app';
  readonly text: string;
}

/** Why `node` should not become master now; empty if nothing speaks against it. */
export function obstaclesTo(view: GroupView, node: NodeView): Obstacle[] {
  const { record } = view;
  const { id, report } = node;
  const obstacles: Obstacle[] = [];
  const add = (kind: Obstacle['kind'], text: string): number => obstacles.push({ kind, text });
  if (!isLive(view, node)) add('silent', `${id} has not been heard for ${describeMs(node.silentMs)}`);
  if (!record.inSync.includes(id))
    add('behind', `${id} is not in the in-sync set (${record.inSync.join(', ') || 'nobody is'})`);
  if (record.drained.includes(id) && id !== servedLast(view)) add('drained', `${id} is drained`);
  if (report === null) return obstacles;
  if (report.storeFailed) add('failed', `the store of ${id} failed: ${report.trouble}`);
  if (report.role === 'diverged') add('diverged', `${id} has records that the master lacks`);
  if (report.app.state !== 'up' && !(report.app.state === 'absent' && !view.thresholds.appJoins))
    add('app', `the app on ${id} is ${report.app.state}${report.trouble && `: ${report.trouble}`}`);
  const doubt = report.log.intact ? '' : doubtAboutLog(view, node, report);
  if (doubt !== '') add('incomplete', `the log of ${id} may lack confirmed records, and ${doubt}`);
  return obstacles;
}

/** Drained or not, whoever served last may go on if nobody takes its place: that is better than nobody. */
function servedLast({ record }: GroupView): NodeId | null {
  return record.stage === 'fencing' ? (record.previous ?? record.master) : record.master;
}

/** What keeps a log that may lack confirmed records from being the best there is; '' if nothing does. */
function doubtAboutLog(view: GroupView, node: NodeView, { log }: AgentReport): string {
  for (const other of othersInSync(view, node)) {
    const text = isAheadOrAway(view, other, log.end);
    if (text !== '') return text;
  }
  return '';
}

/**
 * The same of the node on record, once it was chosen. What was known of the others then may have been said before they
 * confirmed what this one has lost since: only what they say now that they know of the choice counts.
 */
export function doubtAboutChoice(view: GroupView): string {
  const { record } = view;
  const chosen = masterOf(view);
  const log = chosen?.report?.log;
  if (chosen === null || !log || log.intact || record.dataLossAccepted) return '';
  for (const other of othersInSync(view, chosen)) {
    const text = isAheadOrAway(view, other, log.end);
    if (text !== '') return text;
    if ((other.report?.assignmentRevision ?? 0) < record.revision) return `${other.id} has not been told yet`;
  }
  return '';
}

/**
 * Who may hold acknowledged records that `node` lacks. While the first reign is set up that is everybody; so it is where the
 * node has lost all that it had, even if nobody else is on record: an empty disk never beats a log.
 */
function othersInSync({ record, nodes }: GroupView, node: NodeView): NodeView[] {
  const isFirst = record.stage === 'fencing' && record.cause === 'initial';
  const isEmpty = node.report?.log.end.seq === 0;
  return nodes.filter((other) => other !== node && (isFirst || isEmpty || record.inSync.includes(other.id)));
}

function isAheadOrAway(view: GroupView, other: NodeView, end: LogPosition): string {
  const { id, report } = other;
  if (report === null || !isLive(view, other)) return `${id} is not here to compare`;
  if (tellsNothing(report)) return `${id} cannot read its own`;
  return comparePositions(report.log.end, end) > 0 ? `${id} has more` : '';
}

/** Its store failed when it was opened, so its log may be anything. */
export function tellsNothing({ storeFailed, log }: AgentReport): boolean {
  return storeFailed && log.end.seq === 0;
}

/** The nodes that could become master now. */
export function candidatesOf(view: GroupView): NodeView[] {
  return view.nodes.filter((node) => obstaclesTo(view, node).length === 0);
}

/** The best of them; the longest log wins, then the node on record. */
export function bestCandidate(view: GroupView): NodeView | null {
  return longestLog(candidatesOf(view), view.record.master);
}

/** The node with the longest log by (epoch, seq); `preferred` among equals. */
export function longestLog(nodes: readonly NodeView[], preferred: NodeId | null): NodeView | null {
  let best: NodeView | null = null;
  for (const node of nodes) {
    if (node.report === null) continue;
    const ahead = best?.report ? comparePositions(node.report.log.end, best.report.log.end) : 1;
    if (ahead > 0 || (ahead === 0 && node.id === preferred)) best = node;
  }
  return best;
}

/** Milliseconds for people: `340 ms`, `2.5 s`. */
export function describeMs(milliseconds: number): string {
  if (!Number.isFinite(milliseconds)) return 'ever';
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}
