import type { DoctorFinding } from '../../model/doctor-answer.ts';
import type { Paint } from './paint.ts';
import { renderFirstLine, styleOf } from './severity.ts';

/** What `hsctl doctor` found, by role; with `verbose` also what is well. */
export function renderFindings(findings: readonly DoctorFinding[], verbose: boolean, paint: Paint): string[] {
  const counted = (severity: DoctorFinding['severity']): number =>
    findings.filter((finding) => finding.severity === severity).length;
  const [critical, warnings] = [counted('critical'), counted('warning')];
  const severity = critical > 0 ? 'critical' : warnings > 0 ? 'warning' : 'ok';
  const summary =
    severity === 'ok'
      ? `${findings.length} looks, nothing to mend`
      : `${findings.length} looks: ${critical} critical, ${warnings} to think about`;
  const lines = [renderFirstLine({ severity, summary }, paint)];
  for (const role of new Set(findings.map((finding) => finding.role))) {
    const shown = findings.filter((finding) => finding.role === role && (verbose || finding.severity !== 'ok'));
    if (shown.length === 0) continue;
    lines.push('', paint('bold', role));
    for (const finding of shown) {
      lines.push(
        `  ${paint(styleOf(finding.severity), finding.severity.padEnd(8))}  ${finding.check}: ${finding.what}`,
      );
      if (finding.hint !== '') lines.push(`            ${finding.hint}`);
    }
  }
  return lines;
}
