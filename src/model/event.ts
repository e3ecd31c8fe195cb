import { z } from 'zod';

/** Something that happened to a group, kept for `hsctl events`. */
export const PHASES = ['detect', 'fence', 'promote', 'ready', 'traffic'] as const;

export const groupEventSchema = z.strictObject({
  /** Number of the event at this controller, from 1. */
  id: z.number().int().positive(),
  group: z.string(),
  wallMs: z.number(),
  /** `decision`: a rule fired. `operator`: somebody asked. `observation`: something was seen. `hook`: output of a hook. */
  kind: z.enum(['decision', 'operator', 'observation', 'hook', 'alarm']),
  /** Rule id for decisions; else a short word. */
  rule: z.string(),
  epoch: z.number().int().nonnegative(),
  node: z.string().nullable(),
  message: z.string(),
  /** Duration of each phase of a completed change of master, in milliseconds. */
  phasesMs: z.partialRecord(z.enum(PHASES), z.number().nonnegative()).nullable(),
});
export type GroupEvent = z.infer<typeof groupEventSchema>;
