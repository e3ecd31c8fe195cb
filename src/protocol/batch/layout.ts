/**
 * The batch: what arrived at the master in one turn of its event loop. The same bytes stand in the log file
 * and travel on the replication link. All numbers are little-endian.
 *
 * Header, 48 bytes:
 *   0  u32  magic "HSB1" (0x31425348)
 *   4  u8   format version (1)
 *   5  u8   flags (`FLAG_SPARSE`, `FLAG_FORGETFUL`)
 *   6  u16  reserved, 0
 *   8  f64  epoch
 *  16  f64  seq of the first record
 *  24  u32  number of records
 *  28  u32  bytes of records that follow the header
 *  32  u32  CRC-32 of those bytes
 *  36  u32  rolling hash of the log up to and with this batch:
 *           CRC-32 of the 36 header bytes before this field, started from the rolling hash before the batch
 *  40  u32  distance: last seq that the batch covers minus the first (count - 1 unless sparse)
 *  44  u32  CRC-32 of the 44 bytes before
 *
 * Record, 8 bytes and then key and value:
 *   0  u8   operation (`OP`)
 *   1  u8   1 in sparse batches, else 0
 *   2  u16  key length
 *   4  u32  value length
 *   in sparse batches followed by u32 distance of the record's seq from the header's first seq
 *
 * A sparse batch stands for one or more batches of one epoch of which only the records are left that matter. It covers
 * every seq from its first to its last, holds some of them in rising order or none, and carries the rolling hash that the
 * log had at the end of the batches that it stands for.
 */
export const BATCH_MAGIC = 0x31425348;
export const BATCH_VERSION = 1;
export const BATCH_HEADER_BYTES = 48;
export const RECORD_HEADER_BYTES = 8;
/** What a record's header is longer by in a sparse batch. */
export const DISTANCE_BYTES = 4;
/** Made by compaction, or by reading from the middle of a batch. */
export const FLAG_SPARSE = 1;
/** Sparse, and deletes older than the tombstone time are missing from the range: who stopped within it may not go on. */
export const FLAG_FORGETFUL = 2;

export const OP = {
  set: 1,
  delete: 2,
  /** First record of a reign; key: name of the master. */
  reign: 3,
  /** From here the master confirms with these nodes; value: their names, comma-separated. A single name: alone. */
  inSync: 4,
} as const;

export const KEY_LIMIT_BYTES = 65_535;
export const VALUE_LIMIT_BYTES = 64 * 1024 * 1024;
/** A batch holds at most this many bytes of records, unless a single record (or transaction) is larger. */
export const BATCH_SOFT_LIMIT_BYTES = 1024 * 1024;
/** Nothing larger is ever sent or accepted. */
export const BATCH_LIMIT_BYTES = 2 * VALUE_LIMIT_BYTES;
