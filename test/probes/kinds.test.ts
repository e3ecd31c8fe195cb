import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, utimes } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { systemScheduler } from '../../src/kit/clock.ts';
import type { ProbeResult, ProbeTarget } from '../../src/probes/probe.ts';
import { lookAt, probeOf } from './looks.ts';
import { bad, deadTarget, saying, serving } from './servers.ts';

/** What each kind makes of answers that a well-behaved server seldom gives. */

describe('tcp probe that expects something', () => {
  it('sends text or bytes, and finds the answer', async (t) => {
    const target = await serving(t, (socket) =>
      socket.on('data', (bytes) => socket.write(`got ${bytes.toString('hex')}`)),
    );
    const good = { good: true, detail: 'answered as expected' };
    assert.deepEqual(await lookAt(target, 'tcp', { send: 'ok', expect: 'got 6f6b' }), good);
    assert.deepEqual(await lookAt(target, 'tcp', { send: 'hex:00ff', expect: 'hex:676f742030306666' }), good);
  });

  it('says what came instead', async (t) => {
    const target = await serving(t, (socket) => socket.end('\u001b[31mbusy'));
    assert.deepEqual(
      await lookAt(target, 'tcp', { expect: 'ready' }),
      bad('closed the connection without "ready", after ".[31mbusy"'),
    );
  });
});

describe('http probe', () => {
  const asked: string[] = [];
  const page = 'x'.repeat(100_000);
  const start = async (t: TestContext): Promise<ProbeTarget> => {
    const server = createServer((request, response) => {
      request.setEncoding('utf8').on('data', (text) => asked.push(`body ${text}`));
      request.on('end', () => {
        asked.push(`${request.method} ${request.headers['authorization'] ?? ''}`);
        response.end(request.url === '/page' ? page : 'state: ready');
      });
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  };

  it('asks by method, headers and body', async (t) => {
    const options = { method: 'POST', headers: { Authorization: 'Bearer 1' }, body: 'ping' } as const;
    assert.equal((await lookAt(await start(t), 'http', options)).good, true);
    assert.deepEqual(asked.splice(0), ['body ping', 'POST Bearer 1']);
    assert.deepEqual(await lookAt(await start(t), 'http', { method: 'HEAD' }), { good: true, detail: 'status 200' });
  });

  it('is bad where the body has what it must lack', async (t) => {
    const target = await start(t);
    assert.equal((await lookAt(target, 'http', { lacks: 'busy', contains: 'ready' })).good, true);
    assert.deepEqual(await lookAt(target, 'http', { lacks: 'ready' }), bad('status 200, body with "ready"'));
  });

  it('digests the whole body, up to a limit', async (t) => {
    const target = await start(t);
    for (const algorithm of ['md5', 'sha1', 'sha256']) {
      const digest = `${algorithm}:${createHash(algorithm).update(page).digest('hex').toUpperCase()}`;
      assert.equal((await lookAt(target, 'http', { path: '/page', digest })).good, true);
      const { good, detail } = await lookAt(target, 'http', { digest });
      assert.equal(good, false);
      assert.match(detail, new RegExp(`^status 200, body with ${algorithm}:[0-9a-f]+$`));
    }
    const endless = await serving(t, (socket) => socket.write(`HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(1_100_000)}`));
    const digest = `md5:${'0'.repeat(32)}`;
    assert.deepEqual(await lookAt(endless, 'http', { digest }), bad('status 200, body of more than 1 MiB'));
  });

  it('takes a change of protocol for no answer', async (t) => {
    const target = await saying(t, '', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n');
    assert.deepEqual(await lookAt(target, 'http', {}), bad('status 101'));
  });
});

describe('udp probe', () => {
  const answering = async (
    t: TestContext,
    answer: (socket: UdpSocket, text: string, port: number) => void,
  ): Promise<ProbeTarget> => {
    const socket = createSocket('udp4');
    socket.on('message', (bytes, { port }) => answer(socket, String(bytes), port)).bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    return { host: '127.0.0.1', port: socket.address().port };
  };

  it('is good at an answer, or at the right one', async (t) => {
    const target = await answering(t, (socket, text, port) => socket.send(`you said ${text}`, port, '127.0.0.1'));
    assert.deepEqual(await lookAt(target, 'udp'), { good: true, detail: 'answered 9 bytes' });
    assert.equal((await lookAt(target, 'udp', { send: 'hello', expect: 'said hello' })).good, true);
    const wrong = await lookAt(target, 'udp', { send: 'hello', expect: 'bye' });
    assert.deepEqual(wrong, bad('answered "you said hello", without "bye"'));
  });

  it('is bad at silence, unless an answer is optional', async (t) => {
    const heard = Promise.withResolvers<undefined>();
    const target = await answering(t, () => heard.resolve(undefined));
    const stop = new AbortController();
    const result = probeOf('udp').look(target, stop.signal);
    await heard.promise;
    stop.abort(new Error('no answer within 1s'));
    assert.deepEqual(await result, bad('no answer within 1s'));
    const lenient = { reply: 'optional', timeoutMs: 40 } as const;
    assert.deepEqual(await lookAt(target, 'udp', lenient), { good: true, detail: 'not refused' });
  });

  it('is bad where the port is closed, whatever is wanted', async () => {
    const target = await deadTarget();
    assert.match((await lookAt(target, 'udp')).detail, /^connection refused/);
    assert.match((await lookAt(target, 'udp', { reply: 'optional' })).detail, /^connection refused/);
  });

  it('sends from its source address', async (t) => {
    let from = '';
    const socket = createSocket('udp4');
    socket.on('message', (_, { address, port }) => {
      from = address;
      socket.send('.', port, address);
    });
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    t.after(() => socket.close());
    const target = { host: '127.0.0.1', port: socket.address().port };
    assert.equal((await lookAt(target, 'udp', { source: '127.0.0.9' })).good, true);
    assert.equal(from, '127.0.0.9');
  });
});

describe('a source address', () => {
  for (const type of ['tcp', 'http', 'tls'] as const) {
    it(`is where a ${type} probe comes from`, async (t) => {
      let from: string | undefined;
      const target = await serving(t, (socket) => {
        from = socket.remoteAddress;
        socket.destroy();
      });
      await lookAt(target, type, { source: '127.0.0.9' });
      assert.equal(from, '127.0.0.9');
    });
  }
});

describe('exec probe', () => {
  const target = { host: '127.0.0.1', port: 1 };
  const exit = (code: number, exitCodes: 'plain' | 'keepalived' | 'nagios'): Promise<ProbeResult> =>
    lookAt(target, 'exec', { command: ['sh', '-c', `echo "said | figures"; exit ${code}`], exitCodes });

  it('reads exit codes as keepalived does for MISC_CHECK', async () => {
    assert.deepEqual(await exit(0, 'keepalived'), { good: true, detail: 'said | figures' });
    assert.equal((await exit(1, 'keepalived')).good, false);
    assert.equal((await exit(2, 'keepalived')).good, false);
    assert.deepEqual(await exit(12, 'keepalived'), { good: true, detail: 'said | figures, weight 10' });
  });

  it('reads exit codes as Nagios does', async () => {
    assert.deepEqual(await exit(0, 'nagios'), { good: true, detail: 'said' });
    assert.deepEqual(await exit(1, 'nagios'), { good: true, detail: 'said', warning: 'said' });
    for (const code of [2, 3, 4]) assert.equal((await exit(code, 'nagios')).good, false);
  });

  it('reads them plainly else', async () => {
    assert.equal((await exit(0, 'plain')).good, true);
    assert.equal((await exit(12, 'plain')).good, false);
  });
});

describe('file probe', () => {
  const here = { host: '127.0.0.1', port: null };

  it('looks for the file, its age and its text', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'hsctl-file-probe-'));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, 'alive');
    assert.deepEqual(await lookAt(here, 'file', { path }), bad('no such file'));
    assert.deepEqual(await lookAt(here, 'file', { path: folder }), bad('not a file'));
    writeFileSync(path, 'state: ready');
    assert.equal((await lookAt(here, 'file', { path, contains: 'ready', maxAge: 60_000 })).good, true);
    assert.deepEqual(await lookAt(here, 'file', { path, contains: 'busy' }), bad('no "busy" within its first 64 KiB'));
    const then = systemScheduler.wallMs() / 1000 - 90;
    await utimes(path, then, then);
    assert.match((await lookAt(here, 'file', { path, maxAge: 60_000 })).detail, /^written 1m3\ds ago, more than 1m$/);
  });

  it('is not held up by a pipe', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'hsctl-file-probe-'));
    t.after(() => rm(folder, { recursive: true }));
    const path = join(folder, 'pipe');
    await lookAt(here, 'exec', { command: ['mkfifo', path] });
    assert.ok(existsSync(path));
    assert.deepEqual(await lookAt(here, 'file', { path }), bad('not a file'));
  });
});
