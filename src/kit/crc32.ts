import { crc32 as zlibCrc32 } from 'node:zlib';

/** CRC-32 (the one of zlib and Ethernet) of `bytes`, continued from `start`: an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, start = 0): number {
  return zlibCrc32(bytes, start);
}
