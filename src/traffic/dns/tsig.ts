/** Signatures of messages by a key that both ends have (TSIG, RFC 8945), made with the hash functions of HMAC-SHA2. */

import { createHmac, timingSafeEqual } from 'node:crypto';
import { HsctlError } from '../../kit/errors.ts';
import type { DnsKey } from './key.ts';
import {
  CLASS,
  type DnsAnswer,
  HEADER_BYTES,
  joined,
  nameBytes,
  Reader,
  recordBytes,
  TYPE,
  uint16,
} from './message.ts';

/** How far the clocks of both ends may differ, in seconds; the usual figure. */
const FUDGE_S = 300;
/** Where a message counts the records behind its answers. */
const ADDITIONAL_COUNT = 10;

export interface Signed {
  readonly bytes: Uint8Array;
  /** The signature, which goes into that of the answer. */
  readonly mac: Uint8Array;
}

/** What the signature of an answer says beside being a signature. */
export interface TsigVerdict {
  /** An extended response code such as BADTIME; 0 for none. */
  readonly error: number;
  /** The server's clock in seconds since 1970 if that is what is wrong; else null. */
  readonly serverTimeS: number | null;
}

/** The message with its signature behind it. */
export function sign(message: Uint8Array, key: DnsKey, nowS: number): Signed {
  const mac = macOf(key, [message, variables(key, nowS, FUDGE_S, 0, new Uint8Array())]);
  const id = message.subarray(0, 2);
  const data = joined([
    nameBytes(key.algorithm),
    uint48(nowS),
    uint16(FUDGE_S, mac.length),
    mac,
    id,
    uint16(0 /* no error */, 0 /* nothing else */),
  ]);
  const record = recordBytes({ name: key.name, type: TYPE.TSIG, class: CLASS.ANY, ttl: 0, data });
  return { bytes: joined([withAdditional(message, 1), record]), mac };
}

/**
 * Checks that the server which answers has the key, and answers this very question. Null if the answer has no signature
 * at all, as some failures have none.
 * @throws HsctlError('failed') when the signature is wrong.
 */
export function verify(
  bytes: Uint8Array,
  answer: DnsAnswer,
  requestMac: Uint8Array,
  key: DnsKey,
  nowS: number,
): TsigVerdict | null {
  const record = answer.additional.at(-1);
  if (record === undefined || record.type !== TYPE.TSIG) return null;
  const reader = new Reader(bytes, record.dataOffset);
  const algorithm = reader.name();
  const signedAtS = reader.uint48();
  const fudgeS = reader.uint16();
  const mac = reader.take(reader.uint16());
  const originalId = reader.uint16();
  const error = reader.uint16();
  const other = reader.take(reader.uint16());
  // A server that does not know the key, or takes our signature for wrong, cannot sign.
  if (error !== 0 && mac.length === 0) return { error, serverTimeS: null };

  const message = withAdditional(bytes.subarray(0, record.offset), -1);
  message.set(uint16(originalId), 0);
  const named = { ...key, name: record.name, algorithm };
  const expected = macOf(key, [
    uint16(requestMac.length),
    requestMac,
    message,
    variables(named, signedAtS, fudgeS, error, other),
  ]);
  const isOurs = record.name === key.name && algorithm === key.algorithm;
  if (!isOurs || mac.length !== expected.length || !timingSafeEqual(mac, expected)) {
    throw new HsctlError(
      'failed',
      'the answer is signed wrongly, so it may come from somebody else',
      'check that the key here is the one in the server, and that nothing on the way changes messages',
    );
  }
  if (error === 0 && Math.abs(nowS - signedAtS) > fudgeS) {
    throw new HsctlError(
      'failed',
      `the answer was signed ${Math.abs(nowS - signedAtS)} s ${signedAtS > nowS ? 'ahead of' : 'behind'} our clock`,
      'set both clocks by NTP',
    );
  }
  return { error, serverTimeS: error !== 0 && other.length === 6 ? new Reader(other).uint48() : null };
}

function macOf(key: DnsKey, parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac(key.hash, key.secret);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

function variables(key: DnsKey, timeS: number, fudgeS: number, error: number, other: Uint8Array): Uint8Array {
  const ttl = uint16(0, 0);
  return joined([
    nameBytes(key.name),
    uint16(CLASS.ANY),
    ttl,
    nameBytes(key.algorithm),
    uint48(timeS),
    uint16(fudgeS, error, other.length),
    other,
  ]);
}

/** A copy that counts so many records more behind the answers. */
function withAdditional(message: Uint8Array, more: number): Uint8Array {
  if (message.length < HEADER_BYTES) throw new HsctlError('format', 'not a message of a name server');
  const copy = Uint8Array.from(message);
  copy.set(uint16(new Reader(message, ADDITIONAL_COUNT).uint16() + more), ADDITIONAL_COUNT);
  return copy;
}

function uint48(value: number): Uint8Array {
  return uint16(Math.floor(value / 0x1_0000_0000), Math.floor(value / 0x1_0000) % 0x1_0000, value % 0x1_0000);
}
