import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { messageOf } from '../kit/errors.ts';
import { formatDuration } from '../kit/units.ts';
import { ProbeFailure } from './reason.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

export interface CertificateOptions {
  readonly serverName: string | null;
  readonly verify: boolean;
  readonly ca: string | null;
  /** Milliseconds. */
  readonly warnBefore: number;
}

/** What a TLS connection is opened with; the file of authorities is read anew for each, since they change. */
export async function tlsOptions(
  { serverName, verify, ca }: CertificateOptions,
  host: string,
): Promise<ConnectionOptions> {
  const name = serverName ?? host;
  let trusted: { ca?: string } = {};
  if (verify && ca !== null) {
    try {
      trusted = { ca: await readFile(ca, 'utf8') };
    } catch (thrown) {
      throw new ProbeFailure(`the authorities cannot be read: ${messageOf(thrown)}`);
    }
  }
  return { ...trusted, ...(isIP(name) === 0 ? { servername: name } : {}) };
}

/**
 * Judges the certificate that a server showed.
 * @throws ProbeFailure where it is not in force or, if that is asked for, not to be trusted
 */
export function judgeCertificate(
  socket: TLSSocket,
  { verify, warnBefore }: CertificateOptions,
  wallMs: number,
): { readonly detail: string; readonly warning?: string } {
  const certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  if (certificate === undefined) throw new ProbeFailure('showed no certificate');
  const leftMs = certificate.validToDate.getTime() - wallMs;
  const day = certificate.validToDate.toISOString().slice(0, 10);
  if (leftMs <= 0) throw new ProbeFailure(`the certificate ended on ${day}`);
  if (certificate.validFromDate.getTime() > wallMs) {
    const start = certificate.validFromDate.toISOString().slice(0, 10);
    throw new ProbeFailure(`the certificate is not in force before ${start}`);
  }
  if (verify && !socket.authorized) throw new ProbeFailure(distrust(String(socket.authorizationError)));
  const detail = `certificate until ${day}`;
  if (leftMs > warnBefore) return { detail };
  const unit = leftMs > 2 * DAY_MS ? DAY_MS : HOUR_MS;
  const left = formatDuration(Math.floor(leftMs / unit) * unit);
  return { detail, warning: `the certificate ends in ${left}, on ${day}` };
}

/** Why the platform does not trust a certificate, from its code: `UNABLE_TO_VERIFY_LEAF_SIGNATURE`. */
function distrust(code: string): string {
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'the certificate is for another name';
  return `the certificate is not trusted: ${code.toLowerCase().replaceAll('_', ' ')}`;
}
