import { roundDuration } from '../kit/amounts.ts';
import type { ClusterStatus, GroupStatus, NodeStatus, Severity } from './status.ts';

/**
 * What is wrong with a group, if anything, in one line. Pure: the controller's API and the fall-back that asks the
 * agents both use it, so that they judge alike.
 */

/** A group's status before it was judged. */
export type GroupFacts = Omit<GroupStatus, 'severity' | 'summary'>;

interface Finding {
  readonly severity: Severity;
  readonly text: string;
}

/** Certificates that end sooner than this are reported. */
const CERTIFICATE_NOTICE_MS = 21 * 86_400_000;

/** How bad each severity is: `unknown` counts for less than a failure that is known. */
const RANK: Readonly<Record<Severity, number>> = { ok: 0, warning: 1, unknown: 2, critical: 3 };

/** The worse of two severities. */
export function worse(one: Severity, other: Severity): Severity {
  return RANK[one] >= RANK[other] ? one : other;
}

/** Severity and first line of a group, worst finding first. */
export function assessGroup(facts: GroupFacts, wallMs: number): Pick<GroupStatus, 'severity' | 'summary'> {
  const serving = servingFindings(facts);
  const protection = protectionFindings(facts);
  const told = (node: NodeStatus): boolean => (node.id === facts.master ? serving : protection).length > 0;
  const findings = [
    ...serving,
    ...operatorFindings(facts, wallMs),
    ...protection,
    ...facts.nodes.flatMap((node) => [
      ...nodeFindings(node, told(node)),
      ...node.warnings.map((text) => warning(`${node.id}: ${text}`)),
      ...certificateFindings(node.id, node.certificateEndsWallMs, wallMs),
    ]),
    ...facts.traffic
      .filter((traffic) => !traffic.settled)
      .map((traffic) => warning(`traffic ${traffic.name}: ${traffic.detail || 'is not as wanted'}`)),
  ].toSorted((one, other) => RANK[other.severity] - RANK[one.severity]);
  const worst = findings[0];
  if (worst !== undefined) {
    return { severity: worst.severity, summary: findings.map((finding) => finding.text).join('; ') };
  }
  const mode = facts.mode === 'manual' ? '; fails over only by hand' : '';
  return { severity: 'ok', summary: `${facts.master} serves, protected by ${facts.protectedBy.join(', ')}${mode}` };
}

/** Severity and first line of the cluster. */
export function assessCluster(
  groups: readonly GroupStatus[],
  source: ClusterStatus['source'],
  controller: Pick<NonNullable<ClusterStatus['controller']>, 'tilt' | 'certificateEndsWallMs' | 'recordsFault'> | null,
  wallMs: number,
): Pick<ClusterStatus, 'severity' | 'summary'> {
  const findings: Finding[] = [];
  if (source === 'agents') {
    findings.push(warning('the controller does not answer, so nothing fails over'));
  }
  if (controller !== null) {
    const { tilt, certificateEndsWallMs, recordsFault } = controller;
    if (recordsFault !== null)
      findings.push(critical(`nothing fails over, as no decision can be saved: ${recordsFault}`));
    if (tilt !== null) findings.push(warning(`the controller decides nothing for now: ${tilt}`));
    findings.push(...certificateFindings('the controller', certificateEndsWallMs, wallMs));
  }
  const bad = groups
    .filter((group) => group.severity !== 'ok')
    .toSorted((one, other) => RANK[other.severity] - RANK[one.severity]);
  findings.push(groupsFinding(groups, bad));
  return {
    severity: findings.map((finding) => finding.severity).reduce(worse),
    summary: findings.map((finding) => finding.text).join('; '),
  };
}

function groupsFinding(groups: readonly GroupStatus[], bad: readonly GroupStatus[]): Finding {
  const [first] = groups.length === 1 ? groups : bad;
  if (first === undefined) {
    return groups.length === 0
      ? { severity: 'unknown', text: 'nothing is known of any group' }
      : { severity: 'ok', text: `all ${groups.length} groups serve and are protected` };
  }
  const text = `${first.group}: ${first.summary}`;
  const others = bad.length - 1;
  if (others < 1) return { severity: first.severity, text };
  return { severity: first.severity, text: `${bad.length} of ${groups.length} groups need attention; ${text}` };
}

function servingFindings(facts: GroupFacts): Finding[] {
  const { stage, master } = facts;
  if (stage === 'none') return [critical(`no node has served yet${facts.reason ? ` (${facts.reason})` : ''}`)];
  if (stage === 'fencing') return [critical(`${master} is to take over, the former master is being fenced`)];
  if (stage === 'promoting') return [critical(`${master} is taking over${whatItWaitsFor(facts)}`)];
  if (stage === 'quiescing') return [warning(`${master} is handing over`)];
  if (facts.serving) return [];
  if (master === null) return [critical('no master is known')];
  const node = facts.nodes.find((each) => each.id === master);
  if (node !== undefined && !node.linked && facts.lease.holder === master && facts.lease.remainingMs > 0) {
    return [warning(`${master} serves under the slave's lease; ${silence(node)}`)];
  }
  return [critical(`nobody serves: ${node === undefined ? `${master} is unknown` : whyNotServing(node)}`)];
}

/** A promotion that cannot go on says so; one that is on its way needs no words. */
function whatItWaitsFor(facts: GroupFacts): string {
  const node = facts.nodes.find((each) => each.id === facts.master);
  if (node === undefined || (node.linked && node.trouble === '' && node.app === 'up')) return '';
  return `: ${whyNotServing(node)}`;
}

function whyNotServing(node: NodeStatus): string {
  if (!node.linked) return silence(node);
  if (node.trouble !== '') return `${node.id}: ${node.trouble}`;
  if (node.app !== 'up') return appText(node);
  if (node.role !== 'master') return `${node.id} has not taken its role yet`;
  return node.phase === 'ready' ? `${node.id} has no lease` : `${node.id} is ${node.phase}`;
}

function operatorFindings(facts: GroupFacts, wallMs: number): Finding[] {
  const findings: Finding[] = [];
  if (facts.pausedUntilWallMs !== null && facts.pausedUntilWallMs > wallMs) {
    findings.push(warning(`paused for ${roundDuration(facts.pausedUntilWallMs - wallMs)} more: no failover`));
  }
  if (facts.heldDownUntilWallMs !== null && facts.heldDownUntilWallMs > wallMs) {
    findings.push(warning(`no failover for ${roundDuration(facts.heldDownUntilWallMs - wallMs)} after the last one`));
  }
  return findings;
}

function protectionFindings(facts: GroupFacts): Finding[] {
  if (facts.protectedBy.length > 0 || (facts.stage !== 'serving' && facts.stage !== 'quiescing')) return [];
  const reasons = facts.nodes.filter((node) => node.id !== facts.master).map((node) => whyNoProtection(node));
  return [warning(`${facts.master} is alone, no protection: ${reasons.join(', ') || 'it has no peer'}`)];
}

function whyNoProtection(node: NodeStatus): string {
  if (!node.linked) return silence(node);
  if (node.divergence !== null) return `${node.id} has acknowledged records that the master lacks`;
  if (node.drained) return `${node.id} is drained`;
  if (node.catchUp !== null) {
    const { doneBytes, totalBytes } = node.catchUp;
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    return `${node.id} is catching up (${percent}%)`;
  }
  if (node.trouble !== '') return `${node.id}: ${node.trouble}`;
  if (node.app !== 'up') return appText(node);
  if (node.peerLinked === false) return `${node.id} has no link to the master`;
  return node.inSync ? `${node.id} cannot take over` : `${node.id} is not in sync`;
}

/** What concerns a node beside its part in serving and protecting, which may have been told already. */
function nodeFindings(node: NodeStatus, told: boolean): Finding[] {
  if (told) return [];
  const findings: Finding[] = [];
  if (!node.linked) findings.push(warning(silence(node)));
  else if (node.trouble !== '') findings.push(warning(`${node.id}: ${node.trouble}`));
  else if (node.app !== 'up' && node.app !== null) findings.push(warning(appText(node)));
  else if (node.health.verdict === 'down') findings.push(warning(`probe of ${node.id}: ${node.health.detail}`));
  if (node.drained) findings.push(warning(`${node.id} is drained`));
  return findings;
}

function certificateFindings(whose: string, endsWallMs: number | null, wallMs: number): Finding[] {
  if (endsWallMs === null) return [];
  const leftMs = endsWallMs - wallMs;
  if (leftMs <= 0) return [critical(`the certificate of ${whose} has expired`)];
  if (leftMs >= CERTIFICATE_NOTICE_MS) return [];
  return [warning(`the certificate of ${whose} ends in ${roundDuration(leftMs)}`)];
}

function silence(node: NodeStatus): string {
  return node.silentMs === null
    ? `${node.id} was never heard`
    : `${node.id} silent for ${roundDuration(node.silentMs)}`;
}

function appText(node: NodeStatus): string {
  return `the app of ${node.id} is ${node.app ?? 'unknown'}${node.appDetail === '' ? '' : ` (${node.appDetail})`}`;
}

function warning(text: string): Finding {
  return { severity: 'warning', text };
}

function critical(text: string): Finding {
  return { severity: 'critical', text };
}
