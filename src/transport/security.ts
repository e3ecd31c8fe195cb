import { formatEndpoint, isLoopback } from '../kit/address.ts';
import { HsctlError } from '../kit/errors.ts';
import type { Credentials } from './credentials.ts';

/** How links are protected: all in a cluster the same way. */
export type LinkSecurity =
  /** No protection: only where every address of the cluster is loopback. */
  | { readonly kind: 'plain' }
  /** TLS 1.3 with a certificate on both sides. */
  | { readonly kind: 'tls'; readonly credentials: Credentials };

export interface LinkEndpoint {
  readonly host: string;
  readonly port: number;
}

/** @throws HsctlError('config') for a link without protection that could leave the machine. */
export function checkEndpoint(endpoint: LinkEndpoint, security: LinkSecurity): void {
  if (security.kind === 'tls' || isLoopback(endpoint.host)) return;
  throw new HsctlError(
    'config',
    `${formatEndpoint(endpoint)}: plain-text links are for loopback addresses only`,
    'name a directory with certificates in tls.dir; "hsctl cert init" and "hsctl cert issue" make them',
  );
}
