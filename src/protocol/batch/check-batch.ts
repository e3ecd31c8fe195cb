import { crc32 } from '../../kit/crc32.ts';
import { BatchCursor, checkRecords } from './batch-cursor.ts';
import { type BatchHeader, damaged } from './batch-header.ts';
import { BATCH_HEADER_BYTES } from './layout.ts';

/**
 * Checks header, payload checksum and every record of the batch that `bytes` holds from `at` on.
 * Returns the cursor, before the first record.
 *
 * @throws HsctlError('format') that says what is wrong.
 */
export function checkBatch(bytes: Uint8Array, at = 0, cursor: BatchCursor = new BatchCursor()): BatchCursor {
  const { header } = cursor.open(bytes, at);
  checkPayload(header, bytes, at);
  checkRecords(cursor, at + header.totalBytes);
  return cursor.open(bytes, at);
}

/** Checks that the records are those that the header, already read from `at`, was made for. */
export function checkPayload(header: BatchHeader, bytes: Uint8Array, at: number): void {
  const end = at + header.totalBytes;
  if (end > bytes.length) throw damaged(`batch of ${header.totalBytes} bytes, ${bytes.length - at} are here`);
  if (crc32(bytes.subarray(at + BATCH_HEADER_BYTES, end)) !== header.payloadCrc) {
    throw damaged(`the checksum of the records ${header.firstSeq} to ${header.lastSeq} is wrong`);
  }
}

/** The same, for `bytes` that must hold one batch and nothing else. */
export function checkSingleBatch(bytes: Uint8Array, cursor?: BatchCursor): BatchCursor {
  return nothingBehind(bytes, checkBatch(bytes, 0, cursor));
}

/** The same where what the records are need not be known, since their checksum is right. */
export function checkSinglePayload(bytes: Uint8Array, cursor: BatchCursor): BatchCursor {
  const { header } = cursor.open(bytes);
  checkPayload(header, bytes, 0);
  return nothingBehind(bytes, cursor);
}

function nothingBehind(bytes: Uint8Array, cursor: BatchCursor): BatchCursor {
  const { totalBytes } = cursor.header;
  if (totalBytes !== bytes.length) throw damaged(`${bytes.length - totalBytes} bytes behind a batch`);
  return cursor;
}
