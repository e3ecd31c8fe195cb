import { createHash } from 'node:crypto';
import { request as requestHttp, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { isIP } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import { judgeCertificate, tlsOptions } from './certificate.ts';
import type { Probe, ProbeDeps, ProbeResult, ProbeTarget } from './probe.ts';
import { ProbeFailure, failed, shown } from './reason.ts';
import { from } from './wire.ts';

/** How much of a body is searched. */
const SEARCHED_BYTES = 64 * 1024;
/** How much of a body is digested. */
const DIGESTED_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;

/** Good if a request is answered with an expected status and, where one is wanted, an expected body. */
export function httpProbe(options: ProbeOptions<'http'>): Probe {
  return { look: (target, signal) => ask(requestHttp, {}, options, target, signal, () => ({ detail: '' })) };
}

/** The same over TLS; the certificate has to be in force, and its end is warned of. */
export function httpsProbe(options: ProbeOptions<'https'>, { scheduler }: ProbeDeps): Probe {
  return {
    async look(target, signal) {
      try {
        const opening = { ...(await tlsOptions(options, target.host)), rejectUnauthorized: false };
        return await ask(requestHttps, opening, options, target, signal, ({ socket }) => {
          const found = judgeCertificate(socket as TLSSocket, options, scheduler.wallMs());
          return { ...found, detail: `, ${found.detail}` };
        });
      } catch (thrown) {
        return failed(thrown, signal, null);
      }
    },
  };
}

/** What the connection itself has to say about a good answer. @throws ProbeFailure where it makes the answer bad */
type JudgeConnection = (response: IncomingMessage) => { readonly detail: string; readonly warning?: string };

async function ask(
  request: typeof requestHttp,
  opening: RequestOptions,
  options: ProbeOptions<'http'>,
  target: ProbeTarget,
  signal: AbortSignal,
  judgeConnection: JudgeConnection,
): Promise<ProbeResult> {
  const at = { host: target.host, port: options.port ?? target.port ?? 0 };
  if (signal.aborted) return failed(null, signal, at);
  let outgoing: ClientRequest | null = null;
  try {
    const asking = request({
      ...opening,
      ...at,
      ...from(options.source),
      method: options.method,
      path: options.path,
      headers: headersOf(options),
      // A connection of its own: one that was kept open says nothing about whether new ones are accepted.
      agent: false,
      maxHeaderSize: MAX_HEADER_BYTES,
      signal,
    });
    outgoing = asking;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      asking.once('response', resolve);
      // A protocol that the server wants to change to is no answer.
      asking.once('upgrade', () => reject(new ProbeFailure('status 101')));
      // Stays in place after the end: what was destroyed may still report what befell it.
      asking.on('error', reject);
      asking.end(options.body ?? undefined);
    });
    const { detail, ...more } = judgeConnection(response);
    const seen = await judge(response, options);
    return { good: true, detail: `${seen}${detail}`, ...more };
  } catch (thrown) {
    return failed(thrown, signal, at);
  } finally {
    outgoing?.destroy();
  }
}

function headersOf({ host, headers, body }: ProbeOptions<'http'>): Record<string, string | number> {
  const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
  return {
    'user-agent': 'hsctl',
    ...(host === null ? {} : { host: isIP(host) === 6 ? `[${host}]` : host }),
    ...length,
    ...headers,
  };
}

/** What a good answer was. @throws ProbeFailure that says what is wrong with it */
async function judge(response: IncomingMessage, options: ProbeOptions<'http'>): Promise<string> {
  const status = response.statusCode ?? 0;
  const seen = `status ${status}`;
  if (!options.status.some(([low, high]) => status >= low && status <= high)) throw new ProbeFailure(seen);
  if (options.digest === null && options.contains === null && options.lacks === null) return seen;
  await judgeBody(response, options, seen);
  return `${seen}, body as expected`;
}

async function judgeBody(
  response: IncomingMessage,
  { digest, contains, lacks }: ProbeOptions<'http'>,
  seen: string,
): Promise<void> {
  const [algorithm = '', wanted = ''] = digest?.split(':') ?? [];
  const hash = digest === null ? null : createHash(algorithm);
  const limit = digest === null ? SEARCHED_BYTES : DIGESTED_BYTES;
  let searched = Buffer.alloc(0);
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    hash?.update(chunk);
    if (searched.length < SEARCHED_BYTES) {
      searched = Buffer.concat([searched, chunk.subarray(0, SEARCHED_BYTES - searched.length)]);
    }
    const enough = hash === null && lacks === null && contains !== null && searched.includes(contains);
    if (enough || bytes > limit) break;
  }
  if (contains !== null && !searched.includes(contains))
    throw new ProbeFailure(`${seen}, body without ${shown(contains)}`);
  if (lacks !== null && searched.includes(lacks)) throw new ProbeFailure(`${seen}, body with ${shown(lacks)}`);
  if (hash === null) return;
  if (bytes > DIGESTED_BYTES) throw new ProbeFailure(`${seen}, body of more than 1 MiB`);
  const found = hash.digest('hex');
  if (found !== wanted.toLowerCase()) throw new ProbeFailure(`${seen}, body with ${algorithm}:${found}`);
}
