import type { DoctorFinding } from '../../model/doctor-answer.ts';

/** A finding before it is known for which role it was looked. */
export type Look = Omit<DoctorFinding, 'role'>;

export const fine = (check: string, what: string): Look => ({ check, severity: 'ok', what, hint: '' });
export const warning = (check: string, what: string, hint: string): Look => ({
  check,
  severity: 'warning',
  what,
  hint,
});
export const critical = (check: string, what: string, hint: string): Look => ({
  check,
  severity: 'critical',
  what,
  hint,
});

const RANKS = { ok: 0, warning: 1, critical: 2 } as const;

/** The worst of them. */
export function worstOf(findings: readonly Look[]): Look['severity'] {
  return findings.reduce<Look['severity']>(
    (worst, { severity }) => (RANKS[severity] > RANKS[worst] ? severity : worst),
    'ok',
  );
}
