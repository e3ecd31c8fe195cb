import { roundDuration } from '../../kit/amounts.ts';
import type { CertificateFacts } from '../../transport/certificate-facts.ts';
import { formatMoment } from './moment.ts';
import type { Paint } from './paint.ts';
import { alignTable, type Cell } from './table.ts';

const SOON_MS = 21 * 86_400_000;

/** Certificates in a table: whose they are, and how long they are good for. */
export function renderCertificates(certificates: readonly CertificateFacts[], wallMs: number, paint: Paint): string[] {
  if (certificates.length === 0) return ['no certificates'];
  const rows = certificates.map((certificate): Cell[] => [
    certificate.file,
    certificate.identity ?? (certificate.isAuthority ? certificate.subject : `${certificate.subject} (not ours)`),
    formatMoment(certificate.notAfterWallMs),
    leftCell(certificate.notAfterWallMs - wallMs),
    certificate.fingerprint.slice(0, 23),
  ]);
  return alignTable(['FILE', 'WHOSE', 'ENDS', 'LEFT', 'FINGERPRINT'], rows, paint);
}

function leftCell(leftMs: number): Cell {
  if (leftMs <= 0) return { text: 'expired', style: 'bad' };
  return { text: roundDuration(leftMs), style: leftMs < SOON_MS ? 'poor' : 'plain' };
}
