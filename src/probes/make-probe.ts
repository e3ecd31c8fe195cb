import type { ProbeConfig } from '../config/config.ts';
import { execProbe } from './exec.ts';
import { httpProbe } from './http.ts';
import type { Probe } from './probe.ts';
import { tcpProbe } from './tcp.ts';

/** The probe that the configuration asks for. */
export function makeProbe(config: ProbeConfig): Probe {
  switch (config.type) {
    case 'tcp':
      return tcpProbe(config.port);
    case 'http':
      return httpProbe(config);
    case 'exec':
      return execProbe(config.command, config.timeoutMs);
  }
}
