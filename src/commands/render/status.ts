import { roundDuration, roundSize } from '../../kit/amounts.ts';
import type { ClusterStatus, GroupStatus, NodeStatus } from '../../model/status.ts';
import { formatMoment } from './moment.ts';
import type { Paint } from './paint.ts';
import { renderFirstLine, styleOf } from './severity.ts';
import { alignTable, type Cell } from './table.ts';

/** Status for a person: what is wrong, if anything, in the first line; then one group in full, or many in a table. */
export function renderStatus(status: ClusterStatus, paint: Paint): string[] {
  const [only, ...others] = status.groups;
  const groups =
    only !== undefined && others.length === 0 ? renderGroup(only, status, paint) : renderGroups(status, paint);
  return [renderFirstLine(status, paint), '', ...groups, '', paint('dim', sourceLine(status))];
}

function sourceLine(status: ClusterStatus): string {
  if (status.controller === null) return `${status.cluster}, as the agents on this machine know it`;
  const { version, uptimeMs } = status.controller;
  return `${status.cluster}, controller ${version}, up ${roundDuration(uptimeMs)}`;
}

function renderGroups(status: ClusterStatus, paint: Paint): string[] {
  const rows = status.groups.map((group): Cell[] => [
    group.group,
    { text: group.severity, style: styleOf(group.severity) },
    group.master ?? '-',
    group.servingSinceWallMs === null ? '-' : roundDuration(status.wallMs - group.servingSinceWallMs),
    String(group.epoch),
    group.inSync.join(', '),
    group.severity === 'ok' ? '' : group.summary,
  ]);
  return alignTable(['GROUP', 'STATE', 'MASTER', 'FOR', 'EPOCH', 'IN SYNC', 'WHY'], rows, paint);
}

function renderGroup(group: GroupStatus, status: ClusterStatus, paint: Paint): string[] {
  const lines = [`${paint('bold', group.group)}  ${servedBy(group, status.wallMs)}, epoch ${group.epoch}`];
  const tell = (name: string, text: string): void => {
    if (text !== '') lines.push(`  ${paint('dim', name.padEnd(8))}  ${text}`);
  };
  tell('stage', group.stage === 'serving' ? '' : group.stage);
  tell('lease', leaseText(group));
  tell(
    'in sync',
    group.inSync.length === 0 ? (status.source === 'agents' ? '' : 'none recorded') : group.inSync.join(', '),
  );
  tell('mode', group.mode === 'manual' ? 'manual: fails over only by hand' : '');
  tell('paused', group.pausedUntilWallMs === null ? '' : `until ${formatMoment(group.pausedUntilWallMs)}`);
  tell('because', group.reason === '' ? '' : `${group.reason}${group.rule === '' ? '' : ` (${group.rule})`}`);
  for (const { name, active, detail } of group.traffic) {
    tell('traffic', `${name} -> ${active ?? 'nobody'}${detail === '' ? '' : ` (${detail})`}`);
  }
  const event = group.lastEvent;
  tell(
    'latest',
    event === null ? '' : `${roundDuration(status.wallMs - event.wallMs)} ago: ${event.message} (${event.rule})`,
  );
  const heading = ['  NODE', 'ROLE', 'APP', 'PROBE', 'HEARD', 'LOG END', 'LAG', 'CLIENTS', 'ADDRESSES'];
  const nodes = alignTable(
    heading,
    group.nodes.map((node) => nodeRow(node, group)),
    paint,
  );
  return [
    ...lines,
    '',
    ...nodes,
    ...group.nodes.flatMap((node) => nodeNotes(node, status.wallMs)).map((note) => `  ${paint('poor', note)}`),
  ];
}

function servedBy(group: GroupStatus, nowMs: number): string {
  if (group.master === null) return 'has had no master yet';
  if (!group.serving) return `${group.master} is master and does not serve`;
  const since = group.servingSinceWallMs;
  return `served by ${group.master}${since === null ? '' : ` since ${formatMoment(since)} (${roundDuration(nowMs - since)})`}`;
}

function leaseText({ lease }: GroupStatus): string {
  if (lease.holder === null) return 'nobody holds one';
  return `${lease.holder}, ${roundDuration(lease.remainingMs)} left${lease.from === 'none' ? '' : `, from the ${lease.from}`}`;
}

function nodeRow(node: NodeStatus, group: GroupStatus): Cell[] {
  const { verdict } = node.health;
  return [
    `${node.id === group.master ? '*' : ' '} ${node.id}`,
    node.phase === null ? (node.role ?? '-') : `${node.role ?? '-'}, ${node.phase}`,
    node.app === null || node.app === 'up' ? (node.app ?? '-') : { text: node.app, style: 'bad' },
    verdict === 'unknown' ? '-' : { text: verdict, style: verdict === 'up' ? 'plain' : 'bad' },
    heardCell(node),
    node.logEnd === null ? '-' : `${node.logEnd.epoch}-${node.logEnd.seq}`,
    lagText(node, group),
    node.connections === null ? '' : String(node.connections),
    node.addresses.join(' '),
  ];
}

function heardCell(node: NodeStatus): Cell {
  if (node.silentMs === null) return { text: 'never', style: 'bad' };
  const ago = `${roundDuration(node.silentMs)} ago`;
  return node.linked ? ago : { text: `${ago}, lost`, style: 'bad' };
}

function lagText(node: NodeStatus, group: GroupStatus): string {
  if (node.catchUp !== null) {
    const { doneBytes, totalBytes, bytesPerSecond } = node.catchUp;
    const left =
      bytesPerSecond > 0 ? `, ${roundDuration((1_000 * (totalBytes - doneBytes)) / bytesPerSecond)} left` : '';
    const percent = totalBytes === 0 ? 100 : Math.floor((100 * doneBytes) / totalBytes);
    return `${percent}% of ${roundSize(totalBytes)} at ${roundSize(bytesPerSecond)}/s${left}`;
  }
  if (node.lag === null || node.id === group.master) return '-';
  const { records, bytes } = node.lag;
  if (records === 0 || bytes === 0) return 'none';
  const parts = [records === null ? '' : `${records} records`, bytes === null ? '' : roundSize(bytes)];
  return parts.filter((part) => part !== '').join(', ') || '-';
}

/** What does not fit a table, one line each. */
function nodeNotes(node: NodeStatus, nowMs: number): string[] {
  const notes: string[] = [];
  if (node.trouble !== '') notes.push(`${node.id}: ${node.trouble}`);
  if (node.app !== 'up' && node.appDetail !== '') notes.push(`app of ${node.id}: ${node.appDetail}`);
  if (node.health.verdict === 'down') notes.push(`probe of ${node.id}: ${node.health.detail}`);
  if (node.drained) notes.push(drainText(node, nowMs));
  if (node.divergence !== null) {
    const { ownEnd, peerEnd, forkSeq, acknowledgedFrom } = node.divergence;
    notes.push(
      `${node.id} may not join: its log ends at ${ownEnd.epoch}-${ownEnd.seq}, that of the master at ` +
        `${peerEnd.epoch}-${peerEnd.seq}; they part after seq ${forkSeq}, and it acknowledged from seq ${acknowledgedFrom}`,
    );
  }
  for (const archive of node.archives) {
    notes.push(`${node.id} keeps ${archive.endsWith('.log') ? 'a cut tail' : 'its former log'} in ${archive}`);
  }
  return notes;
}

function drainText({ id, connections, drainEndsWallMs }: NodeStatus, nowMs: number): string {
  const left =
    connections === null
      ? ''
      : connections === 0
        ? ', without connections'
        : `, ${connections === 1 ? '1 connection' : `${connections} connections`} left`;
  const leftMs = drainEndsWallMs === null || connections === 0 ? null : drainEndsWallMs - nowMs;
  const end = leftMs === null ? '' : leftMs > 0 ? `, reset in ${roundDuration(leftMs)}` : ', being reset';
  return `${id} is drained${left}${end}; "hsctl undrain" ends that`;
}
