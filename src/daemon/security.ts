import type { Config } from '../config/config.ts';
import { Credentials } from '../transport/credentials.ts';
import type { LinkSecurity } from '../transport/security.ts';

/** How this process' links are protected. `name`: of its certificate, `controller` or the node's. @throws HsctlError('config') */
export function securityFor(config: Config, name: string): LinkSecurity {
  if (config.tls === null) return { kind: 'plain' };
  return { kind: 'tls', credentials: new Credentials(config.tls.dir, name) };
}
