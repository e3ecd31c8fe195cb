import type { Config } from '../config/config.ts';
import type { Scheduler } from '../kit/clock.ts';
import type { Logger } from '../kit/logger.ts';
import { Credentials, watchCredentials } from '../transport/credentials.ts';
import type { LinkSecurity } from '../transport/security.ts';

/** How this process' links are protected. `name`: of its certificate, `controller` or the node's. @throws HsctlError('config') */
export function securityFor(config: Config, name: string): LinkSecurity {
  if (config.tls === null) return { kind: 'plain' };
  return { kind: 'tls', credentials: new Credentials(config.tls.dir, name) };
}

const LOOK_MS = 60_000;

/**
 * New links use renewed certificates without a restart: the files are looked at each minute. Call the result to end it.
 */
export function followCredentials(security: LinkSecurity, scheduler: Scheduler, logger: Logger): () => void {
  if (security.kind === 'plain') return () => undefined;
  const timer = watchCredentials(security.credentials, { scheduler, logger, periodMs: LOOK_MS });
  return () => timer.cancel();
}
