import { request, type IncomingMessage } from 'node:http';
import { messageOf } from '../kit/errors.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** How much of a body is searched. */
const BODY_LIMIT_BYTES = 64 * 1024;

export interface HttpExpectation {
  /** null: the target's. */
  readonly port: number | null;
  readonly path: string;
  /** Host header; null: the target's host. */
  readonly host: string | null;
  /** Inclusive ranges. */
  readonly status: readonly (readonly [number, number])[];
  readonly contains: string | null;
}

/** Good if a GET is answered with an expected status and, if one is wanted, a text in the first 64 KiB of the body. */
export function httpProbe(expected: HttpExpectation): Probe {
  return (target, signal) =>
    new Promise<ProbeResult>((resolve) => {
      if (signal.aborted) return resolve({ good: false, detail: messageOf(signal.reason) });
      const finish = (result: ProbeResult): void => {
        resolve(result);
        outgoing.destroy();
      };
      const outgoing = request({
        host: target.host,
        port: expected.port ?? target.port ?? 0,
        path: expected.path,
        // A connection of its own: one that was kept open says nothing about whether new ones are accepted.
        agent: false,
        headers: {
          'user-agent': 'hsctl',
          ...(expected.host === null ? {} : { host: expected.host }),
        },
        signal,
      });
      outgoing.on('response', (response) => judge(response, expected, finish));
      outgoing.on('error', (error) =>
        finish({ good: false, detail: messageOf(signal.aborted ? signal.reason : error) }),
      );
      outgoing.end();
    });
}

function judge(response: IncomingMessage, expected: HttpExpectation, finish: (result: ProbeResult) => void): void {
  const status = response.statusCode ?? 0;
  const { contains } = expected;
  const statusIsGood = expected.status.some(([low, high]) => status >= low && status <= high);
  if (!statusIsGood || contains === null) return finish({ good: statusIsGood, detail: `status ${status}` });

  let body = Buffer.alloc(0);
  const wanted = Buffer.from(contains);
  const lacking = (): void =>
    finish({ good: false, detail: `status ${status}, body without ${JSON.stringify(contains)}` });
  response.on('data', (chunk: Buffer) => {
    body = Buffer.concat([body, chunk.subarray(0, BODY_LIMIT_BYTES - body.length)]);
    if (body.includes(wanted)) finish({ good: true, detail: `status ${status}, body as expected` });
    else if (body.length >= BODY_LIMIT_BYTES) lacking();
  });
  response.on('end', lacking);
  response.on('error', (error) => finish({ good: false, detail: messageOf(error) }));
}
