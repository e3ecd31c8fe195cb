import { connect } from 'node:net';
import { messageOf } from '../kit/errors.ts';
import type { Probe, ProbeResult } from './probe.ts';

/** Good if a TCP connection is accepted; it is closed at once. `port` null: the target's. */
export function tcpProbe(port: number | null): Probe {
  return (target, signal) =>
    new Promise<ProbeResult>((resolve) => {
      if (signal.aborted) return resolve({ good: false, detail: messageOf(signal.reason) });
      const socket = connect({ host: target.host, port: port ?? target.port ?? 0 });
      const finish = (good: boolean, detail: string): void => {
        signal.removeEventListener('abort', onAbort);
        socket.destroy();
        resolve({ good, detail });
      };
      const onAbort = (): void => finish(false, messageOf(signal.reason));
      signal.addEventListener('abort', onAbort, { once: true });
      socket.once('connect', () => finish(true, 'connection accepted'));
      // Stays in place after the end: a destroyed socket may still report what befell it.
      socket.on('error', (error) => finish(false, messageOf(error)));
    });
}
