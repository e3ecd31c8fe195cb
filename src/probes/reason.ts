import { formatEndpoint } from '../kit/address.ts';
import { messageOf } from '../kit/errors.ts';
import type { ProbeResult } from './probe.ts';

/** Why a probe failed, in words for people. */

const SHOWN_BYTES = 80;

/** What a probe found wrong; its message is the result's detail. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
}

/** The system's errors that an operator meets; others tell themselves. */
const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ERR_STREAM_PREMATURE_CLOSE: 'connection closed',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  EHOSTDOWN: 'host is down',
  ETIMEDOUT: 'no answer to the connection',
  EADDRNOTAVAIL: 'the source address is not on this machine',
  EADDRINUSE: 'no free port to connect from',
  EMFILE: 'this process has too many open files',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
};

/** The result where `thrown` kept a probe from a good one; a called-off probe gives the reason of its signal. */
export function failed(thrown: unknown, signal: AbortSignal, at: { host: string; port: number } | null): ProbeResult {
  if (signal.aborted) return { good: false, detail: messageOf(signal.reason) };
  return { good: false, detail: reasonOf(thrown, at) };
}

function reasonOf(thrown: unknown, at: { host: string; port: number } | null): string {
  if (thrown instanceof ProbeFailure) return thrown.message;
  // One for each address that a name stands for.
  const cause: unknown = thrown instanceof AggregateError ? thrown.errors[0] : thrown;
  const code = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
  const words = WORDS[code];
  if (words === undefined) return printable(told(messageOf(cause), code));
  return at === null ? words : `${words} (${formatEndpoint(at)})`;
}

/** The message of an error of HTTP or TLS without what only a programmer wants to know. */
function told(message: string, code: string): string {
  const tls = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  if (tls !== undefined) return `the TLS handshake failed: ${tls}`;
  return code.startsWith('HPE_') ? `no HTTP: ${message}` : message;
}

/** The beginning of what a server sent, safe for a terminal and a log. */
export function shown(bytes: Buffer | string): string {
  const text = typeof bytes === 'string' ? bytes : bytes.toString('latin1', 0, SHOWN_BYTES + 1);
  const ascii = text.slice(0, SHOWN_BYTES).replaceAll(/[^\x20-\x7e]/g, '.');
  return `"${ascii}${text.length > SHOWN_BYTES ? '...' : ''}"`;
}

/** Text from outside on one line, without what could steer a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '.');
}
