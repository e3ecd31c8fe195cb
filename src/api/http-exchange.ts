import type { Socket } from 'node:net';
import type { Scheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import type { ApiEndpoint } from './endpoint.ts';

/**
 * One HTTP request, by hand: loading node:http would cost a command a sixth of its time. It speaks
 * HTTP/1.0, so that the answer is not chunked and ends with the connection.
 */

export interface ExchangeRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON text; null for none. */
  readonly body: string | null;
  /** Longest time without a byte; null for a stream that may be quiet. */
  readonly timeoutMs: number | null;
}

export interface ResponseHead {
  readonly status: number;
  /** Null if the answer does not say. */
  readonly contentLength: number | null;
}

const HEAD_LIMIT_BYTES = 16 * 1_024;

/**
 * Sends the request and gives the body's bytes as they come; resolves with the head when the answer is complete.
 * @throws HsctlError('unreachable') if nobody listens, `refused` if it does not take our certificate, `timeout`, or `format` if the answer is no HTTP or breaks off.
 */
export function exchange(
  endpoint: ApiEndpoint,
  request: ExchangeRequest,
  scheduler: Scheduler,
  onBody: (bytes: Buffer, head: ResponseHead) => void,
  signal?: AbortSignal,
): Promise<ResponseHead> {
  return new Promise((resolve, reject) => {
    const { name } = endpoint;
    const socket = endpoint.open(() => writeRequest(socket, request));
    let head: ResponseHead | null = null;
    let before = Buffer.alloc(0);
    let bodyBytes = 0;
    const watchdog = watch(scheduler, request.timeoutMs, () => {
      fail(
        new HsctlError(
          'timeout',
          `no answer on ${name} for ${request.timeoutMs} ms`,
          'look at the log of the controller',
        ),
      );
    });
    const end = (): void => {
      watchdog.cancel();
      signal?.removeEventListener('abort', abort);
      socket.destroy();
    };
    const fail = (error: unknown): void => {
      end();
      reject(error instanceof Error ? error : new Error(String(error)));
    };
    const abort = (): void => fail(signal?.reason);
    if (signal?.aborted) return abort();
    signal?.addEventListener('abort', abort, { once: true });
    socket.on('error', (error) => fail(endpoint.explain(error)));
    socket.on('data', (bytes: Buffer) => {
      watchdog.restart();
      try {
        if (head !== null) {
          bodyBytes += bytes.length;
          return onBody(bytes, head);
        }
        before = Buffer.concat([before, bytes]);
        const headEnd = before.indexOf('\r\n\r\n');
        if (headEnd < 0) {
          if (before.length > HEAD_LIMIT_BYTES) throw notOurs(name);
          return;
        }
        head = parseHead(before.toString('latin1', 0, headEnd), name);
        const rest = before.subarray(headEnd + 4);
        bodyBytes = rest.length;
        if (rest.length > 0) onBody(rest, head);
      } catch (error) {
        fail(error);
      }
    });
    socket.on('end', () => {
      if (head === null || (head.contentLength !== null && bodyBytes !== head.contentLength)) {
        return fail(
          new HsctlError(
            'unreachable',
            `the answer on ${name} broke off`,
            'try again; look at the log of the controller',
          ),
        );
      }
      end();
      resolve(head);
    });
  });
}

function writeRequest(socket: Socket, request: ExchangeRequest): void {
  const lines = [`${request.method} ${request.path} HTTP/1.0`, 'host: controller'];
  if (request.body !== null) {
    lines.push('content-type: application/json', `content-length: ${Buffer.byteLength(request.body)}`);
  }
  socket.write(`${lines.join('\r\n')}\r\n\r\n${request.body ?? ''}`);
}

function parseHead(text: string, name: string): ResponseHead {
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
  if (status === undefined) throw notOurs(name);
  const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1];
  return { status: Number(status), contentLength: length === undefined ? null : Number(length) };
}

function notOurs(name: string): HsctlError {
  return new HsctlError(
    'format',
    `what answers on ${name} is no hsctl controller`,
    'check controller.socket, or --controller',
  );
}

/** Calls `onSilence` unless it is restarted within each period. */
function watch(
  scheduler: Scheduler,
  periodMs: number | null,
  onSilence: () => void,
): { restart(): void; cancel(): void } {
  if (periodMs === null) return { restart() {}, cancel() {} };
  let timer = scheduler.after(periodMs, onSilence);
  return {
    restart() {
      timer.cancel();
      timer = scheduler.after(periodMs, onSilence);
    },
    cancel: () => timer.cancel(),
  };
}
