/**
 * The batch: what arrived at the master in one turn of its event loop. The same bytes stand in the log file
 * and travel on the replication link. All numbers are little-endian.
 *
 * Header, 48 bytes:
 *   0  u32  magic "HSB1" (0x31425348)
 *   4  u8   format version (1)
 *   5  u8   flags (bit 0: sparse, made by compaction; records carry their own distance from firstSeq)
 *   6  u16  reserved, 0
 *   8  f64  epoch
 *  16  f64  seq of the first record
 *  24  u32  number of records
 *  28  u32  bytes of records that follow the header
 *  32  u32  CRC-32 of those bytes
 *  36  u32  rolling hash of the log up to and with this batch:
 *           CRC-32 of the 36 header bytes before this field, started from the rolling hash before the batch
 *  40  u32  distance: seq of the last record minus seq of the first (count - 1 unless sparse)
 *  44  u32  CRC-32 of the 44 bytes before
 *
 * Record, 8 bytes and then key and value:
 *   0  u8   operation (`OP`)
 *   1  u8   reserved, 0
 *   2  u16  key length
 *   4  u32  value length
 *   in sparse batches followed by u32 distance of the record's seq from the header's first seq
 */
export const BATCH_MAGIC = 0x31425348;
export const BATCH_VERSION = 1;
export const BATCH_HEADER_BYTES = 48;
export const RECORD_HEADER_BYTES = 8;
export const FLAG_SPARSE = 1;

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
