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

/** End of this process' certificate, in milliseconds since 1970; null without one. */
export function certificateEnd(security: LinkSecurity): number | null {
  return security.kind === 'tls' ? security.credentials.expiresAtWallMs : null;
}

const LOOK_MS = 60_000;

/**
 * New links use renewed certificates without a restart, and present ones go on: the files are looked at each minute, and
 * at once on SIGHUP. Call the result to end it.
 */
export function followCredentials(security: LinkSecurity, scheduler: Scheduler, logger: Logger): () => void {
  if (security.kind === 'plain') return () => undefined;
  const watch = watchCredentials(security.credentials, { scheduler, logger, periodMs: LOOK_MS });
  const look = (): void => watch.look();
  process.on('SIGHUP', look);
  return () => {
    watch.cancel();
    process.off('SIGHUP', look);
  };
}
