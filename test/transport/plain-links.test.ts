import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { suite, test } from 'node:test';
import { systemScheduler } from '../../src/kit/clock.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import { encodeMessage } from '../../src/protocol/link/encode.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';
import { dialLink } from '../../src/transport/dial.ts';
import type { LinkConnection } from '../../src/transport/link-connection.ts';
import { DEFAULT_LINK_LIMITS, listenForLinks } from '../../src/transport/listen.ts';
import { closed, collect, dial, dialRaw, hello, peerHello, startListener } from './links.ts';

const ack = (seq: number): LinkMessage => ({ type: 'ack', epoch: 1, seq });

function isCode(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HsctlError && error.code === code && pattern.test(error.message);
}

suite('links over plain TCP', () => {
  test('carry messages both ways, and lose none behind the hello', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(peerHello);
    dialled.send(ack(1));
    dialled.send(ack(2));
    const { link, hello: greeting } = await listener.nextLink();
    assert.deepEqual(greeting, peerHello);
    assert.equal(link.identity, null);
    assert.deepEqual(await collect(link).first(2), [ack(1), ack(2)]);
    link.send(peerHello);
    link.send({ type: 'ping', sentAtMs: 1.5, epoch: 1, confirmedSeq: 2, wantsLease: true });
    const [back, ping] = await collect(dialled).first(2);
    assert.deepEqual(back, peerHello);
    assert.equal(ping?.type, 'ping');
  });

  test('tell both sides once why they ended, also a listener that comes late', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(hello);
    const { link } = await listener.nextLink();
    collect(link);
    const received = collect(dialled);
    const ends = Promise.all([closed(link), closed(dialled)]);
    link.send({ type: 'refusal', code: 'busy', reason: 'not now' });
    link.close('had enough');
    assert.deepEqual(await ends, ['had enough', 'closed by the peer']);
    assert.deepEqual(received.messages, [{ type: 'refusal', code: 'busy', reason: 'not now' }]);
    assert.equal(await closed(link), 'had enough');
    assert.equal(link.send(ack(1)), false);
  });

  test('deliver nothing while paused, in the middle of a chunk too', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(peerHello);
    const { link } = await listener.nextLink();
    const seen: number[] = [];
    const done = new Promise<void>((resolve) => {
      link.onMessage((message) => {
        assert.ok(message.type === 'ack');
        seen.push(message.seq);
        if (message.seq === 3) resolve();
        link.pause();
        const before = seen.length;
        setImmediate(() => {
          assert.equal(seen.length, before);
          link.resume();
        });
      });
    });
    for (const seq of [1, 2, 3]) dialled.send(ack(seq));
    await done;
    assert.deepEqual(seen, [1, 2, 3]);
  });

  test('keep what came while paused, whatever other links read meanwhile', async (t) => {
    const listener = await startListener(t);
    const dialled = [await dial(t, listener.port), await dial(t, listener.port)];
    const accepted: LinkConnection[] = [];
    for (const link of dialled) {
      link.send(peerHello);
      accepted.push((await listener.nextLink()).link);
    }
    const seen: LinkMessage[] = [];
    const all = new Promise<void>((resolve) => {
      for (const link of dialled) {
        link.onMessage((message) => {
          seen.push(message);
          link.pause();
          if (seen.length % 2 === 0) for (const paused of dialled) setImmediate(() => paused.resume());
          if (seen.length === 8) resolve();
        });
      }
    });
    for (const [index, link] of accepted.entries()) {
      link.send(peerHello);
      for (const seq of [1, 2, 3]) link.send(ack(10 * index + seq));
    }
    await all;
    const seqs = seen.flatMap((message) => (message.type === 'ack' ? [message.seq] : []));
    assert.deepEqual(
      seqs.toSorted((one, other) => one - other),
      [1, 2, 3, 11, 12, 13],
    );
  });

  test('say when enough is queued, and when there is room again', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(peerHello);
    const { link } = await listener.nextLink();
    link.pause();
    const slice = new Uint8Array(256 * 1024).fill(1);
    let sent = 0;
    const drained = new Promise<void>((resolve) => dialled.onDrain(resolve));
    do sent += slice.length;
    while (dialled.send({ type: 'batch', bytes: slice }));
    assert.ok(dialled.queuedBytes > 0);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      link.onMessage((message) => {
        assert.ok(message.type === 'batch');
        received += message.bytes.length;
        if (received === sent) resolve();
      });
    });
    link.resume();
    await Promise.all([drained, all]);
    assert.equal(dialled.queuedBytes, 0);
  });

  test('short messages that have to wait for their turn keep what they say', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(peerHello);
    const { link } = await listener.nextLink();
    link.pause();
    while (dialled.send({ type: 'batch', bytes: new Uint8Array(256 * 1024) }));
    const said = Array.from({ length: 100 }, (_, index) => ack(index));
    for (const message of said) dialled.send(message);
    assert.ok(dialled.queuedBytes > 0);
    const heard: LinkMessage[] = [];
    const all = new Promise<void>((resolve) => {
      link.onMessage((message) => {
        if (message.type === 'ack') heard.push(message);
        if (heard.length === said.length) resolve();
      });
    });
    link.resume();
    await all;
    assert.deepEqual(heard, said);
  });

  test('give up a peer that reads nothing', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    dialled.send(peerHello);
    const { link } = await listener.nextLink();
    link.pause();
    const end = closed(dialled);
    const slice = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 64; count += 1) dialled.send({ type: 'batch', bytes: slice });
    assert.match(await end, /^the peer has left \d+ bytes unread$/);
    assert.ok(dialled.queuedBytes < 10 * slice.length);
  });
});

suite('a listener on plain TCP', () => {
  test('closes connections that talk nonsense, with one line for them all, and serves others on', async (t) => {
    const listener = await startListener(t);
    const good = await dial(t, listener.port);
    good.send(peerHello);
    const { link } = await listener.nextLink();
    const received = collect(link);
    for (let count = 0; count < 5; count += 1) {
      const raw = await dialRaw(t, listener.port);
      raw.resume();
      raw.write('GET / HTTP/1.1\r\n\r\n');
      await once(raw, 'close');
    }
    await listener.logged(1);
    good.send(ack(7));
    assert.deepEqual(await received.first(1), [ack(7)]);
    assert.equal(listener.lines.length, 1);
    assert.match(String(listener.lines[0]?.fields['reason']), /not the protocol: no message has the type 47/);
    assert.equal(listener.links.length, 1);
  });

  test('closes a link that goes wrong after its hello, and tells its owner', async (t) => {
    const listener = await startListener(t);
    const raw = await dialRaw(t, listener.port);
    raw.write(encodeMessage(peerHello).head);
    const { link } = await listener.nextLink();
    collect(link);
    const end = closed(link);
    raw.resume();
    raw.write(Buffer.from([1, 0, 0, 0, 200]));
    assert.equal(await end, 'not the protocol: no message has the type 200');
    assert.deepEqual(listener.lines, []);
  });

  test('waits for a hello only so long', async (t) => {
    const listener = await startListener(t, { limits: { ...DEFAULT_LINK_LIMITS, helloTimeoutMs: 20 } });
    const raw = await dialRaw(t, listener.port);
    raw.resume();
    raw.write(encodeMessage(hello).head.subarray(0, 10));
    await once(raw, 'close');
    await listener.logged(1);
    assert.equal(listener.lines[0]?.fields['reason'], 'no hello within 20 ms');
  });

  test('keeps few connections that have not said hello', async (t) => {
    const listener = await startListener(t, { limits: { ...DEFAULT_LINK_LIMITS, pending: 2 } });
    const first = await dial(t, listener.port);
    await dial(t, listener.port);
    const third = await dialRaw(t, listener.port);
    third.resume();
    await once(third, 'close');
    assert.equal(listener.lines[0]?.fields['reason'], 'too many connections');
    first.send(hello);
    await listener.nextLink();
    const fourth = await dial(t, listener.port);
    fourth.send(hello);
    await listener.nextLink();
  });

  test('takes so many connections a second from one address, and tells of it once', async (t) => {
    const listener = await startListener(t, { limits: { ...DEFAULT_LINK_LIMITS, perSecondFromOne: 3 } });
    const closes = Array.from({ length: 40 }, async () => {
      const raw = connect(listener.port, '127.0.0.1');
      raw.on('error', () => undefined);
      raw.resume();
      raw.end('x');
      await new Promise((resolve) => raw.on('close', resolve));
    });
    await Promise.all(closes);
    await listener.logged(1);
    assert.equal(listener.lines.length, 1);
  });

  test('keeps so many links in all', async (t) => {
    const listener = await startListener(t, { limits: { ...DEFAULT_LINK_LIMITS, links: 1 } });
    const first = await dial(t, listener.port);
    first.send(hello);
    const { link } = await listener.nextLink();
    const second = await dialRaw(t, listener.port);
    second.resume();
    await once(second, 'close');
    collect(link);
    const end = closed(link);
    first.close('done');
    await end;
    const third = await dial(t, listener.port);
    third.send(hello);
    await listener.nextLink();
  });

  test('takes a refusal for no hello', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    collect(dialled);
    dialled.send({ type: 'refusal', code: 'busy', reason: '' });
    await closed(dialled);
    await listener.logged(1);
    assert.equal(listener.lines[0]?.fields['reason'], 'refusal, but no hello');
  });

  test('closes its links and waiting connections when it is closed', async (t) => {
    const listener = await startListener(t);
    const dialled = await dial(t, listener.port);
    const waiting = await dialRaw(t, listener.port);
    waiting.resume();
    dialled.send(hello);
    collect(dialled);
    await listener.nextLink();
    const ends = Promise.all([closed(dialled), once(waiting, 'close')]);
    await listener.listener.close();
    await ends;
    await assert.rejects(dial(t, listener.port), isCode('unreachable', /ECONNREFUSED/));
  });
});

suite('links without protection or partner', () => {
  test('plain text stays on the machine', async () => {
    const endpoint = { host: '10.0.0.1', port: 7402 };
    const expected = { role: 'controller', cluster: 'realm-7' } as const;
    const shared = { endpoint, security: { kind: 'plain' }, scheduler: systemScheduler } as const;
    await assert.rejects(
      dialLink({ ...shared, expected, timeoutMs: 1000 }),
      isCode('config', /plain-text links are for loopback/),
    );
    const logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => logger };
    const listening = listenForLinks({ ...shared, expected: [expected], logger, onLink() {} });
    await assert.rejects(listening, isCode('config', /plain-text links are for loopback/));
  });

  test('a port in use is told', async (t) => {
    const { port } = await startListener(t);
    await assert.rejects(
      startListener(t, { endpoint: { host: '127.0.0.1', port } }),
      isCode('failed', /cannot listen.*EADDRINUSE/),
    );
  });

  test('dialling can be called off', async (t) => {
    const { port } = await startListener(t);
    await assert.rejects(dial(t, port, { signal: AbortSignal.abort() }), isCode('failed', /called off/));
    const abort = new AbortController();
    const dialling = dial(t, port, { signal: abort.signal });
    abort.abort();
    await assert.rejects(dialling, isCode('failed', /called off/));
  });
});
