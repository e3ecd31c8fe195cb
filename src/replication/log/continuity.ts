import type { LogPosition } from '../../model/position.ts';
import { type BatchHeader, rollingHash } from '../../protocol/batch/batch-header.ts';

/** Why the batch does not continue a log that ends at `end`, or '' if it does. */
export function whyNotNext(end: LogPosition, header: BatchHeader, bytes: Uint8Array): string {
  if (header.firstSeq !== end.seq + 1) return `batch begins with seq ${header.firstSeq} behind seq ${end.seq}`;
  if (header.epoch < end.epoch) return `batch of epoch ${header.epoch} behind epoch ${end.epoch}`;
  if (!header.sparse && header.hash !== rollingHash(bytes, end.hash)) {
    return `batch from seq ${header.firstSeq} on was made for another log: its rolling hash does not fit`;
  }
  return '';
}
