/**
 * Places in a group's log. A record is named by (epoch, seq): since an epoch has one owner, two logs
 * that hold the same (epoch, seq) hold the same records up to there.
 */

/** A place in the log, just behind the record `seq`. An empty log ends at `LOG_START`. */
export interface LogPosition {
  /** Reign under which the record was written; 0 for an empty log. */
  readonly epoch: number;
  /** Number of the record, from 1, rising across epochs; 0 for an empty log. */
  readonly seq: number;
  /** Rolling checksum of all batches up to here (unsigned 32 bits). */
  readonly hash: number;
}

export const LOG_START: LogPosition = { epoch: 0, seq: 0, hash: 0 };

/** Where a reign begins in the log. A log's history is the list of its reigns, oldest first. */
export interface Reign {
  readonly epoch: number;
  /** Number of the reign's first record. */
  readonly firstSeq: number;
}

/** Negative if `one` is behind `other`, 0 if level, positive if ahead: by epoch, then by seq. */
export function comparePositions(one: LogPosition, other: LogPosition): number {
  return one.epoch - other.epoch || one.seq - other.seq;
}

/** What a log looks like from outside. */
export interface LogState {
  readonly end: LogPosition;
  readonly history: readonly Reign[];
  /**
   * Whether the log surely holds every record that this node ever confirmed. False for a new disk, and
   * after the machine went down while writes could still be in its memory only.
   */
  readonly intact: boolean;
  /**
   * Last record that its master may have confirmed alone: the end while the last `inSync` record names one node,
   * else the record before the `inSync` record that named the slave again; 0 if none ever was. A log that has
   * to be cut before this place would lose an acknowledged record.
   */
  readonly aloneTo: number;
}
