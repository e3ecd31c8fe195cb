import { connect } from 'node:net';
import type { Scheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import { agentReportSchema, type AgentReport } from '../model/agent-report.ts';

const REQUEST = '*2\r\n$2\r\nHS\r\n$6\r\nSTATUS\r\n';
const ANSWER_LIMIT_BYTES = 1_024 * 1_024;

/**
 * What the agent behind an app's socket reports, by the RESP command `HS STATUS`. This works without a controller.
 * @throws HsctlError('unreachable') if no agent listens or answers within `timeoutMs`, `format` if it answers anything else
 */
export async function readAgentReport(
  socketPath: string,
  scheduler: Scheduler,
  timeoutMs: number,
): Promise<AgentReport> {
  const text = await askStatus(socketPath, scheduler, timeoutMs);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw notUnderstood(socketPath);
  }
  const report = agentReportSchema.safeParse(value);
  if (!report.success) throw notUnderstood(socketPath);
  return report.data;
}

/** Text of the bulk string (or verbatim string, in RESP3) that answers. */
function askStatus(socketPath: string, scheduler: Scheduler, timeoutMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath, () => socket.write(REQUEST));
    let bytes = Buffer.alloc(0);
    const finish = (outcome: string | HsctlError): void => {
      timer.cancel();
      socket.destroy();
      if (typeof outcome === 'string') resolve(outcome);
      else reject(outcome);
    };
    const unreachable = (why: string): void => {
      finish(new HsctlError('unreachable', `no agent on ${socketPath}: ${why}`, 'start the agent of this node'));
    };
    const timer = scheduler.after(timeoutMs, () => unreachable(`no answer for ${timeoutMs} ms`));
    socket.on('error', (error) => unreachable(error.message));
    socket.on('close', () => unreachable('it closed the connection'));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const headEnd = bytes.indexOf('\r\n');
      if (headEnd < 0) return bytes.length > 1_024 ? finish(notUnderstood(socketPath)) : undefined;
      const length = /^\$(\d{1,7})$/.exec(bytes.toString('latin1', 0, headEnd))?.[1];
      if (length === undefined || Number(length) > ANSWER_LIMIT_BYTES) return finish(notUnderstood(socketPath));
      const start = headEnd + 2;
      if (bytes.length >= start + Number(length) + 2) finish(bytes.toString('utf8', start, start + Number(length)));
    });
  });
}

function notUnderstood(socketPath: string): HsctlError {
  return new HsctlError(
    'format',
    `the answer on ${socketPath} was not understood`,
    'use the hsctl of the same version as the agent',
  );
}
