import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { ApiClient } from '../../src/api/client.ts';
import { HTTP_STATUS } from '../../src/api/errors.ts';
import { ApiServer } from '../../src/api/server.ts';
import { socketDoor } from '../../src/api/socket-door.ts';
import { systemScheduler } from '../../src/kit/clock.ts';
import { ERROR_CODES, HsctlError, type ErrorCode } from '../../src/kit/errors.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { clusterStatusSchema } from '../../src/model/status.ts';
import { ScriptedService } from './scripted-service.ts';

let directory: string;
let socketPath: string;
let service: ScriptedService;
let server: ApiServer;
let client: ApiClient;

const { uid, username } = userInfo();
/** Who runs this test, as the kernel tells the controller. */
const OWN = `${username} (uid ${uid})`;

const makeServer = (path = socketPath): ApiServer =>
  new ApiServer({ service, doors: [socketDoor(path)], logger: silentLogger, version: '9.9.9' });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hsctl-api-'));
  socketPath = join(directory, 'run', 'controller.sock');
  service = new ScriptedService();
  server = makeServer();
  client = new ApiClient(socketPath, systemScheduler);
  await server.open();
});

afterEach(async () => {
  await server.close();
  rmSync(directory, { recursive: true });
});

/** Sends raw bytes and resolves with everything that came back once the connection is closed. */
async function raw(bytes: string | Buffer): Promise<string> {
  const socket = connect(socketPath);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.write(bytes);
  await closed;
  return Buffer.concat(chunks).toString();
}

function request(method: string, path: string, body?: string, type = 'application/json'): Promise<string> {
  const headers = body === undefined ? '' : `content-type: ${type}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n`;
  return raw(`${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${headers}\r\n${body ?? ''}`);
}

const isError = (code: ErrorCode, part: RegExp) => (error: unknown) =>
  error instanceof HsctlError && error.code === code && part.test(`${error.message}\n${error.hint}`);

describe('API', () => {
  it('answers status, of all groups or of one', async () => {
    const status = await client.status();
    assert.deepEqual(status, service.status());
    assert.deepEqual(clusterStatusSchema.parse(status), status);
    assert.deepEqual(await client.status('world'), service.status('world'));
  });

  it('passes actions on with all that was asked, the operator noted by the word of the kernel, and as claimed', async () => {
    const who = { group: 'world', operator: 'alice' };
    const asked = { group: 'world', operator: `${OWN} for alice` };
    const promotion = await client.promote({ ...who, node: 'b', dryRun: false, force: true, allowDataLoss: false });
    assert.equal(promotion.started, true);
    assert.equal(promotion.plan.to, 'b');
    assert.match((await client.drain({ ...who, node: 'b', timeoutMs: 60_000 })).message, /no new work/);
    await client.undrain({ ...who, node: 'b' });
    await client.pause({ ...who, forMs: 1_000 });
    await client.resume(who);
    const reload = await client.reload({ operator: 'alice', force: false, dryRun: true });
    assert.deepEqual(reload.changes, ['group world: failover.lease 1s -> 2s']);
    assert.deepEqual(service.calls, [
      { action: 'promote', request: { ...asked, node: 'b', dryRun: false, force: true, allowDataLoss: false } },
      { action: 'drain', request: { ...asked, node: 'b', timeoutMs: 60_000 } },
      { action: 'undrain', request: { ...asked, node: 'b' } },
      { action: 'pause', request: { ...asked, forMs: 1_000 } },
      { action: 'resume', request: asked },
      { action: 'reload', request: { operator: `${OWN} for alice`, dryRun: true, force: false } },
    ]);
  });

  it('takes no name that would write lines of its own into the log', async () => {
    await assert.rejects(
      client.resume({ group: 'world', operator: 'alice\nbob' }),
      isError('usage', /operator: expected no control characters/),
    );
    assert.deepEqual(service.calls, []);
  });

  it('notes what came to nothing, and what changed no group; dry runs are not worth it', async () => {
    const operator = `${OWN} for alice`;
    service.failure = new HsctlError('refused', 'b is silent');
    const wish = { operator: 'alice', group: 'world', node: 'b', dryRun: false, force: true, allowDataLoss: true };
    await assert.rejects(client.promote(wish), isError('refused', /b is silent/));
    service.failure = null;
    await client.resume({ group: 'world', operator: username });
    await client.reload({ operator: 'alice', force: false, dryRun: true });
    await client.reload({ operator: username, force: false, dryRun: false });
    assert.deepEqual(service.audits, [
      { group: 'world', operator, action: 'promote b --force --allow-data-loss', refused: true, result: 'b is silent' },
      { group: '', operator: OWN, action: 'reload', refused: false, result: 'done' },
    ]);
    assert.equal(Reflect.get(service.calls[0]?.request ?? {}, 'operator'), OWN);
  });

  it('takes group names with any characters', async () => {
    await client.resume({ group: 'wörld 1%/x', operator: 'alice' });
    assert.deepEqual(service.calls[0]?.request, { group: 'wörld 1%/x', operator: `${OWN} for alice` });
  });

  it('answers explain, health, digest and metrics', async () => {
    assert.deepEqual(await client.explain('world'), service.explain('world'));
    assert.deepEqual(await client.configDigests(), { world: 'd1' });
    assert.match(await request('GET', '/v1/health'), /"status":"ok","version":"9\.9\.9"/);
    assert.match(await request('GET', '/metrics'), /text\/plain; version=0\.0\.4[^]*hsctl_groups 1/);
  });

  it('carries every error of ours to the client, with code, message and hint', async () => {
    assert.deepEqual(Object.keys(HTTP_STATUS).toSorted(), Object.keys(ERROR_CODES).toSorted());
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      service.failure = new HsctlError(code, `message of ${code}`, `hint of ${code}`);
      await assert.rejects(client.status(), isError(code, new RegExp(`message of ${code}\nhint of ${code}`)));
    }
  });

  it('tells nothing of its bugs', async () => {
    service.failure = new TypeError('secret of the inside');
    const answer = await request('GET', '/v1/status');
    assert.match(answer, /^HTTP\/1\.1 500 /);
    assert.doesNotMatch(answer, /secret|at .*\.ts/);
  });
});

describe('API, asked wrongly', () => {
  const cases: [what: string, method: string, path: string, body: string | undefined, status: number, part: RegExp][] =
    [
      ['an unknown path', 'GET', '/v2/status', undefined, 404, /no \/v2\/status/],
      ['an unknown action', 'POST', '/v1/groups/world/explode', '{}', 404, /explode/],
      ['a wrong method', 'DELETE', '/v1/status', undefined, 405, /does not take DELETE/],
      ['a change by GET', 'GET', '/v1/groups/world/resume', undefined, 405, /does not take GET/],
      ['an unknown group', 'GET', '/v1/status?group=mars', undefined, 400, /no group mars[^]*groups are: world/],
      ['a misspelt field', 'POST', '/v1/groups/world/promote', '{"node":"b","dryrun":true}', 400, /dryrun/],
      ['a field of the wrong type', 'POST', '/v1/groups/world/pause', '{"forMs":"1h"}', 400, /forMs/],
      ['a missing field', 'POST', '/v1/groups/world/drain', '{}', 400, /node/],
      ['no JSON', 'POST', '/v1/groups/world/drain', '{node:b}', 400, /no JSON/],
      ['a limit out of range', 'GET', '/v1/events?limit=1000000', undefined, 400, /limit/],
      ['a bad escape in the path', 'GET', '/v1/groups/%zz/explain', undefined, 404, /zz/],
      ['a huge body', 'POST', '/v1/groups/world/pause', `{"forMs":1,"x":"${'x'.repeat(70_000)}"}`, 413, /more than/],
    ];
  for (const [what, method, path, body, status, part] of cases) {
    it(`refuses ${what} and changes nothing`, async () => {
      const answer = await request(method, path, body);
      assert.match(answer, new RegExp(`^HTTP/1\\.1 ${status} `));
      const { error } = JSON.parse(answer.slice(answer.indexOf('\r\n\r\n'))) as { error: Record<string, string> };
      assert.match(`${error['message']} ${error['hint']}`, part);
      assert.equal(typeof error['code'], 'string');
      assert.deepEqual(service.calls, []);
    });
  }

  it('refuses a body that a browser could send from another site', async () => {
    assert.match(await request('POST', '/v1/groups/world/resume', '{}', 'text/plain'), /^HTTP\/1\.1 415 /);
    assert.deepEqual(service.calls, []);
  });

  it('closes connections that send anything but HTTP, without an answer, and goes on', async () => {
    const random = Buffer.from(Array.from({ length: 4_096 }, (_, index) => (index * 167 + (index >> 3) * 29) & 0xff));
    for (const bytes of [
      random,
      '*2\r\n$2\r\nHS\r\n$6\r\nSTATUS\r\n',
      '\0\0\0\0',
      'GET / HTTP/9.9\r\n\r\n',
      'x'.repeat(100_000),
    ]) {
      assert.equal(await raw(bytes), '');
    }
    assert.deepEqual(service.calls, []);
    assert.equal((await client.status()).cluster, 'realm-7');
  });
});

describe('event stream', () => {
  it('gives the selected events, then each new one, and ends with its reader', async () => {
    service.emit('before');
    service.emit('elsewhere', { group: 'cache' });
    const abort = new AbortController();
    const seen: string[] = [];
    const following = client.followEvents(
      { group: 'world', limit: 10 },
      (event) => {
        seen.push(event.message);
        if (seen.length === 1) {
          service.emit('elsewhere too', { group: 'cache' });
          service.emit('one');
        }
        if (seen.length === 2) for (let number = 0; number < 250; number++) service.emit(`burst ${number}`);
        if (seen.length === 252) abort.abort();
      },
      abort.signal,
    );
    await assert.rejects(following, { name: 'AbortError' });
    assert.deepEqual(seen.slice(0, 3), ['before', 'one', 'burst 0']);
    assert.equal(seen.at(-1), 'burst 249');
    // The server notices that its reader has gone when it writes or reads next.
    while (service.listeners > 0) await client.status();
  });

  it('costs no memory for a reader who does not read, and gives him all of it later', async () => {
    const count = 5_000;
    for (let number = 0; number < count; number++) service.emit(`${number} ${'x'.repeat(1_000)}`);
    let given = 0;
    const events = service.events.bind(service);
    service.events = (query) => {
      const found = events(query);
      given += found.length;
      return found;
    };
    const socket = connect(socketPath);
    socket.write('GET /v1/events?follow=1&afterId=0&limit=1 HTTP/1.0\r\n\r\n');
    // Each of these takes turns of the event loop in which the stream would go on if it could.
    for (let turn = 0; turn < 200; turn++) await client.status();
    assert.ok(given > 0 && given < count / 5, `${given} events were taken for a reader who does not read`);
    let lines = 0;
    let last = '';
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk: Buffer) => {
        const parts = (last + chunk.toString()).split('\n');
        last = parts.pop() ?? '';
        lines += parts.filter((part) => part.startsWith('{"id":')).length;
        if (lines === count) resolve();
      });
    });
    socket.destroy();
  });

  it('passes on why it cannot be given', async () => {
    service.events = () => {
      throw new HsctlError('disk', 'the records are damaged', 'restore them');
    };
    const following = client.followEvents({ limit: 1 }, () => {}, new AbortController().signal);
    await assert.rejects(following, isError('disk', /records are damaged/));
    assert.equal(service.listeners, 0);
  });

  it('is told when the controller stops', async () => {
    service.emit('before');
    const following = client.followEvents({ limit: 1 }, () => void server.close(), new AbortController().signal);
    await assert.rejects(following, isError('unreachable', /./));
    assert.equal(service.listeners, 0);
  });
});

describe('socket of the API', () => {
  it('is open to owner and group only, and gone after closing', async () => {
    assert.equal(statSync(socketPath).mode & 0o777, 0o660);
    await server.close();
    assert.throws(() => statSync(socketPath), { code: 'ENOENT' });
  });

  it('takes the place of a socket that a killed process left', async () => {
    const path = join(directory, 'stale.sock');
    const stale = createServer().listen(path);
    await once(stale, 'listening');
    // Closing would remove the file; a second name for it stays behind, as after SIGKILL.
    const { linkSync } = await import('node:fs');
    linkSync(path, `${path}.kept`);
    await new Promise((resolve) => stale.close(resolve));
    const again = makeServer(`${path}.kept`);
    await again.open();
    await again.close();
  });

  it('is not taken from a running controller, nor from a file that is no socket', async () => {
    await assert.rejects(makeServer().open(), isError('refused', /already listens/));
    assert.equal((await client.status()).cluster, 'realm-7');
    const file = join(directory, 'file');
    writeFileSync(file, 'precious');
    await assert.rejects(makeServer(file).open(), isError('config', /is no socket/));
    assert.equal(statSync(file).size, 'precious'.length);
  });
});

describe('client without a controller', () => {
  it('says that none is there, or none listens, and what to do', async () => {
    const nobody = new ApiClient(join(directory, 'none.sock'), systemScheduler);
    await assert.rejects(nobody.status(), isError('unreachable', /does not exist\nstart it/));
  });

  it('does not mistake something else for a controller', async () => {
    const answers = [
      '-ERR unknown command\r\n',
      'HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n{}',
      'HTTP/1.1 200 OK\r\n\r\n[',
      'HTTP/1.1 200 OK\r\n\r\n{"apiVersion":2}',
      'x'.repeat(20_000),
    ];
    const codes: ErrorCode[] = ['unreachable', 'unreachable', 'format', 'format', 'format'];
    const path = join(directory, 'other.sock');
    const other = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(answers.shift() ?? ''));
    }).listen(path);
    await once(other, 'listening');
    const stranger = new ApiClient(path, systemScheduler);
    for (const code of codes) await assert.rejects(stranger.status(), isError(code, /./));
    await new Promise((resolve) => other.close(resolve));
  });
});
