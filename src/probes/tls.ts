import type { ProbeOptions } from '../config/probe-kinds.ts';
import { judgeCertificate, tlsOptions } from './certificate.ts';
import type { Probe, ProbeDeps } from './probe.ts';
import { failed } from './reason.ts';
import { overTls } from './wire.ts';

/** Good if a TLS handshake succeeds and the certificate is in force; warns of its end. */
export function tlsProbe(options: ProbeOptions<'tls'>, { scheduler }: ProbeDeps): Probe {
  return {
    async look(target, signal) {
      try {
        const opening = await tlsOptions(options, target.host);
        return await overTls(options, opening, target, signal, (socket) => {
          const { detail, ...more } = judgeCertificate(socket, options, scheduler.wallMs());
          return Promise.resolve({ good: true, detail: `${socket.getProtocol() ?? 'TLS'}, ${detail}`, ...more });
        });
      } catch (thrown) {
        return failed(thrown, signal, null);
      }
    },
  };
}
