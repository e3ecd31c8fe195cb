import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HsctlError, messageOf } from '../kit/errors.ts';
import { formatIdentity, identityOf } from './identity.ts';

/** What a certificate file says. */
export interface CertificateFacts {
  /** File name within its directory. */
  readonly file: string;
  /** `hsctl://...`; null for an authority, and for certificates that are not ours. */
  readonly identity: string | null;
  readonly subject: string;
  readonly isAuthority: boolean;
  readonly notBeforeWallMs: number;
  readonly notAfterWallMs: number;
  /** SHA-256, as openssl prints it. */
  readonly fingerprint: string;
}

/** @throws HsctlError('refused') if the file cannot be read, or is no certificate. */
export function readCertificate(path: string): CertificateFacts {
  const certificate = parseCertificate(path);
  const identity = identityOf(certificate.subjectAltName);
  return {
    file: basename(path),
    identity: identity === null ? null : formatIdentity(identity),
    subject: certificate.subject.replaceAll('\n', ', '),
    isAuthority: certificate.ca,
    notBeforeWallMs: Date.parse(certificate.validFrom),
    notAfterWallMs: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
  };
}

function parseCertificate(path: string): X509Certificate {
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    const hint = 'make one with "hsctl cert issue", or take a file away that is none';
    throw new HsctlError('refused', `${path}: no certificate can be read: ${messageOf(error)}`, hint, { cause: error });
  }
}
