import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import { Credentials } from '../../transport/credentials.ts';
import { formatIdentity, type Identity } from '../../transport/identity.ts';
import { critical, fine, warning, type Look } from './finding.ts';

const DAY_MS = 86_400_000;
const SOON_MS = 30 * DAY_MS;
/** Others than the owner may read or write it. */
const OPEN_MODE = 0o077;

/** The certificate and key of a role: there, its own, in force, and the key for nobody else to read. */
export function lookAtCertificates(dir: string, wanted: Identity, name: string, clock: Clock): readonly Look[] {
  const check = `certificate ${name}.pem`;
  const issue = `hsctl cert issue ${wanted.role}${wanted.role === 'controller' ? '' : ` ${wanted.name}`}`;
  let credentials: Credentials;
  try {
    credentials = new Credentials(dir, name);
  } catch (error) {
    const hint = error instanceof HsctlError && error.hint !== '' ? error.hint : '';
    return [
      critical(check, messageOf(error), hint || `"${issue}" where the authority is, and copy it here with ca.pem`),
    ];
  }
  return [whose(credentials, wanted, check, issue), validity(credentials, check, name, clock), keyMode(dir, name)];
}

function whose(credentials: Credentials, wanted: Identity, check: string, issue: string): Look {
  const found = credentials.identity === null ? 'nobody of ours' : formatIdentity(credentials.identity);
  if (found === formatIdentity(wanted)) return fine(check, `is that of ${found}`);
  return critical(check, `is that of ${found}, not of ${formatIdentity(wanted)}`, `"${issue}", and copy it here`);
}

function validity(credentials: Credentials, check: string, name: string, clock: Clock): Look {
  const leftMs = credentials.expiresAtWallMs - clock.wallMs();
  const days = Math.floor(leftMs / DAY_MS);
  const hint = `"hsctl cert renew ${name}" where the authority is, and copy it here`;
  if (leftMs <= 0) return critical(`${check}, time`, 'has run out', hint);
  if (leftMs < SOON_MS) return warning(`${check}, time`, `runs out in ${days} days`, hint);
  return fine(`${check}, time`, `good for ${days} days`);
}

function keyMode(dir: string, name: string): Look {
  const path = join(dir, `${name}.key`);
  const check = `key ${name}.key`;
  if ((statSync(path).mode & OPEN_MODE) === 0) return fine(check, 'only its owner may read it');
  return warning(check, 'others than its owner may read it', `chmod 600 ${path}`);
}
