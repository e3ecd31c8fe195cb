import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { formatEndpoint } from '../kit/address.ts';
import type { Scheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import { formatIdentity, identityOf, identityRefusal, type Identity } from './identity.ts';
import type { LinkConnection } from './link-connection.ts';
import { checkEndpoint, type LinkEndpoint, type LinkSecurity } from './security.ts';
import { SharedReader } from './shared-reader.ts';
import { SocketLink } from './socket-link.ts';

export interface DialOptions {
  readonly endpoint: LinkEndpoint;
  readonly security: LinkSecurity;
  /** Who must be there; without meaning on plain-text links. */
  readonly expected: Identity;
  /** For the connection and the handshake, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  readonly scheduler: Scheduler;
}

/**
 * Connects to a listener. With TLS, only to one that shows the expected certificate; whether it accepts ours, it says
 * by a refusal as its first message, or by closing the link.
 * @throws HsctlError('unreachable') if there is nobody, or somebody else; HsctlError('timeout'); HsctlError('config')
 * for plain text to an address that is not loopback; HsctlError('failed') when called off.
 */
export function dialLink(options: DialOptions): Promise<LinkConnection> {
  const { endpoint, security, timeoutMs, signal, scheduler } = options;
  const where = formatEndpoint(endpoint);
  return new Promise((resolve, reject) => {
    checkEndpoint(endpoint, security);
    if (signal?.aborted) throw calledOff(where);
    const reader = security.kind === 'plain' ? new SharedReader() : null;
    const socket = openSocket(options, reader);
    const settle = (error: HsctlError | null): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      if (error === null) return resolve(new SocketLink(socket, scheduler, identityIn(socket, security), reader));
      socket.on('error', () => undefined);
      socket.destroy();
      reject(error);
    };
    const onAbort = (): void => settle(calledOff(where));
    const onError = (error: Error): void =>
      settle(new HsctlError('unreachable', `${where}: ${error.message}`, '', { cause: error }));
    const timer = scheduler.after(timeoutMs, () => {
      settle(new HsctlError('timeout', `${where}: no answer within ${timeoutMs} ms`));
    });
    signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', onError);
    socket.once(security.kind === 'tls' ? 'secureConnect' : 'connect', () => settle(null));
  });
}

function openSocket({ endpoint, security, expected }: DialOptions, reader: SharedReader | null): Socket {
  const { host, port } = endpoint;
  if (security.kind === 'plain') return connect({ host, port, ...(reader === null ? {} : { onread: reader }) });
  return connectTls({
    host,
    port,
    ...security.credentials.pem,
    minVersion: 'TLSv1.3',
    rejectUnauthorized: true,
    // Instead of the host name: addresses may change, what counts is who it is.
    checkServerIdentity: (_host, certificate) => {
      const refusal = identityRefusal(identityOf(certificate.subjectaltname), [expected]);
      return refusal === null ? undefined : new Error(refusal);
    },
  });
}

function identityIn(socket: Socket, security: LinkSecurity): string | null {
  if (security.kind === 'plain') return null;
  const identity = identityOf((socket as TLSSocket).getPeerX509Certificate()?.subjectAltName);
  return identity === null ? null : formatIdentity(identity);
}

function calledOff(where: string): HsctlError {
  return new HsctlError('failed', `${where}: the attempt was called off`);
}
