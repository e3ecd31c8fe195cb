import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls';
import { formatEndpoint } from '../kit/address.ts';
import type { Scheduler, Timer } from '../kit/clock.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { RateLimitedWarnings } from '../kit/rate-limited-warnings.ts';
import type { Hello, PeerHello } from '../protocol/link/messages.ts';
import { Admission, DEFAULT_ADMISSION, type AdmissionLimits } from './admission.ts';
import { formatIdentity, identityOf, identityRefusal, type Identity } from './identity.ts';
import type { LinkConnection } from './link-connection.ts';
import { checkEndpoint, type LinkEndpoint, type LinkSecurity } from './security.ts';
import { SocketLink } from './socket-link.ts';

/** What strangers may cost us; `pending` connections are those that have not said hello yet. */
export interface LinkLimits extends AdmissionLimits {
  /** Time for the handshake and the hello, in milliseconds. */
  readonly helloTimeoutMs: number;
  /** Links in all. */
  readonly links: number;
}

export const DEFAULT_LINK_LIMITS: LinkLimits = { ...DEFAULT_ADMISSION, helloTimeoutMs: 5000, links: 128 };

export interface ListenOptions {
  readonly endpoint: LinkEndpoint;
  readonly security: LinkSecurity;
  /** Whose certificates are accepted; without meaning on plain-text links. */
  readonly expected: readonly Identity[];
  readonly limits?: LinkLimits;
  /**
   * A peer said hello. Messages behind it are delivered once the owner has called `link.onMessage`.
   * The owner checks what the hello says and closes the link if it is not for it.
   */
  readonly onLink: (link: LinkConnection, hello: Hello | PeerHello) => void;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}

export interface LinkListener {
  /** The port in use, also where the endpoint asked for any (0). */
  readonly port: number;
  /** Takes no more links, closes those that there are, and resolves when the port is free. */
  close(): Promise<void>;
}

/**
 * Listens for links. Whoever does not get as far as a hello is closed and told of in one line of the log,
 * once a minute at most for each address.
 * @throws HsctlError('config') for plain text on an address that is not loopback, HsctlError('failed') if the port cannot be had.
 */
export async function listenForLinks(options: ListenOptions): Promise<LinkListener> {
  checkEndpoint(options.endpoint, options.security);
  const doorman = new Doorman(options);
  const { server, stopWatching } = makeServer(options.security, doorman);
  try {
    await listening(server, options.endpoint);
  } catch (error) {
    stopWatching();
    const what = `${formatEndpoint(options.endpoint)}: cannot listen: ${messageOf(error)}`;
    throw new HsctlError(
      'failed',
      what,
      'another process may hold the port, or the address may not be on this machine',
    );
  }
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      stopWatching();
      doorman.closeAll();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function listening(server: Server, { host, port }: LinkEndpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function makeServer(security: LinkSecurity, doorman: Doorman): { server: Server; stopWatching: () => void } {
  if (security.kind === 'plain') {
    return { server: createServer((socket) => doorman.plain(socket)), stopWatching: () => undefined };
  }
  const { credentials } = security;
  const server: TlsServer = createTlsServer({
    ...credentials.pem,
    minVersion: 'TLSv1.3',
    requestCert: true,
    // Checked by the doorman, who can say what is wrong.
    rejectUnauthorized: false,
  });
  server.on('connection', (socket: Socket) => void doorman.arrived(socket));
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => doorman.insecure(socket, error));
  server.on('secureConnection', (socket: TLSSocket) => doorman.secured(socket));
  const stopWatching = credentials.onChange(() =>
    server.setSecureContext({ ...credentials.pem, minVersion: 'TLSv1.3' }),
  );
  return { server, stopWatching };
}

/** A connection that has not said hello yet. */
interface Visitor {
  readonly socket: Socket;
  readonly peer: string;
  readonly address: string;
  readonly timer: Timer;
  link: SocketLink | null;
  /** Why it is being turned away; empty if it is not. */
  refusal: string;
}

/** Keeps count of connections, and lets nobody in without the right certificate and a hello in time. */
class Doorman {
  readonly #options: ListenOptions;
  readonly #limits: LinkLimits;
  readonly #warnings: RateLimitedWarnings;
  readonly #admission: Admission;
  /** By the peer's address and port. */
  readonly #visitors = new Map<string, Visitor>();
  readonly #links = new Set<SocketLink>();

  constructor(options: ListenOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_LINK_LIMITS;
    this.#warnings = new RateLimitedWarnings(options.logger, options.scheduler);
    this.#admission = new Admission(this.#limits, options.scheduler);
  }

  /** A TCP connection, before anything was said. Without room for it, it is closed and null comes back. */
  arrived(socket: Socket): Visitor | null {
    const { links, helloTimeoutMs } = this.#limits;
    const peer = peerOf(socket);
    const address = socket.remoteAddress ?? '';
    const isFull = this.#visitors.size + this.#links.size >= links;
    const refusal = isFull ? 'too many connections' : this.#admission.arrived(address);
    if (refusal !== null) {
      socket.on('error', () => undefined);
      socket.destroy();
      this.#warn(peer, address, refusal);
      return null;
    }
    const late = `no hello within ${helloTimeoutMs} ms`;
    const timer = this.#options.scheduler.after(helloTimeoutMs, () => this.#refuse(visitor, late));
    const visitor: Visitor = { socket, peer, address, timer, link: null, refusal: '' };
    this.#visitors.set(peer, visitor);
    socket.on('close', () => this.#left(visitor));
    return visitor;
  }

  /** Waits for the hello of a peer whose certificate, if it needs one, is good. */
  greet(visitor: Visitor, link: SocketLink): void {
    visitor.link = link;
    link.onMessage((message) => {
      link.releaseListener();
      if (message.type !== 'hello' && message.type !== 'peerHello') return link.close(`${message.type}, but no hello`);
      this.#admitted(visitor, link);
      this.#options.onLink(link, message);
    });
  }

  plain(socket: Socket): void {
    const visitor = this.arrived(socket);
    if (visitor !== null) this.greet(visitor, new SocketLink(socket, this.#options.scheduler, null));
  }

  /** The TLS handshake went wrong. */
  insecure(socket: TLSSocket, error: Error): void {
    const visitor = this.#visitors.get(peerOf(socket));
    if (visitor === undefined) socket.destroy();
    else this.#refuse(visitor, error.message);
  }

  /** The TLS handshake is done; whether its certificate is good is still to be seen. */
  secured(socket: TLSSocket): void {
    const visitor = this.#visitors.get(peerOf(socket));
    if (visitor === undefined) return void socket.destroy();
    const identity = identityOf(socket.getPeerX509Certificate()?.subjectAltName);
    const link = new SocketLink(socket, this.#options.scheduler, identity === null ? null : formatIdentity(identity));
    const refusal = certificateRefusal(socket) ?? identityRefusal(identity, this.#options.expected);
    if (refusal === null) return this.greet(visitor, link);
    visitor.refusal = refusal;
    link.send({ type: 'refusal', code: 'identity', reason: refusal });
    link.close(refusal);
  }

  closeAll(): void {
    for (const link of this.#links) link.close('the listener is closed');
    for (const visitor of this.#visitors.values()) visitor.socket.destroy();
  }

  #admitted(visitor: Visitor, link: SocketLink): void {
    visitor.timer.cancel();
    this.#visitors.delete(visitor.peer);
    this.#admission.left(visitor.address);
    this.#links.add(link);
    link.onClose(() => void this.#links.delete(link));
  }

  #refuse(visitor: Visitor, refusal: string): void {
    visitor.refusal = refusal;
    visitor.socket.destroy();
  }

  /** The connection is closed; if it never said hello, that is worth a line. */
  #left(visitor: Visitor): void {
    if (this.#visitors.get(visitor.peer) !== visitor) return;
    this.#visitors.delete(visitor.peer);
    this.#admission.left(visitor.address);
    visitor.timer.cancel();
    this.#warn(visitor.peer, visitor.address, visitor.refusal || visitor.link?.closeReason || 'left without a hello');
  }

  #warn(peer: string, address: string, reason: string): void {
    this.#warnings.warn(address, 'a connection was refused', { peer, port: this.#options.endpoint.port, reason });
  }
}

function peerOf(socket: Socket): string {
  return formatEndpoint({ host: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });
}

/** What is wrong with the peer's certificate itself; null if our authority vouches for it at this time. */
export function certificateRefusal(socket: TLSSocket): string | null {
  if (socket.getPeerX509Certificate() === undefined) return 'it showed no certificate';
  if (socket.authorized) return null;
  return `its certificate is not valid: ${String(socket.authorizationError)}`;
}
