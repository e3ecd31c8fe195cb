import type { ProbeOptions } from '../config/probe-kinds.ts';
import { bytesOf } from '../config/probe-fields.ts';
import type { Probe } from './probe.ts';
import { overTcp } from './wire.ts';

/** Good if a connection is accepted and, where something is expected, that comes. */
export function tcpProbe(options: ProbeOptions<'tcp'>): Probe {
  const send = options.send === null ? null : bytesOf(options.send);
  const expect = options.expect === null ? null : bytesOf(options.expect);
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        if (send !== null) wire.write(send);
        if (expect === null) return { good: true, detail: 'connection accepted' };
        await wire.until(expect);
        return { good: true, detail: 'answered as expected' };
      }),
  };
}
