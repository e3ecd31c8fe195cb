import type { IncomingMessage, RequestListener, Server } from 'node:http';

/** Limits that a door gives to the server that it makes. */
export interface ServerLimits {
  readonly maxHeaderSize: number;
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  readonly connectionsCheckingInterval: number;
}

/** A way into the API: a unix socket, or a port for client certificates. */
export interface Door {
  /** For logs and errors. */
  readonly name: string;
  /** Resolves once it listens. @throws HsctlError */
  open(limits: ServerLimits, handler: RequestListener): Promise<Server>;
  /** False: whoever is behind the request may look, but not change anything. */
  mayChange(request: IncomingMessage): boolean;
  /** Who is behind a request, as events will name it; `claimed` is what the request says. */
  operator(request: IncomingMessage, claimed: string): Promise<string>;
}
