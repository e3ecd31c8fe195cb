import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ProbeOptions } from '../config/probe-kinds.ts';
import { borrowPinger, type BorrowedPinger } from './pinger.ts';
import type { Probe, ProbeDeps } from './probe.ts';
import { failed } from './reason.ts';

/** Good if the node's machine answers an ICMP echo request. */
export function pingProbe({ source }: ProbeOptions<'ping'>, { scheduler }: ProbeDeps): Probe {
  let pinger: BorrowedPinger | null = null;
  return {
    async look({ host }, signal) {
      try {
        if (signal.aborted) return failed(null, signal, null);
        const address = isIP(host) === 0 ? (await lookup(host)).address : host;
        pinger ??= borrowPinger(scheduler);
        await pinger.ping(address, source, signal);
        return { good: true, detail: 'echo reply' };
      } catch (thrown) {
        return failed(thrown, signal, null);
      }
    },
    async close() {
      await pinger?.giveBack();
      pinger = null;
    },
  };
}
