import type { ClusterStatus, Severity } from '../../model/status.ts';
import type { Paint, Style } from './paint.ts';

/** Exit codes that Nagios knows. */
export const NAGIOS_EXIT: Readonly<Record<Severity, number>> = { ok: 0, warning: 1, critical: 2, unknown: 3 };

const STYLES: Readonly<Record<Severity, Style>> = { ok: 'good', warning: 'poor', critical: 'bad', unknown: 'poor' };

export function styleOf(severity: Severity): Style {
  return STYLES[severity];
}

/** The first line for people: `WARNING  world: a is alone, no protection: b silent for 12s`. */
export function renderFirstLine(status: Pick<ClusterStatus, 'severity' | 'summary'>, paint: Paint): string {
  return `${paint(STYLES[status.severity], status.severity.toUpperCase())}  ${status.summary}`;
}

/** The only line of `--check`; Nagios takes what follows a bar for measurements. */
export function renderCheck(status: Pick<ClusterStatus, 'severity' | 'summary'>): string {
  return `HSCTL ${status.severity.toUpperCase()} - ${status.summary.replaceAll('|', '/').replaceAll('\n', ' ')}`;
}
