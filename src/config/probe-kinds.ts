import { z } from 'zod';
import { duration } from './amount-fields.ts';
import { choice, command, host, path, port, statusRange } from './fields.ts';
import {
  digest,
  dnsName,
  headers,
  mailName,
  payload,
  requestPath,
  sourceAddress,
  wantedText,
  word,
} from './probe-fields.ts';

/**
 * All kinds of probe, each with its keys: what an editor is told, what the file may say and what holds where it says
 * nothing come from here, and so do the tables of docs/probes.md. What a kind does is in `probes`, one file a kind.
 */

const SECOND = 1000;
const DAY = 86_400 * SECOND;

/** A key that may be left out has a default; null means that there is nothing of the sort. */
export interface ProbeKind<Keys = Readonly<Record<string, z.ZodType>>, Defaults = Readonly<Record<string, unknown>>> {
  /** What a good result means. */
  readonly about: string;
  readonly keys: Keys;
  readonly defaults: Defaults;
}

function kind<
  const Keys extends Readonly<Record<string, z.ZodType>>,
  const Defaults extends { readonly [Key in keyof Keys | 'from']?: unknown },
>(about: string, keys: Keys, defaults: Defaults): ProbeKind<Keys, Defaults> {
  return { about, keys, defaults };
}

const flag = () => z.boolean('write true or false');

const onNetwork = {
  port: port().describe("Port that is probed; default: the node's app port"),
  source: sourceAddress().describe("Address from which the controller probes; default: the system's choice"),
};
const noNetwork = { port: null, source: null };

const certificate = {
  serverName: host().describe("Name that the server is asked for (SNI) and that is verified; default: the node's"),
  verify: flag().describe('Whether the chain and the name of the certificate must be right; default false'),
  ca: path().describe("File of the authorities that are trusted, PEM; default: the system's"),
  warnBefore: duration(0, 400 * DAY).describe('How long before its end a certificate is warned of; default 14d'),
};
const noCertificate = { serverName: null, verify: false, ca: null, warnBefore: 14 * DAY };

const http = {
  ...onNetwork,
  method: choice(['GET', 'HEAD', 'POST', 'OPTIONS']).describe('Method of the request; default GET'),
  path: requestPath().describe('What is asked for; default /'),
  host: host().describe("Host header; default: the node's address"),
  headers: headers().describe('Further headers of the request'),
  body: wantedText().describe('Body of the request'),
  status: z
    .array(statusRange(), 'write a list of status codes, like [200-299]')
    .min(1, 'write at least one status code, like [200-299]')
    .describe('Status codes that are good; default [200-299]'),
  contains: wantedText().describe('Text that must stand in the first 64 KiB of the body'),
  lacks: wantedText().describe('Text that must not stand there'),
  digest: digest().describe('Digest that the whole body, at most 1 MiB, must have'),
};
const noHttp = {
  ...noNetwork,
  method: 'GET',
  path: '/',
  host: null,
  headers: {},
  body: null,
  status: [[200, 299]],
  contains: null,
  lacks: null,
  digest: null,
} as const;

const account = {
  user: word('the name of an account').describe('Account that logs in; default: none, a refusal counts as an answer'),
  passwordFile: path().describe("File whose first line is the account's password; default: none"),
};
const noAccount = { user: null, passwordFile: null };

const query = word('one statement of SQL', 1000).describe('Statement that must succeed after the login');

export const PROBE_KINDS = {
  tcp: kind(
    'A connection is accepted and, if something is expected, answered with it.',
    {
      ...onNetwork,
      send: payload().describe('What is sent first: text, or bytes like hex:0d0a'),
      expect: payload().describe('What must come within the first 64 KiB: text, or bytes like hex:0d0a'),
    },
    { ...noNetwork, send: null, expect: null },
  ),
  tls: kind(
    'A TLS handshake succeeds and the certificate is in force.',
    { ...onNetwork, ...certificate },
    { ...noNetwork, ...noCertificate },
  ),
  http: kind('An HTTP request is answered as expected.', http, noHttp),
  https: kind(
    'The same over TLS, with a certificate that is in force.',
    { ...http, ...certificate },
    { ...noHttp, ...noCertificate },
  ),
  udp: kind(
    'A datagram is answered, or at least not refused.',
    {
      ...onNetwork,
      send: payload().describe('What is sent: text, or bytes like hex:0d0a; default: an empty datagram'),
      expect: payload().describe('What the answer must hold: text, or bytes like hex:0d0a'),
      reply: choice(['required', 'optional']).describe(
        'Whether an answer must come; optional: silence for half of the timeout is good; default required',
      ),
    },
    { ...noNetwork, send: null, expect: null, reply: 'required' },
  ),
  dns: kind(
    'A DNS server answers a question.',
    {
      ...onNetwork,
      name: dnsName().describe('Name that is asked for'),
      record: choice(['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT']).describe(
        'Kind of record that is asked for; default A',
      ),
      transport: choice(['udp', 'tcp']).describe('How it is asked; default udp'),
    },
    { ...noNetwork, record: 'A', transport: 'udp' },
  ),
  smtp: kind(
    'A mail server greets and accepts EHLO.',
    { ...onNetwork, helo: mailName().describe('Name in EHLO; default localhost') },
    { ...noNetwork, helo: 'localhost' },
  ),
  ping: kind('The machine answers an ICMP echo request.', { source: onNetwork.source }, { source: null }),
  redis: kind(
    'A Redis server answers PING.',
    { ...onNetwork, ...account, user: word('the name of an account').describe('Account; default: that of the server') },
    { ...noNetwork, ...noAccount },
  ),
  mysql: kind(
    'A MySQL or MariaDB server greets, lets the account in and answers.',
    { ...onNetwork, ...account, query },
    { ...noNetwork, ...noAccount, query: null },
  ),
  postgres: kind(
    'A PostgreSQL server takes connections, lets the account in and answers.',
    {
      ...onNetwork,
      ...account,
      database: word('the name of a database').describe('Database; default: that of the name of the account'),
      query,
    },
    { ...noNetwork, ...noAccount, database: null, query: null },
  ),
  exec: kind(
    'A program ends with a good exit code.',
    {
      command: command().describe('The program and its arguments'),
      exitCodes: choice(['plain', 'keepalived', 'nagios']).describe(
        "How its exit code is read: plain: 0 is good; keepalived: as MISC_CHECK's with misc_dynamic; nagios: 0 good, 1 warning; default plain",
      ),
    },
    { exitCodes: 'plain' },
  ),
  file: kind(
    "A file on the prober's own machine is there, fresh and holds a text.",
    {
      path: path().describe('The file'),
      contains: wantedText().describe('Text that must stand in its first 64 KiB'),
      maxAge: duration(SECOND, 400 * DAY).describe('How long ago it may have been written; default: any time'),
    },
    { contains: null, maxAge: null, from: 'agent' },
  ),
  'agent-check': kind(
    "An agent answers in HAProxy's words: up, ready, 75%, drain, maint, down.",
    { ...onNetwork, send: payload().describe('What is sent first: text, or bytes like hex:0d0a') },
    { ...noNetwork, send: null },
  ),
} as const;

export type ProbeType = keyof typeof PROBE_KINDS;
type KeysOf<Type extends ProbeType> = (typeof PROBE_KINDS)[Type]['keys'];
type DefaultsOf<Type extends ProbeType> = (typeof PROBE_KINDS)[Type]['defaults'];

/** What is in force for a probe beside its times: under the names of the file, durations in milliseconds. */
export type ProbeOptions<Type extends ProbeType> = {
  readonly [Key in keyof KeysOf<Type>]:
    | z.output<KeysOf<Type>[Key]>
    | (Key extends keyof DefaultsOf<Type> ? Extract<DefaultsOf<Type>[Key], null> : never);
};
