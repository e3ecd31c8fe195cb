import type { Scheduler } from '../kit/clock.ts';
import { ERROR_CODES, HsctlError, type ErrorCode } from '../kit/errors.ts';
import type {
  Action,
  ConfigDigests,
  ErrorAnswer,
  EventPage,
  Explanation,
  Promotion,
  Reload,
} from '../model/answers.ts';
import type { GroupEvent } from '../model/event.ts';
import type { ClusterStatus } from '../model/status.ts';
import type {
  DrainRequest,
  EventQuery,
  GroupRequest,
  NodeRequest,
  PauseRequest,
  PromoteRequest,
  ReloadRequest,
} from './controller-service.ts';
import { socketEndpoint, type ApiEndpoint } from './endpoint.ts';
import { exchange } from './http-exchange.ts';

/** Same number as `API_VERSION`; that module brings zod, which a command should not wait for. */
export const SUPPORTED_API_VERSION = 1;
const TIMEOUT_MS = 30_000;
const ANSWER_LIMIT_BYTES = 256 * 1_024 * 1_024;
const LINE_LIMIT_CHARACTERS = 1_024 * 1_024;

/**
 * The API as commands use it. Every method throws `HsctlError`: the controller's own with its code and hint, or
 * `unreachable`, `timeout` and `format` for the connection. Answers are trusted as soon as their version fits: they
 * come from the controller of the same installation.
 */
export class ApiClient {
  readonly #endpoint: ApiEndpoint;
  readonly #scheduler: Scheduler;

  /** `endpoint`: the path of the controller's socket, or how else it is reached. */
  constructor(endpoint: string | ApiEndpoint, scheduler: Scheduler) {
    this.#endpoint = typeof endpoint === 'string' ? socketEndpoint(endpoint) : endpoint;
    this.#scheduler = scheduler;
  }

  status(group?: string): Promise<ClusterStatus> {
    return this.#get<ClusterStatus>(`/v1/status${queryOf({ group })}`);
  }

  explain(group: string): Promise<Explanation> {
    return this.#get<Explanation>(`/v1/groups/${encodeURIComponent(group)}/explain`);
  }

  async events(query: EventQuery): Promise<readonly GroupEvent[]> {
    return (await this.#get<EventPage>(`/v1/events${queryOf({ ...query })}`)).events;
  }

  /** Calls `onEvent` for what the query selects and then for each new event; ends by `signal`, whose reason it throws. */
  async followEvents(query: EventQuery, onEvent: (event: GroupEvent) => void, signal: AbortSignal): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    const refusal: string[] = [];
    const path = `/v1/events${queryOf({ ...query, follow: 1 })}`;
    const request = { method: 'GET', path, body: null, timeoutMs: null } as const;
    const head = await exchange(
      this.#endpoint,
      request,
      this.#scheduler,
      (bytes, { status }) => {
        const text = decoder.decode(bytes, { stream: true });
        if (status !== 200) return void refusal.push(text);
        const lines = (rest + text).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > LINE_LIMIT_CHARACTERS) throw this.#notUnderstood();
        for (const line of lines) if (line !== '') onEvent(this.#parse(line) as GroupEvent);
      },
      signal,
    );
    if (head.status !== 200) throw this.#refusal(head.status, refusal.join(''));
    throw new HsctlError(
      'unreachable',
      'the controller ended the stream of events',
      'it is stopping or restarting; try again',
    );
  }

  promote(request: PromoteRequest): Promise<Promotion> {
    return this.#act<Promotion>('promote', request);
  }

  drain(request: DrainRequest): Promise<Action> {
    return this.#act<Action>('drain', request);
  }

  undrain(request: NodeRequest): Promise<Action> {
    return this.#act<Action>('undrain', request);
  }

  fenced(request: NodeRequest): Promise<Action> {
    return this.#act<Action>('fenced', request);
  }

  pause(request: PauseRequest): Promise<Action> {
    return this.#act<Action>('pause', request);
  }

  resume(request: GroupRequest): Promise<Action> {
    return this.#act<Action>('resume', request);
  }

  async configDigests(): Promise<Readonly<Record<string, string>>> {
    return (await this.#get<ConfigDigests>('/v1/config/digests')).groups;
  }

  reload(request: ReloadRequest): Promise<Reload> {
    return this.#call<Reload>('POST', '/v1/config/reload', JSON.stringify(request));
  }

  #act<Answer extends { apiVersion: number }>(action: string, request: GroupRequest): Promise<Answer> {
    const { group, ...body } = request;
    return this.#call<Answer>('POST', `/v1/groups/${encodeURIComponent(group)}/${action}`, JSON.stringify(body));
  }

  #get<Answer extends { apiVersion: number }>(path: string): Promise<Answer> {
    return this.#call<Answer>('GET', path, null);
  }

  async #call<Answer extends { apiVersion: number }>(
    method: 'GET' | 'POST',
    path: string,
    body: string | null,
  ): Promise<Answer> {
    const chunks: Buffer[] = [];
    let size = 0;
    const request = { method, path, body, timeoutMs: TIMEOUT_MS };
    const head = await exchange(this.#endpoint, request, this.#scheduler, (bytes) => {
      size += bytes.length;
      if (size > ANSWER_LIMIT_BYTES) throw this.#notUnderstood();
      chunks.push(bytes);
    });
    const text = Buffer.concat(chunks).toString();
    if (head.status !== 200) throw this.#refusal(head.status, text);
    const answer = this.#parse(text) as Answer;
    if (answer.apiVersion !== SUPPORTED_API_VERSION) {
      throw new HsctlError(
        'format',
        `the controller speaks API version ${answer.apiVersion}, this hsctl version ${SUPPORTED_API_VERSION}`,
        'use the hsctl of the same version as the controller',
      );
    }
    return answer;
  }

  #parse(text: string): object {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Told below.
    }
    throw this.#notUnderstood();
  }

  #refusal(status: number, text: string): HsctlError {
    const { error } = this.#parse(text) as Partial<ErrorAnswer>;
    if (error === undefined) return this.#notUnderstood();
    const code: ErrorCode = error.code in ERROR_CODES ? (error.code as ErrorCode) : 'failed';
    return new HsctlError(code, error.message || `HTTP status ${status}`, error.hint);
  }

  #notUnderstood(): HsctlError {
    return new HsctlError(
      'format',
      `the answer on ${this.#endpoint.name} was not understood`,
      'use the hsctl of the same version as the controller',
    );
  }
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(values)) if (value !== undefined) query.set(key, String(value));
  return query.size === 0 ? '' : `?${query.toString()}`;
}
