import type { Reign } from '../../model/position.ts';

/**
 * Ids of the log read as a stream: `<epoch>-<seq>`. The seq alone orders them; the epoch tells whether the record that
 * an id names is in this log, since an epoch has one owner.
 */
export interface LogId {
  readonly epoch: number;
  readonly seq: number;
}

/** Reads `7-12`, or `7` with `missingSeq` for what it leaves out; null if it is no id. */
export function parseLogId(text: string, missingSeq: number): LogId | null {
  const parts = /^(\d{1,16})(?:-(\d{1,16}))?$/.exec(text);
  if (parts === null) return null;
  const epoch = Number(parts[1]);
  const seq = parts[2] === undefined ? missingSeq : Number(parts[2]);
  if (!Number.isSafeInteger(epoch) || (seq !== Infinity && !Number.isSafeInteger(seq))) return null;
  return { epoch, seq };
}

/** The epoch under which record `seq` was written; 0 before the first. */
export function epochAt(history: readonly Reign[], seq: number): number {
  return history.findLast(({ firstSeq }) => firstSeq <= seq)?.epoch ?? 0;
}

/** The first seq that is behind an id in a log that ends at `endSeq`: earlier reigns are before it, later ones behind. */
export function firstSeqBehind(history: readonly Reign[], endSeq: number, id: LogId): number {
  const own = history.find(({ epoch }) => epoch >= id.epoch);
  const next = history.find(({ epoch }) => epoch > id.epoch);
  return Math.min(next?.firstSeq ?? Infinity, Math.max(own?.firstSeq ?? endSeq + 1, id.seq + 1));
}

/**
 * Whether a reader that has everything up to `id` has something that this log has not: it read a log that was cut.
 * An id beyond the end under the latest epoch, or a later one, is only ahead: this log has still to get there.
 */
export function isForked(history: readonly Reign[], endSeq: number, id: LogId): boolean {
  if (id.seq === 0) return false;
  const latest = history.at(-1)?.epoch ?? 0;
  if (id.seq > endSeq) return id.epoch < latest;
  return epochAt(history, id.seq) !== id.epoch;
}
