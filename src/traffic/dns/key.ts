/** The key that a name server and we have in common, as the tools of the usual servers write it. Pure. */

import { HsctlError } from '../../kit/errors.ts';

export interface DnsKey {
  /** Lower case, with a dot at its end. */
  readonly name: string;
  /** As a domain name: `hmac-sha256.` */
  readonly algorithm: string;
  /** As node:crypto calls it. */
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  readonly secret: Uint8Array;
}

/** `tsig-keygen NAME` of BIND. */
const BIND = /\bkey\s+"?([A-Za-z0-9_.-]+)"?\s*\{([^}]*)\}/;
/** The first line of `keymgr -t NAME` of Knot DNS, and what `nsupdate -y` takes. */
const ONE_LINE = /^[#\s]*(hmac-[a-z0-9]+):([A-Za-z0-9_.-]+):([A-Za-z0-9+/=]+)\s*$/m;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const HINT = 'write the file by "tsig-keygen NAME" (BIND) or "keymgr -t NAME" (Knot DNS): one key, hmac-sha256';

/** @throws HsctlError('config') when there is no such key in the text; never with the secret in its message. */
export function parseKey(text: string): DnsKey {
  const bind = BIND.exec(text);
  const line = ONE_LINE.exec(text);
  const [, bindName = '', body = ''] = bind ?? [];
  const found =
    bind === null
      ? { name: line?.[2], algorithm: line?.[1], secret: line?.[3] }
      : {
          name: bindName,
          algorithm: /\balgorithm\s+"?([A-Za-z0-9-]+)"?\s*;/.exec(body)?.[1],
          secret: /\bsecret\s+"([^"]*)"\s*;/.exec(body)?.[1],
        };
  const { name, algorithm, secret } = found;
  if (name === undefined || algorithm === undefined || secret === undefined) {
    throw new HsctlError('config', 'no key found in it', HINT);
  }
  const hash = /^hmac-(sha256|sha384|sha512)$/.exec(algorithm.toLowerCase())?.[1];
  if (hash !== 'sha256' && hash !== 'sha384' && hash !== 'sha512') {
    throw new HsctlError('config', `the key's algorithm is ${algorithm}, which is not supported`, HINT);
  }
  const bytes = Buffer.from(secret, 'base64');
  if (!BASE64.test(secret) || bytes.length < 16) {
    throw new HsctlError('config', "the key's secret is no base64 of 16 bytes or more", HINT);
  }
  const dotted = name.toLowerCase().replace(/\.?$/, '.');
  return { name: dotted, algorithm: `hmac-${hash}.`, hash, secret: bytes };
}
