import { isHost } from '../kit/address.ts';

/** The family of a literal address; null for a host name. */
export function familyOf(host: string): 4 | 6 | null {
  if (!isHost(host)) return null;
  if (host.includes(':')) return 6;
  return /^[\d.]+$/.test(host) ? 4 : null;
}
