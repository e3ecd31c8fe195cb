import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { createServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { formatEndpoint } from '../kit/address.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Credentials } from '../transport/credentials.ts';
import { identityOf, type Identity } from '../transport/identity.ts';
import type { LinkEndpoint } from '../transport/security.ts';
import type { Door, ServerLimits } from './door.ts';

/**
 * The API for other machines, by mutual TLS: operators may change things, nodes and controllers of the cluster may
 * look, nobody else gets as far as a request. Who asks is who the certificate says, whatever the request claims.
 */
export function tlsDoor(endpoint: LinkEndpoint, cluster: string, credentials: Credentials): Door {
  return {
    name: formatEndpoint(endpoint),
    async open(limits: ServerLimits, handler: RequestListener): Promise<Server> {
      const secure = { minVersion: 'TLSv1.3', requestCert: true, rejectUnauthorized: true } as const;
      const server = createServer({ ...limits, ...secure, ...credentials.pem }, handler);
      server.on('secureConnection', (socket: TLSSocket) => {
        if (identityBehind(socket)?.cluster !== cluster) socket.destroy();
      });
      const stopWatching = credentials.onChange(() => server.setSecureContext({ ...secure, ...credentials.pem }));
      server.once('close', stopWatching);
      await listening(server, endpoint);
      return server;
    },
    mayChange: (request) => identityOfCaller(request)?.role === 'operator',
    operator(request) {
      const identity = identityOfCaller(request);
      return identity !== null && 'name' in identity ? identity.name : 'nobody';
    },
  };
}

function identityOfCaller(request: IncomingMessage): Identity | null {
  return identityBehind(request.socket as TLSSocket);
}

function identityBehind(socket: TLSSocket): Identity | null {
  return identityOf(socket.getPeerX509Certificate()?.subjectAltName);
}

function listening(server: Server, endpoint: LinkEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const what = `cannot listen on ${formatEndpoint(endpoint)}: ${messageOf(error)}`;
      reject(new HsctlError('failed', what, 'check controller.listen: is the address of this machine, the port free?'));
    });
    server.listen({ host: endpoint.host, port: endpoint.port }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}
