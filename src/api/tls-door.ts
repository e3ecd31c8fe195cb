import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatEndpoint } from '../kit/address.ts';
import type { Clock } from '../kit/clock.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { RateLimitedWarnings } from '../kit/rate-limited-warnings.ts';
import { Admission, DEFAULT_ADMISSION, type AdmissionLimits } from '../transport/admission.ts';
import type { Credentials } from '../transport/credentials.ts';
import { formatIdentity, identityOf, type Identity } from '../transport/identity.ts';
import type { LinkEndpoint } from '../transport/security.ts';
import { certificateRefusal } from '../transport/listen.ts';
import type { Door, ServerLimits } from './door.ts';
import { errorAnswer } from './errors.ts';

export interface TlsDoorOptions {
  readonly endpoint: LinkEndpoint;
  readonly cluster: string;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits?: AdmissionLimits;
}

/** For the handshake, in milliseconds. */
const HANDSHAKE_TIMEOUT_MS = 5_000;

/**
 * The API for other machines, by mutual TLS: operators may change things; viewers, nodes and controllers of the cluster
 * may look; nobody else gets as far as a request, and is told of in the log once a minute at most. Who asks is who the
 * certificate says, whatever the request claims.
 */
export function tlsDoor(options: TlsDoorOptions): Door {
  const { endpoint, credentials } = options;
  return {
    name: formatEndpoint(endpoint),
    async open(limits: ServerLimits, handler: RequestListener): Promise<Server> {
      const secure = { minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: false } as const;
      const handshake = { handshakeTimeout: HANDSHAKE_TIMEOUT_MS };
      const refused = new WeakSet<Socket>();
      const server = createServer({ ...limits, ...handshake, ...secure, ...credentials.pem }, (request, response) => {
        if (!refused.has(request.socket)) handler(request, response);
      });
      watchDoor(server, options, refused);
      const stopWatching = credentials.onChange(() => server.setSecureContext({ ...secure, ...credentials.pem }));
      server.once('close', stopWatching);
      await listening(server, endpoint);
      return server;
    },
    mayChange: (request) => identityOfCaller(request)?.role === 'operator',
    async operator(request) {
      const identity = identityOfCaller(request);
      return identity === null ? 'nobody' : `${'name' in identity ? identity.name : identity.role} (certificate)`;
    },
  };
}

/** Lets no more strangers in than the limits allow, and nobody of another cluster. */
function watchDoor(
  server: Server,
  { cluster, clock, logger, limits, endpoint }: TlsDoorOptions,
  refused: WeakSet<Socket>,
): void {
  const admission = new Admission(limits ?? DEFAULT_ADMISSION, clock);
  const warnings = new RateLimitedWarnings(logger, clock);
  /** Ends the count of a connection that has shown who it is, by its address and port. */
  const pending = new Map<string, () => void>();
  const refuse = (address: string, reason: string): void =>
    warnings.warn(address, 'a connection to the API was refused', { peer: address, port: endpoint.port, reason });
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const refusal = admission.arrived(address);
    if (refusal !== null) {
      refuse(address, refusal);
      return void socket.destroy();
    }
    const peer = peerOf(socket);
    const settle = (): void => {
      if (pending.delete(peer)) admission.left(address);
    };
    pending.set(peer, settle);
    socket.once('close', settle);
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => refuse(socket.remoteAddress ?? '', error.message));
  server.on('secureConnection', (socket: TLSSocket) => {
    pending.get(peerOf(socket))?.();
    const reason = certificateRefusal(socket) ?? strangerIn(cluster, identityBehind(socket));
    if (reason === null) return;
    refused.add(socket);
    refuse(socket.remoteAddress ?? '', reason);
    socket.end(refusalAnswer(reason));
  });
}

function strangerIn(cluster: string, identity: Identity | null): string | null {
  if (identity?.cluster === cluster) return null;
  return `its certificate is for ${identity === null ? 'nobody of a cluster' : formatIdentity(identity)}`;
}

/** Said to whoever shows a wrong certificate, whatever it asks: nothing of it is read. */
function refusalAnswer(reason: string): string {
  const hint = 'is it of this cluster, and not expired? "hsctl cert list" tells; "hsctl cert issue operator" makes one';
  const { body } = errorAnswer(new HsctlError('refused', `refused: ${reason}`, hint));
  const text = JSON.stringify(body);
  return `HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
}

function peerOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort}`;
}

function identityOfCaller(request: IncomingMessage): Identity | null {
  return identityBehind(request.socket as TLSSocket);
}

function identityBehind(socket: TLSSocket): Identity | null {
  return identityOf(socket.getPeerX509Certificate()?.subjectAltName);
}

function listening(server: Server, endpoint: LinkEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => {
      const what = `cannot listen on ${formatEndpoint(endpoint)}: ${messageOf(error)}`;
      reject(new HsctlError('failed', what, 'check controller.listen: is the address of this machine, the port free?'));
    };
    server.once('error', onError);
    server.listen({ host: endpoint.host, port: endpoint.port }, () => {
      server.off('error', onError);
      resolve();
    });
  });
}
