import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { HsctlError, messageOf } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import type { Service } from '../kit/service.ts';
import { readJsonBody } from './body.ts';
import type { ControllerService } from './controller-service.ts';
import type { Door, ServerLimits } from './door.ts';
import { errorAnswer, HttpProblem } from './errors.ts';
import { streamEvents } from './event-stream.ts';
import { ROUTES, type Answer, type Route } from './routes.ts';

/** Everything a stranger at the door can make us keep is bounded by these. */
const LIMITS: ServerLimits = {
  maxHeaderSize: 8 * 1_024,
  headersTimeout: 5_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
};
const MAX_CONNECTIONS = 256;

/** The HTTP API of the controller, behind any number of doors. */
export class ApiServer implements Service {
  readonly #service: ControllerService;
  readonly #doors: readonly Door[];
  readonly #logger: Logger;
  readonly #version: string;
  readonly #servers: Server[] = [];
  readonly #closing = new AbortController();

  constructor(parts: {
    readonly service: ControllerService;
    readonly doors: readonly Door[];
    readonly logger: Logger;
    /** Version of the controller, for `/v1/health`. */
    readonly version: string;
  }) {
    this.#service = parts.service;
    this.#doors = parts.doors;
    this.#logger = parts.logger;
    this.#version = parts.version;
  }

  /** Resolves once every door is open. @throws HsctlError, with all doors closed again */
  async open(): Promise<void> {
    try {
      for (const door of this.#doors) {
        const server = await door.open(LIMITS, (request, response) => void this.#serve(door, request, response));
        server.maxConnections = MAX_CONNECTIONS;
        // What is no HTTP gets no answer.
        server.on('clientError', (_error, socket) => socket.destroy());
        server.on('error', (error) => this.#logger.error('API socket failed', { door: door.name, error }));
        this.#servers.push(server);
      }
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Ends all connections and resolves when the doors are closed; a unix socket's file is gone then. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(
      this.#servers.splice(0).map(
        (server) =>
          new Promise<void>((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      ),
    );
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.open();
    if (!signal.aborted) {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    }
    await this.close();
  }

  async #serve(door: Door, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#answer(door, request);
      if (answer.kind === 'events') await streamEvents(this.#service, answer.query, response, this.#closing.signal);
      else if (answer.kind === 'text') send(response, 200, 'text/plain; version=0.0.4', answer.text);
      else send(response, 200, 'application/json', `${JSON.stringify(answer.body)}\n`);
    } catch (error) {
      if (!(error instanceof HsctlError)) {
        this.#logger.error('API request failed', { door: door.name, url: request.url, error });
      }
      if (response.headersSent || response.destroyed) return void response.destroy();
      const { status, body } = errorAnswer(error);
      // The rest of a body that was not read would be taken for the next request.
      if (!request.complete) response.setHeader('connection', 'close');
      send(response, status, 'application/json', `${JSON.stringify(body)}\n`);
    }
  }

  async #answer(door: Door, request: IncomingMessage): Promise<Answer> {
    const url = parseUrl(request.url ?? '');
    const { route, group } = findRoute(request.method ?? '', url.pathname);
    if (route.method === 'POST' && !door.mayChange(request)) {
      const operator = await door.operator(request, 'nobody');
      const action = route.path.split('/').at(-1) ?? '';
      this.#service.audit({ group, operator, action, refused: true, result: 'may look, but not change anything' });
      const hint = 'the certificate has to be that of an operator: hsctl cert issue operator NAME';
      throw new HttpProblem(403, `${operator} may look, but not change anything`, hint);
    }
    const body = route.method === 'POST' ? await readJsonBody(request) : {};
    return route.answer({
      service: this.#service,
      version: this.#version,
      group,
      query: Object.fromEntries(url.searchParams),
      body,
      operator: (claimed) => door.operator(request, claimed),
    });
  }
}

function parseUrl(text: string): URL {
  try {
    return new URL(text, 'http://controller');
  } catch (error) {
    throw new HttpProblem(400, `the URL cannot be read: ${messageOf(error)}`);
  }
}

function findRoute(method: string, path: string): { readonly route: Route; readonly group: string } {
  let pathIsKnown = false;
  for (const route of ROUTES) {
    const group = matchPath(route.path, path);
    if (group === null) continue;
    if (route.method === method) return { route, group };
    pathIsKnown = true;
  }
  if (pathIsKnown) throw new HttpProblem(405, `${path} does not take ${method}`);
  throw new HttpProblem(404, `there is no ${path} in this API`, 'use the hsctl of the same version as the controller');
}

/** The value of `:group` (empty if the pattern has none), or null if the path is another one. */
function matchPath(pattern: string, path: string): string | null {
  const [before = '', after] = pattern.split(':group');
  if (after === undefined) return path === pattern ? '' : null;
  if (!path.startsWith(before) || !path.endsWith(after)) return null;
  const group = path.slice(before.length, path.length - after.length);
  if (group === '' || group.includes('/')) return null;
  try {
    return decodeURIComponent(group);
  } catch {
    return null;
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
