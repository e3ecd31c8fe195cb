import { RECORD_HEADER_BYTES } from '../../protocol/batch/layout.ts';

/** Number of tables of the index, and how many bits of `c` choose one. */
export const SHARD_BITS = 10;
export const SHARDS = 1 << SHARD_BITS;
/** Four random 32-bit numbers, made once for each store. */
export type FingerprintKey = readonly [number, number, number, number];

/**
 * A key's identity in the index: 82 bits of HalfSipHash-1-3 under a secret of the store.
 *
 * Two keys of one store with the same 82 bits would be taken for one by a write: the index keeps the later one. The odds
 * of one such pair are n^2 / 2^83: 3e-11 with 16 million keys, 1e-9 with 100 million; nobody who may choose keys can make one
 * without the secret. Reads and deletes compare the key itself, so a value is never given for another key, nor deleted
 * for it. Comparing at each overwrite would cost a read of the old record, 0.6 us, about twice what all the rest of
 * indexing costs, and reading all values at each start.
 *
 * `a` and `b` are 32 bits each; `c` has the table in its upper `SHARD_BITS` and 8 more bits in its lowest byte.
 */
export class Fingerprint {
  a = 0;
  b = 0;
  c = 0;
  readonly #key: FingerprintKey;

  constructor(key: FingerprintKey) {
    this.#key = key;
  }

  /** Takes the fingerprint of bytes[start, end) into the fields. */
  take(bytes: Uint8Array, start: number, end: number): void {
    let v0 = this.#key[0] | 0;
    let v1 = this.#key[1] | 0;
    let v2 = this.#key[2] ^ 0x6c796765;
    let v3 = this.#key[3] ^ 0x74656462;
    const wholeEnd = end - ((end - start) & 3);
    let at = start;
    for (;;) {
      const last = at >= wholeEnd;
      const word = last
        ? lastWord(bytes, at, end) | ((end - start) << 24)
        : bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
      v3 ^= word;
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      v0 ^= word;
      if (last) break;
      at += 4;
    }
    this.#squeeze(v0, v1, v2 ^ 0xee, v3);
  }

  /** Three words out of the state, three rounds before each. */
  #squeeze(v0: number, v1: number, v2: number, v3: number): void {
    for (let round = 1; round <= 9; round++) {
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
      if (round === 3) {
        this.a = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      } else if (round === 6) {
        this.b = (v1 ^ v3) >>> 0;
        v1 ^= 0xdd;
      }
    }
    this.c = (v1 ^ v3) >>> 0;
  }
}

function lastWord(bytes: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let shift = 0; at < end; at++, shift += 8) word |= bytes[at]! << shift;
  return word;
}

/**
 * A record's length in one byte, rounded up by an eighth at most: the index knows how much to read, and how much of
 * a segment is still of use.
 */
export function sizeClass(recordBytes: number): number {
  const bytes = Math.max(recordBytes, RECORD_HEADER_BYTES);
  const exponent = 28 - Math.clz32(bytes);
  const mantissa = (bytes + (1 << exponent) - 1) >>> exponent;
  return mantissa === 16 ? (exponent + 1) << 3 : (exponent << 3) | (mantissa - 8);
}

const CLASS_BYTES = Float64Array.from({ length: 256 }, (_, size) => ((size & 7) + 8) * 2 ** (size >> 3));

/** The longest record of a class, in bytes. */
export function classBytes(size: number): number {
  return CLASS_BYTES[size]!;
}
