import type { ProbeConfig } from '../config/config.ts';
import { agentCheckProbe } from './agent-check.ts';
import { dnsProbe } from './dns.ts';
import { execProbe } from './exec.ts';
import { fileProbe } from './file.ts';
import { httpProbe, httpsProbe } from './http.ts';
import { mysqlProbe } from './mysql.ts';
import { pingProbe } from './ping.ts';
import { postgresProbe } from './postgres.ts';
import type { Probe, ProbeDeps } from './probe.ts';
import { redisProbe } from './redis.ts';
import { smtpProbe } from './smtp.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';
import { udpProbe } from './udp.ts';

type Makers = {
  readonly [Type in ProbeConfig['type']]: (config: Extract<ProbeConfig, { type: Type }>, deps: ProbeDeps) => Probe;
};

/** What makes each kind of the configuration's table `PROBE_KINDS`. */
const MAKERS: Makers = {
  tcp: tcpProbe,
  tls: tlsProbe,
  http: httpProbe,
  https: httpsProbe,
  udp: udpProbe,
  dns: dnsProbe,
  smtp: smtpProbe,
  ping: pingProbe,
  redis: redisProbe,
  mysql: mysqlProbe,
  postgres: postgresProbe,
  exec: execProbe,
  file: fileProbe,
  'agent-check': agentCheckProbe,
};

/** The probe that the configuration asks for. */
export function makeProbe(config: ProbeConfig, deps: ProbeDeps): Probe {
  // Each maker takes its own kind; the union cannot say that it is the one of this type.
  const make = MAKERS[config.type] as (config: ProbeConfig, deps: ProbeDeps) => Probe;
  return make(config, deps);
}
