import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { ApiServer } from '../../src/api/server.ts';
import { tlsDoor } from '../../src/api/tls-door.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { createAuthority, issueCertificate } from '../../src/transport/certificates.ts';
import { Credentials } from '../../src/transport/credentials.ts';
import { ScriptedService } from './scripted-service.ts';

/** What came back: the status, or the error of the connection. */
type Outcome = number | string;

describe('the API by mutual TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'hsctl-door-'));
  const other = mkdtempSync(join(tmpdir(), 'hsctl-door-'));
  let server: ApiServer;
  let port = 0;
  let service: ScriptedService;

  before(async () => {
    await createAuthority(dir, 'realm');
    await issueCertificate(dir, { role: 'controller', cluster: 'realm' });
    await issueCertificate(dir, { role: 'operator', cluster: 'realm', name: 'alice' });
    await issueCertificate(dir, { role: 'node', cluster: 'realm', name: 'a' });
    await createAuthority(other, 'realm');
    await issueCertificate(other, { role: 'operator', cluster: 'realm', name: 'mallory' });
    port = await freePort();
    service = new ScriptedService();
    const door = tlsDoor({ host: '127.0.0.1', port }, 'realm', new Credentials(dir, 'controller'));
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
    assert.deepEqual(service.calls.at(-1), { action: 'resume', request: { group: 'world', operator: 'alice' } });
  });

  it('lets a node look, but not change anything', async () => {
    assert.equal(await ask('GET', '/v1/status', dir, 'a'), 200);
    assert.equal(await ask('POST', '/v1/groups/world/resume', dir, 'a'), 403);
  });

  it('does not answer without a certificate, or with one of another authority', async () => {
    assert.equal(typeof (await ask('GET', '/v1/status', dir, null)), 'string');
    assert.equal(typeof (await ask('GET', '/v1/status', other, 'operator-mallory')), 'string');
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
