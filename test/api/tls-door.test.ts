import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiServer } from '../../src/api/server.ts';
import { tlsDoor } from '../../src/api/tls-door.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import { silentLogger, type LogFields, type Logger } from '../../src/kit/logger.ts';
import { createAuthority, issueCertificate } from '../../src/transport/certificates.ts';
import { Credentials } from '../../src/transport/credentials.ts';
import { until } from '../rig/until.ts';
import { expire, signAs } from '../transport/authorities.ts';
import { ScriptedService } from './scripted-service.ts';

/** What came back: the status, or the error of the connection. */
type Outcome = number | string;

describe('the API by mutual TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hsctl-door-'));
  const other = mkdtempSync(join(tmpdir(), 'hsctl-door-'));
  let server: ApiServer;
  let port = 0;
  let service: ScriptedService;
  const warnings: LogFields[] = [];
  const logger: Logger = { ...silentLogger, warn: (_message, fields = {}) => void warnings.push(fields) };

  before(async () => {
    await createAuthority(dir, 'realm');
    await issueCertificate(dir, { role: 'controller', cluster: 'realm' });
    await issueCertificate(dir, { role: 'operator', cluster: 'realm', name: 'alice' });
    await issueCertificate(dir, { role: 'node', cluster: 'realm', name: 'a' });
    await issueCertificate(dir, { role: 'operator', cluster: 'realm', name: 'late' });
    expire(dir, 'operator-late', 'hsctl://realm/operator/late');
    await issueCertificate(dir, { role: 'operator', cluster: 'realm', name: 'stranger' });
    signAs(dir, 'operator-stranger', 'hsctl://elsewhere/operator/stranger');
    await createAuthority(other, 'realm');
    await issueCertificate(other, { role: 'operator', cluster: 'realm', name: 'mallory' });
    port = await freePort();
    service = new ScriptedService();
    const door = tlsDoor({
      endpoint: { host: '127.0.0.1', port },
      cluster: 'realm',
      credentials: new Credentials(dir, 'controller'),
      clock: systemScheduler,
      logger,
    });
    server = new ApiServer({ service, doors: [door], logger: silentLogger, version: 'test' });
    await server.open();
  });

  after(async () => {
    await server.close();
    for (const each of [dir, other]) rmSync(each, { recursive: true });
  });

  it('answers an operator, and takes its name from the certificate', async () => {
    assert.equal(await ask('GET', '/v1/status', dir, 'operator-alice'), 200);
    assert.equal(await ask('POST', '/v1/groups/world/resume', dir, 'operator-alice'), 200);
    assert.deepEqual(service.calls.at(-1), {
      action: 'resume',
      request: { group: 'world', operator: 'alice (certificate)' },
    });
  });

  it('lets a node look, but not change anything', async () => {
    assert.equal(await ask('GET', '/v1/status', dir, 'a'), 200);
    assert.equal(await ask('POST', '/v1/groups/world/resume', dir, 'a'), 403);
  });

  it('answers nobody without a certificate, or with one of another authority, cluster or time', async () => {
    const calls = service.calls.length;
    for (const [from, name] of [
      [dir, null],
      [other, 'operator-mallory'],
      [dir, 'operator-stranger'],
      [dir, 'operator-late'],
    ] as const) {
      assert.equal(await ask('GET', '/v1/status', from, name), 403, `${name}`);
      assert.equal(await ask('POST', '/v1/groups/world/resume', from, name), 403, `${name}`);
    }
    assert.equal(service.calls.length, calls);
    const reasons = warnings.map((fields) => fields['reason']);
    assert.deepEqual(reasons, ['it showed no certificate'], 'one line a minute for an address');
  });

  it('keeps few strangers who show nothing, and has room again when they are gone', async () => {
    const strangers = Array.from({ length: 16 }, () => connect(port, '127.0.0.1'));
    await Promise.all(strangers.map((socket) => once(socket, 'connect')));
    const onemore = connect(port, '127.0.0.1');
    onemore.on('error', () => undefined);
    await new Promise((resolve) => onemore.on('close', resolve));
    for (const socket of strangers) socket.destroy();
    await until('room for others', async () => (await ask('GET', '/v1/status', dir, 'operator-alice')) === 200);
  });

  function ask(method: string, path: string, from: string, name: string | null): Promise<Outcome> {
    const file = (ending: string): string => readFileSync(join(from, ending), 'utf8');
    const own = name === null ? {} : { cert: file(`${name}.pem`), key: file(`${name}.key`) };
    const body = method === 'POST' ? JSON.stringify({ operator: 'somebody else' }) : '';
    return new Promise((resolve) => {
      const call = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        ca: readFileSync(join(dir, 'ca.pem'), 'utf8'),
        checkServerIdentity: () => undefined,
        headers: { 'content-type': 'application/json', 'content-length': body.length },
        agent: false,
        ...own,
      });
      call.on('response', (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.on('error', (error) => resolve(error.message));
      call.end(body);
    });
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
