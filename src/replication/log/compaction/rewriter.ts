import type { LogPosition } from '../../../model/position.ts';
import type { FingerprintKey } from '../fingerprint.ts';

/** One of the segments that are rewritten, oldest first. */
export interface RewriteInput {
  readonly logPath: string;
  readonly hintPath: string;
  readonly base: LogPosition;
  readonly bytes: number;
  /** Its deletes are old enough to be forgotten, and nothing older is left that they would have to undo. */
  readonly dropsDeletes: boolean;
}

/** What a rewriter needs to know; it can be sent to a thread. */
export interface RewriteJob {
  readonly store: string;
  readonly key: FingerprintKey;
  readonly inputs: readonly RewriteInput[];
  /** Paths of the files to be made, which are not yet those of a segment. */
  readonly logPath: string;
  readonly hintPath: string;
  readonly sealedAtWallMs: number;
  /** Seqs of control records that nobody needs. */
  readonly idleControls: readonly number[];
  /** Reads and writes no faster, unless `hurry`, in memory that threads share, becomes 1. */
  readonly bytesPerSecond: number;
  readonly hurry: Int32Array;
}

/** Words of an entry in what `Rewriter` gives back: a, b, mark and offset of the new record, input and offset of the old. */
export const MOVE_WORDS = 6;

export interface RewriteResult {
  readonly bytes: number;
  /** Where each set that is still of use went. */
  readonly moves: readonly Uint32Array[];
}

/** Entries that are asked for at once at most: the answer takes the log's own thread about a millisecond. */
export const QUESTION_ENTRIES = 4096;

/**
 * Says which records are still of use: for entries (4 words each, as in entry-list.ts) of one input, one byte each, 1 for
 * yes. The answer holds until the next question. Asked for all inputs before anything is written.
 */
export type LivenessAnswer = (input: number, entries: Uint32Array) => Promise<Uint8Array>;

/**
 * Writes one segment and its hint file from several, and syncs both. An aborted one leaves files that the next start removes.
 */
export type Rewriter = (job: RewriteJob, answer: LivenessAnswer, signal: AbortSignal) => Promise<RewriteResult>;
