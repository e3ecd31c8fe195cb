import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { bytesOf } from '../config/probe-fields.ts';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import type { Probe, ProbeDeps, ProbeResult, ProbeTarget } from './probe.ts';
import { ProbeFailure, failed, shown } from './reason.ts';
import type { WireOptions } from './wire.ts';

/** Good if a datagram is answered or, where that is enough, not refused for half of the timeout. */
export function udpProbe(
  options: ProbeOptions<'udp'> & { readonly timeoutMs: number },
  { scheduler }: ProbeDeps,
): Probe {
  const sent = options.send === null ? Buffer.alloc(0) : bytesOf(options.send);
  const expect = options.expect === null ? null : bytesOf(options.expect);
  const judge = (answer: Buffer): ProbeResult => {
    if (expect === null || answer.includes(expect)) return { good: true, detail: `answered ${answer.length} bytes` };
    throw new ProbeFailure(`answered ${shown(answer)}, without ${shown(expect)}`);
  };
  return {
    look: (target, signal) =>
      overUdp(options, target, signal, sent, (socket, resolve) => {
        socket.once('message', (answer) => resolve(() => judge(answer)));
        if (options.reply === 'required') return null;
        const silence = (): ProbeResult => ({ good: true, detail: 'not refused' });
        return scheduler.after(options.timeoutMs / 2, () => resolve(silence));
      }),
  };
}

/** Ends a look with what the function returns or throws. */
type Resolve = (result: () => ProbeResult) => void;

/**
 * Sends one datagram and waits for what `listen` makes of the answers. The socket is connected, so that only the target
 * is heard, and its refusal is.
 */
export async function overUdp(
  { port, source }: WireOptions,
  target: ProbeTarget,
  signal: AbortSignal,
  datagram: Buffer,
  listen: (socket: Socket, resolve: Resolve) => { cancel(): void } | null,
): Promise<ProbeResult> {
  const at = { host: target.host, port: port ?? target.port ?? 0 };
  if (signal.aborted) return failed(null, signal, at);
  let socket: Socket | null = null;
  let timer: { cancel(): void } | null = null;
  let onAbort = (): void => {};
  try {
    const address = isIP(at.host) === 0 ? (await lookup(at.host)).address : at.host;
    const opened = createSocket(isIP(address) === 6 ? 'udp6' : 'udp4');
    socket = opened;
    const result = await new Promise<() => ProbeResult>((resolve, reject) => {
      onAbort = () => reject(new Error('called off'));
      if (signal.aborted) return onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      opened.on('error', reject);
      timer = listen(opened, resolve);
      const connect = (): void => opened.connect(at.port, address, () => opened.send(datagram));
      if (source === null) connect();
      else opened.bind({ address: source, port: 0, exclusive: true }, connect);
    });
    return result();
  } catch (thrown) {
    return failed(thrown, signal, at);
  } finally {
    signal.removeEventListener('abort', onAbort);
    (timer as { cancel(): void } | null)?.cancel();
    socket?.close();
  }
}
