import { z } from 'zod';
import { API_VERSION } from './status.ts';

/** What one look of `hsctl doctor` found. */
const doctorFindingSchema = z.object({
  /** What the machine is for: `controller`, or `agent GROUP:NODE`. */
  role: z.string(),
  /** What was looked at: `clock`, `port 10.0.0.11:7401`. */
  check: z.string(),
  severity: z.enum(['ok', 'warning', 'critical']),
  /** What was found. */
  what: z.string(),
  /** What would do; empty if nothing has to be done. */
  hint: z.string(),
});
export type DoctorFinding = z.infer<typeof doctorFindingSchema>;

/** What `hsctl doctor --json` prints; fields are only ever added. */
export const doctorAnswerSchema = z.object({
  apiVersion: z.literal(API_VERSION),
  severity: z.enum(['ok', 'warning', 'critical']),
  findings: z.array(doctorFindingSchema),
});
