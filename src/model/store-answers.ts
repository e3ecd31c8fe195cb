import { z } from 'zod';
import { API_VERSION } from './status.ts';

/** What `hsctl store --json` prints; fields are only ever added. */

const count = z.number().int().nonnegative();
const apiVersion = z.literal(API_VERSION);
const position = z.object({ epoch: count, seq: count, hash: count });
const problem = z.object({ file: z.string(), offset: count, what: z.string() });

const segment = z.object({
  file: z.string(),
  bytes: count,
  firstSeq: count,
  end: position,
  /** Null if the file was not read, its hint file being enough. */
  records: count.nullable(),
  hasHint: z.boolean(),
  /** Bytes at the end that are no whole batch: a write under way, or one that a crash tore. */
  unfinishedBytes: count,
  problem: problem.nullable(),
});

export const storeInfoSchema = z.object({
  apiVersion,
  directory: z.string(),
  /** Random name of the store. */
  store: z.string(),
  /** Process that has it open; null if none has. */
  usedBy: count.nullable(),
  intact: z.boolean(),
  /** Highest epoch that the agent has seen. */
  epoch: count,
  /** The log cannot be cut before this seq. */
  floor: count,
  end: position,
  reigns: z.array(z.object({ epoch: count, firstSeq: count })),
  /** Last record that the master may have confirmed alone; 0 if there is none. */
  aloneTo: count,
  bytes: count,
  segments: z.array(segment),
});

export const storeVerdictSchema = z.object({
  apiVersion,
  directory: z.string(),
  usedBy: count.nullable(),
  end: position,
  bytes: count,
  records: count,
  segments: z.array(segment),
  /** Empty: every byte is what was written. */
  problems: z.array(problem),
});

export const storeArchivesSchema = z.object({
  apiVersion,
  archives: z.array(
    z.object({
      path: z.string(),
      /** `tail`: what was cut off the log's end. `log`: a whole log that was moved away. */
      kind: z.enum(['tail', 'log']),
      modifiedWallMs: z.number().nonnegative(),
      bytes: count,
      firstSeq: count,
      end: position,
      records: count,
      problems: z.array(problem),
    }),
  ),
});
