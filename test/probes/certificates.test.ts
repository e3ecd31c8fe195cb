import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer as createHttps } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTls, type Server } from 'node:tls';
import type { ProbeOptions } from '../../src/config/probe-kinds.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import type { ProbeResult, ProbeTarget } from '../../src/probes/probe.ts';
import { lookAt } from './looks.ts';

/** A certificate for 60 days, judged by clocks that are days ahead or behind. */

const DAY_MS = 86_400_000;
const DAYS = 60;

let folder = '';
let certificate = '';
let tls: Server;
let https: Server;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsctl-tls-probe-'));
  certificate = join(folder, 'certificate.pem');
  const key = join(folder, 'key.pem');
  const names = 'subjectAltName=DNS:realm.example,IP:127.0.0.1';
  const about = ['-subj', '/CN=realm', '-addext', names, '-days', String(DAYS)];
  const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync('openssl', ['req', '-x509', ...ec, ...about, '-keyout', key, '-out', certificate], { stdio: 'pipe' });
  const identity = { key: readFileSync(key), cert: readFileSync(certificate) };
  tls = createTls(identity, (socket) => socket.resume()).listen(0, '127.0.0.1');
  https = createHttps(identity, (_, response) => response.end('state: ready')).listen(0, '127.0.0.1');
  await Promise.all([once(tls, 'listening'), once(https, 'listening')]);
});
after(async () => {
  tls.close();
  https.close();
  await rm(folder, { recursive: true });
});

function targetOf(server: Server): ProbeTarget {
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
}

function tlsLook(options: Partial<ProbeOptions<'tls'>> = {}, days = 0): Promise<ProbeResult> {
  const scheduler = { ...systemScheduler, wallMs: () => systemScheduler.wallMs() + days * DAY_MS };
  return lookAt(targetOf(tls), 'tls', options, { scheduler });
}

describe('tls probe', () => {
  it('is good at a certificate in force, whoever made it', async () => {
    const { good, detail, warning } = await tlsLook();
    assert.equal(good, true, detail);
    assert.match(detail, /^TLSv1\.3, certificate until \d{4}-\d\d-\d\d$/);
    assert.equal(warning, undefined);
  });

  it('warns of its end in time, and says how much is left', async () => {
    assert.equal((await tlsLook({}, DAYS - 15)).warning, undefined);
    const soon = await tlsLook({}, DAYS - 10.5);
    assert.equal(soon.good, true);
    assert.match(soon.warning ?? '', /^the certificate ends in 10d, on \d{4}-\d\d-\d\d$/);
    assert.match((await tlsLook({}, DAYS - 0.5)).warning ?? '', /ends in 1[12]h, on /);
    assert.match((await tlsLook({ warnBefore: 30 * DAY_MS }, DAYS - 29.5)).warning ?? '', /ends in 29d/);
    assert.equal((await tlsLook({ warnBefore: 0 }, DAYS - 0.5)).warning, undefined);
  });

  it('is bad after its end and before its beginning', async () => {
    assert.match((await tlsLook({}, DAYS + 1)).detail, /^the certificate ended on /);
    const early = await tlsLook({}, -1);
    assert.equal(early.good, false);
    assert.match(early.detail, /^the certificate is not in force before /);
  });

  it('verifies chain and name if it is to', async () => {
    const untrusted = await tlsLook({ verify: true });
    assert.equal(untrusted.good, false);
    assert.equal(untrusted.detail, 'the certificate is not trusted: depth zero self signed cert');
    assert.equal((await tlsLook({ verify: true, ca: certificate })).good, true);
    assert.equal((await tlsLook({ verify: true, ca: certificate, serverName: 'realm.example' })).good, true);
    const other = await tlsLook({ verify: true, ca: certificate, serverName: 'other.example' });
    assert.equal(other.good, false);
    assert.equal(other.detail, 'the certificate is for another name');
    const missing = await tlsLook({ verify: true, ca: join(folder, 'missing.pem') });
    assert.match(missing.detail, /^the authorities cannot be read: ENOENT/);
  });

  it('asks for its name', async () => {
    const asked = once(tls, 'secureConnection');
    await tlsLook({ serverName: 'realm.example' });
    const [socket] = (await asked) as [{ servername: string }];
    assert.equal(socket.servername, 'realm.example');
  });
});

describe('https probe', () => {
  const look = (options: Partial<ProbeOptions<'https'>> = {}, days = 0): Promise<ProbeResult> => {
    const scheduler = { ...systemScheduler, wallMs: () => systemScheduler.wallMs() + days * DAY_MS };
    return lookAt(targetOf(https), 'https', options, { scheduler });
  };

  it('judges answer and certificate', async () => {
    const { good, detail } = await look({ contains: 'ready' });
    assert.equal(good, true, detail);
    assert.match(detail, /^status 200, body as expected, certificate until /);
    assert.equal((await look({ contains: 'busy' })).detail, 'status 200, body without "busy"');
    assert.match((await look({}, DAYS - 5)).warning ?? '', /^the certificate ends in /);
    assert.match((await look({}, DAYS + 1)).detail, /^the certificate ended on /);
    assert.match((await look({ verify: true })).detail, /^the certificate is not trusted: /);
    assert.equal((await look({ verify: true, ca: certificate })).good, true);
  });
});
