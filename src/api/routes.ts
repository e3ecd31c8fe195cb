import type { z } from 'zod';
import { API_VERSION } from '../model/status.ts';
import { HsctlError } from '../kit/errors.ts';
import type { ControllerService } from './controller-service.ts';
import {
  checked,
  drainBody,
  eventsQuery,
  fencedBody,
  noQuery,
  pauseBody,
  promoteBody,
  reloadBody,
  resumeBody,
  statusQuery,
  undrainBody,
} from './requests.ts';

/** A request after its path was matched and its caller was found. */
interface RoutedRequest {
  readonly service: ControllerService;
  readonly version: string;
  /** Value of `:group` in the path; empty where the path has none. */
  readonly group: string;
  readonly query: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Name of the caller as it goes into events, made of what the request claims. */
  operator(claimed: string): Promise<string>;
}

export type Answer =
  | { readonly kind: 'json'; readonly body: object }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'events'; readonly query: { group?: string; afterId?: number; limit: number } };

export interface Route {
  readonly method: 'GET' | 'POST';
  /** Path with `:group` where a name stands. */
  readonly path: string;
  answer(request: RoutedRequest): Answer | Promise<Answer>;
}

/** Every path of the API. `POST` changes something, `GET` never does. */
export const ROUTES: readonly Route[] = [
  {
    method: 'GET',
    path: '/v1/health',
    answer: (request) => json({ apiVersion: API_VERSION, status: 'ok', version: request.version }),
  },
  { method: 'GET', path: '/metrics', answer: (request) => ({ kind: 'text', text: request.service.metrics() }) },
  {
    method: 'GET',
    path: '/v1/status',
    answer: (request) => json(request.service.status(checked(statusQuery, request.query).group)),
  },
  { method: 'GET', path: '/v1/events', answer: answerEvents },
  {
    method: 'GET',
    path: '/v1/groups/:group/explain',
    answer(request) {
      checked(noQuery, request.query);
      return json(request.service.explain(request.group));
    },
  },
  action('/v1/groups/:group/promote', promoteBody, (service, body, group) => service.promote({ ...body, group })),
  action('/v1/groups/:group/drain', drainBody, (service, body, group) => service.drain({ ...body, group })),
  action('/v1/groups/:group/undrain', undrainBody, (service, body, group) => service.undrain({ ...body, group })),
  action('/v1/groups/:group/fenced', fencedBody, (service, body, group) => service.fenced({ ...body, group })),
  action('/v1/groups/:group/pause', pauseBody, (service, body, group) => service.pause({ ...body, group })),
  action('/v1/groups/:group/resume', resumeBody, (service, body, group) => service.resume({ ...body, group })),
  {
    method: 'GET',
    path: '/v1/config/digests',
    answer: (request) => json({ apiVersion: API_VERSION, groups: request.service.configDigests() }),
  },
  action('/v1/config/reload', reloadBody, (service, body) => service.reload(body)),
];

function answerEvents(request: RoutedRequest): Answer {
  const { follow, group, afterId, limit } = checked(eventsQuery, request.query);
  const query = { ...(group !== undefined && { group }), ...(afterId !== undefined && { afterId }), limit };
  if (follow === '1') return { kind: 'events', query };
  return json({ apiVersion: API_VERSION, events: request.service.events(query) });
}

function action<Body extends z.ZodType<{ readonly operator: string }>>(
  path: string,
  schema: Body,
  run: (service: ControllerService, body: z.infer<Body>, group: string) => Promise<object>,
): Route {
  return {
    method: 'POST',
    path,
    async answer(request) {
      const body = checked(schema, request.body);
      const operator = await request.operator(body.operator);
      const { service, group } = request;
      const asked = { group, operator, action: describeAction(path, body) };
      try {
        const answer = await run(service, { ...body, operator }, group);
        // Whatever changes a group's record is noted with it.
        if (group === '' && !isDryRun(body)) service.audit({ ...asked, refused: false, result: 'done' });
        return json(answer);
      } catch (error) {
        if (error instanceof HsctlError) service.audit({ ...asked, refused: true, result: error.message });
        throw error;
      }
    },
  };
}

/** An action in words, as events tell it: `promote b --force`. */
function describeAction(path: string, body: object): string {
  const words = Object.entries(body).flatMap(([key, value]) => {
    if (key === 'operator' || value === null || value === false) return [];
    if (key === 'node') return [String(value)];
    const flag = `--${key.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return [value === true ? flag : `${flag} ${String(value)}`];
  });
  return [path.split('/').at(-1), ...words].join(' ');
}

function isDryRun(body: object): boolean {
  return 'dryRun' in body && body.dryRun === true;
}

function json(body: object): Answer {
  return { kind: 'json', body };
}
