import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import type { Probe, ProbeTarget } from '../../src/probes/probe.ts';
import { lookAt, never, probeOf } from './looks.ts';
import { deadTarget, serving } from './servers.ts';

const tcp = probeOf('tcp');

/** Answers each connection with `text` once something was asked, and leaves it open. */
function answering(
  t: TestContext,
  text: string,
  onRequest: (request: string) => void = () => {},
): Promise<ProbeTarget> {
  return serving(t, (socket) =>
    socket.once('data', (bytes) => {
      onRequest(String(bytes));
      socket.write(text);
    }),
  );
}

describe('tcp probe', () => {
  it('is good where a connection is accepted, and closes it', async (t) => {
    const closed = Promise.withResolvers<undefined>();
    const target = await serving(t, (socket) => socket.once('close', () => closed.resolve(undefined)));
    assert.deepEqual(await tcp.look(target, never), { good: true, detail: 'connection accepted' });
    await closed.promise;
  });

  it('is bad where nothing listens', async () => {
    const { good, detail } = await tcp.look(await deadTarget(), never);
    assert.equal(good, false);
    assert.match(detail, /^connection refused \(127\.0\.0\.1:\d+\)$/);
  });

  it('prefers its own port to that of the target', async (t) => {
    const { port } = await serving(t, () => {});
    assert.equal((await lookAt({ host: '127.0.0.1', port: 1 }, 'tcp', { port })).good, true);
  });

  it('is bad for a target without a port', async () => {
    assert.equal((await tcp.look({ host: '127.0.0.1', port: null }, never)).good, false);
  });

  it('gives the reason of its signal', async (t) => {
    const target = await serving(t, () => {});
    const stopped = AbortSignal.abort(new Error('too late'));
    assert.deepEqual(await tcp.look(target, stopped), { good: false, detail: 'too late' });
    const stop = new AbortController();
    const result = tcp.look(target, stop.signal);
    stop.abort(new Error('no answer within 1s'));
    assert.deepEqual(await result, { good: false, detail: 'no answer within 1s' });
  });
});

describe('http probe', () => {
  it('asks for the path, of the host', async (t) => {
    let asked = '';
    const target = await answering(t, 'HTTP/1.1 204 No Content\r\n\r\n', (request) => (asked = request));
    assert.deepEqual(await lookAt(target, 'http', { path: '/health?full=1', host: 'realm.example' }), {
      good: true,
      detail: 'status 204',
    });
    assert.match(asked, /^GET \/health\?full=1 HTTP\/1\.1\r\n/);
    assert.match(asked, /^host: realm\.example\r$/im);
  });

  it('judges the status', async (t) => {
    const target = await answering(t, 'HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n');
    assert.deepEqual(await lookAt(target, 'http'), { good: false, detail: 'status 503' });
    const status: [number, number][] = [
      [200, 200],
      [500, 503],
    ];
    assert.deepEqual(await lookAt(target, 'http', { status }), { good: true, detail: 'status 503' });
  });

  it('finds the text across pieces of the body, without waiting for its end', async (t) => {
    const target = await serving(t, (socket) =>
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nstate: rea', () =>
          setImmediate(() => socket.write('dy')),
        );
      }),
    );
    assert.deepEqual(await lookAt(target, 'http', { contains: 'ready' }), {
      good: true,
      detail: 'status 200, body as expected',
    });
  });

  it('is bad where the body lacks the text', async (t) => {
    const target = await answering(t, 'HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nbusy');
    const lacking = { good: false, detail: 'status 200, body without "ready"' };
    assert.deepEqual(await lookAt(target, 'http', { contains: 'ready' }), lacking);
  });

  it('reads no more than 64 KiB of a body without end', async (t) => {
    const closed = Promise.withResolvers<undefined>();
    const target = await serving(t, (socket) =>
      socket.once('data', () => {
        socket.once('close', () => closed.resolve(undefined));
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = (): void => {
          if (socket.writable) socket.write('x'.repeat(8192), more);
        };
        more();
      }),
    );
    assert.equal((await lookAt(target, 'http', { contains: 'ready' })).good, false);
    await closed.promise;
  });

  for (const [what, answer] of [
    ['no HTTP', '220 mail ready\r\n\r\n'],
    ['headers without end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}`],
  ] as const) {
    it(`is bad at ${what}`, async (t) => {
      const { good, detail } = await lookAt(await answering(t, answer), 'http');
      assert.equal(good, false);
      assert.notEqual(detail, '');
    });
  }

  it('is bad where the connection breaks within the body', async (t) => {
    const target = await serving(t, (socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nab', () => socket.destroy())),
    );
    assert.equal((await lookAt(target, 'http', { contains: 'ready' })).good, false);
  });

  it('is bad where nothing listens', async () => {
    assert.match((await lookAt(await deadTarget(), 'http')).detail, /connection refused/);
  });

  it('closes its connection and gives the reason when its signal aborts', async (t) => {
    const accepted = Promise.withResolvers<Socket>();
    const target = await serving(t, (socket) => socket.once('data', () => accepted.resolve(socket)));
    const stop = new AbortController();
    const result = probeOf('http').look(target, stop.signal);
    const socket = await accepted.promise;
    const closed = once(socket, 'close');
    stop.abort(new Error('no answer within 1s'));
    assert.deepEqual(await result, { good: false, detail: 'no answer within 1s' });
    await closed;
    assert.deepEqual(await probeOf('http').look(target, stop.signal), { good: false, detail: 'no answer within 1s' });
  });
});

describe('exec probe', () => {
  const target = { host: '10.0.0.9', port: 9000 };
  const exec = (...command: string[]): Probe => probeOf('exec', { command });

  it('is good at exit code 0, with the first line that was printed', async () => {
    const probe = exec('sh', '-c', 'echo "$HSCTL_HOST:$HSCTL_PORT"; echo more');
    assert.deepEqual(await probe.look(target, never), { good: true, detail: '10.0.0.9:9000' });
    assert.deepEqual(await exec('true').look({ host: 'a', port: null }, never), { good: true, detail: 'exit code 0' });
  });

  it('is bad at any other, with what the program said', async () => {
    const { good, detail } = await exec('sh', '-c', 'echo broken >&2; exit 3').look(target, never);
    assert.equal(good, false);
    assert.match(detail, /exit code 3: broken/);
  });

  it('is bad where there is no such program', async () => {
    assert.match((await exec('/nonexistent/probe').look(target, never)).detail, /no such program/);
  });

  it('ends the program and gives the reason when its signal aborts', async () => {
    const stop = new AbortController();
    const result = exec('sleep', '1000').look(target, stop.signal);
    stop.abort(new Error('no answer within 1s'));
    assert.deepEqual(await result, { good: false, detail: 'no answer within 1s' });
  });
});
