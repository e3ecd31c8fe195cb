import type { IncomingMessage } from 'node:http';
import { HttpProblem } from './errors.ts';

/** No request of ours comes near it. */
const BODY_LIMIT_BYTES = 64 * 1_024;

/** The JSON value in the body of a request; `{}` if there is no body. @throws HttpProblem */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request);
  if (body.length === 0) return {};
  // Browsers cannot send this type across origins without asking first.
  if (request.headers['content-type'] !== 'application/json') {
    throw new HttpProblem(415, 'the body is not declared as application/json');
  }
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new HttpProblem(400, 'the body is no JSON');
  }
}

/** What is beyond the limit is read and dropped (the server's time limit ends it), so that the refusal gets through. */
function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_LIMIT_BYTES) return void chunks.push(chunk);
      chunks.length = 0;
      reject(new HttpProblem(413, `the body has more than ${BODY_LIMIT_BYTES} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
  });
}
