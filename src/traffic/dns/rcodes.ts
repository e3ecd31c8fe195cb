/** What a name server means by the number with which it refuses. Pure. */

import { HsctlError } from '../../kit/errors.ts';
import type { DnsKey } from './key.ts';
import type { TsigVerdict } from './tsig.ts';

/** Who was asked, with which key, about what. */
export interface Asked {
  readonly server: string;
  readonly zone: string;
  readonly key: DnsKey;
}

/** Code, what it means, what would do. */
const MEANINGS: Readonly<Record<number, readonly [string, (asked: Asked) => string, (asked: Asked) => string]>> = {
  1: [
    'FORMERR',
    () => 'it does not understand the message',
    () => 'report this, with the name and version of the server',
  ],
  2: [
    'SERVFAIL',
    () => 'it failed',
    (asked) => `see the server's log; often it may not write the files of zone ${asked.zone}`,
  ],
  4: ['NOTIMP', () => 'it does not know dynamic updates', () => 'name the primary server of the zone'],
  5: [
    'REFUSED',
    (asked) => `key ${asked.key.name} may not do this in zone ${asked.zone}`,
    (asked) =>
      `allow it: BIND "update-policy { grant ${asked.key.name} name ...; };", Knot DNS "acl" with "action: [update, transfer]" and this key`,
  ],
  9: [
    'NOTAUTH',
    (asked) => `it is not a primary server of zone ${asked.zone}`,
    () => 'name the primary server in "server", and the zone as it stands there in "zone"',
  ],
  10: ['NOTZONE', (asked) => `the name is not in zone ${asked.zone}`, () => 'correct "zone" or "name"'],
  16: [
    'BADSIG',
    (asked) => `it has another secret under the name ${asked.key.name}`,
    () => 'copy the key file from the server again',
  ],
  17: [
    'BADKEY',
    (asked) => `it knows no key ${asked.key.name} with ${asked.key.algorithm.slice(0, -1)} that may do this`,
    () => 'add the key to the server under this very name, and to the "acl" of the zone (Knot DNS), or correct "key"',
  ],
  18: ['BADTIME', () => 'its clock and ours differ too much', () => 'set both clocks by NTP'],
  22: ['BADTRUNC', () => 'it wants longer signatures', () => 'use a key with hmac-sha256'],
};

/** @throws HsctlError('failed') in words, with a remedy, unless the server agreed. */
export function assertAgreed(rcode: number, tsig: TsigVerdict | null, asked: Asked, nowS: number): void {
  const code = tsig !== null && tsig.error !== 0 ? tsig.error : rcode;
  if (code === 0) {
    if (tsig !== null) return;
    throw new HsctlError(
      'failed',
      `${asked.server} does not sign its answers`,
      'name a server that knows TSIG, as BIND, Knot DNS and PowerDNS do',
    );
  }
  const [word, why, remedy] = MEANINGS[code] ?? [`code ${code}`, () => 'it gives no reason', () => ''];
  const offS = Math.round((tsig?.serverTimeS ?? nowS) - nowS);
  const clocks = offS === 0 ? '' : `: its clock is ${Math.abs(offS)} s ${offS > 0 ? 'ahead of' : 'behind'} ours`;
  throw new HsctlError('failed', `${asked.server} refuses (${word}): ${why(asked)}${clocks}`, remedy(asked));
}
