import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, suite, test, type TestContext } from 'node:test';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { HsctlError } from '../../src/kit/errors.ts';
import { encodeMessage } from '../../src/protocol/link/encode.ts';
import { createAuthority, issueCertificate, renewCertificate } from '../../src/transport/certificates.ts';
import { Credentials } from '../../src/transport/credentials.ts';
import { formatIdentity, type Identity } from '../../src/transport/identity.ts';
import type { LinkConnection } from '../../src/transport/link-connection.ts';
import {
  CLUSTER,
  CONTROLLER,
  expire,
  makeAuthority,
  NODE_A,
  NODE_B,
  signAs,
  temporaryDirectory,
} from './authorities.ts';
import { closed, collect, dial, hello, startListener, type TestListener } from './links.ts';

let dir: string;
let otherDir: string;
before(async () => {
  dir = await makeAuthority();
  otherDir = await makeAuthority();
});

function tls(from: string, name: string) {
  return { kind: 'tls', credentials: new Credentials(from, name) } as const;
}

/** Node a's control port, which expects the controller. */
function startNodeA(t: TestContext, expected: readonly Identity[] = [CONTROLLER]): Promise<TestListener> {
  return startListener(t, { security: tls(dir, 'a'), expected });
}

function dialNodeA(t: TestContext, port: number, name = 'controller', from = dir): Promise<LinkConnection> {
  return dial(t, port, { security: tls(from, name), expected: NODE_A });
}

function pem(from: string, name: string): ConnectionOptions {
  return { cert: readFileSync(join(from, `${name}.pem`)), key: readFileSync(join(from, `${name}.key`)) };
}

/** A stranger who does not care who is at the other end. */
async function dialAsStranger(t: TestContext, port: number, options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  socket.on('error', () => undefined);
  t.after(() => socket.destroy());
  await new Promise<unknown>((resolve) => socket.once('secureConnect', resolve).once('close', resolve));
  return socket;
}

function isCode(code: string, pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HsctlError && error.code === code && pattern.test(error.message);
}

suite('links over mutual TLS', () => {
  test('carry messages, and each end knows who the other is', async (t) => {
    const listener = await startNodeA(t);
    const dialled = await dialNodeA(t, listener.port);
    assert.equal(dialled.identity, formatIdentity(NODE_A));
    dialled.send(hello);
    const { link } = await listener.nextLink();
    assert.equal(link.identity, formatIdentity(CONTROLLER));
    assert.match(link.peer, /^127\.0\.0\.1:\d+ \(hsctl:\/\/realm-7\/controller\)$/);
    const grant = { type: 'grant', echoedSentAtMs: 1, epoch: 2, leaseMs: 3, lingerMs: 0 } as const;
    link.send(hello);
    for (let count = 0; count < 1000; count += 1) link.send(grant);
    assert.deepEqual((await collect(dialled).first(1001)).at(-1), grant);
    assert.deepEqual(listener.lines, []);
  });

  test('carry much, with flow control', async (t) => {
    const listener = await startListener(t, { security: tls(dir, 'a'), expected: [NODE_B] });
    const dialled = await dialNodeA(t, listener.port, 'b');
    const { type: _, ...greeting } = hello;
    const peerHello = {
      ...greeting,
      role: 'slave',
      epoch: 1,
      renouncedEpoch: 0,
      end: { epoch: 0, seq: 0, hash: 0 },
      history: [],
      aloneTo: 0,
      index: 'b-index',
    } as const;
    dialled.send({ type: 'peerHello', ...peerHello });
    const { link } = await listener.nextLink();
    const slice = new Uint8Array(256 * 1024).fill(7);
    let left = 64;
    const pump = (): void => {
      while (left > 0) {
        left -= 1;
        if (!dialled.send({ type: 'batch', bytes: slice })) return;
      }
    };
    dialled.onDrain(pump);
    let received = 0;
    const all = new Promise<void>((resolve) => {
      link.onMessage((message) => {
        assert.ok(message.type === 'batch');
        assert.ok(message.bytes.every((byte) => byte === 7));
        received += message.bytes.length;
        if (received === 64 * slice.length) resolve();
      });
    });
    pump();
    await all;
  });
});

suite('a listener with TLS', () => {
  const strangers: [string, () => ConnectionOptions, RegExp][] = [
    ['without a certificate', () => ({}), /it showed no certificate/],
    [
      'with a certificate of another authority',
      () => pem(otherDir, 'controller'),
      /not valid: (SELF_SIGNED|UNABLE_TO|DEPTH)/,
    ],
    [
      "with a node's certificate in place of the controller's",
      () => pem(dir, 'b'),
      /is for hsctl:\/\/realm-7\/node\/b \(expected hsctl:\/\/realm-7\/controller\)/,
    ],
    ['with its own certificate', () => pem(dir, 'a'), /is for hsctl:\/\/realm-7\/node\/a/],
  ];
  for (const [who, options, pattern] of strangers) {
    test(`refuses a peer ${who}, says so and logs it once`, async (t) => {
      const listener = await startNodeA(t);
      for (let count = 0; count < 3; count += 1) {
        const socket = await dialAsStranger(t, listener.port, options());
        socket.write(encodeMessage(hello).head);
        const chunks: Buffer[] = [];
        socket.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(socket, 'close');
        assert.match(Buffer.concat(chunks).toString('latin1'), pattern, 'the peer is told');
      }
      await listener.logged(1);
      assert.equal(listener.lines.length, 1);
      assert.match(String(listener.lines[0]?.fields['reason']), pattern);
      assert.deepEqual(listener.links, [], 'nobody came in');
    });
  }

  test('takes each certificate in its own place only', async (t) => {
    const people: Identity[] = (['operator', 'viewer'] as const).map((role) => ({ role, cluster: CLUSTER, name: 'a' }));
    for (const person of people) await issueCertificate(dir, person);
    const names: Readonly<Record<string, Identity>> = {
      controller: CONTROLLER,
      a: NODE_A,
      b: NODE_B,
      'operator-a': people[0]!,
      'viewer-a': people[1]!,
    };
    // The ports of node a: the controller's, and that of its peer b.
    for (const place of [CONTROLLER, NODE_B]) {
      for (const [name, identity] of Object.entries(names)) {
        const listener = await startNodeA(t, [place]);
        const socket = await dialAsStranger(t, listener.port, pem(dir, name));
        socket.write(encodeMessage(hello).head);
        if (identity === place) {
          await listener.nextLink();
        } else {
          await once(socket.resume(), 'close');
          await listener.logged(1);
        }
        const found = listener.lines.map(({ fields }) => String(fields['reason']));
        const refusal = `its certificate is for ${formatIdentity(identity)} (expected ${formatIdentity(place)})`;
        assert.deepEqual(found, identity === place ? [] : [refusal]);
        socket.destroy();
      }
    }
  });

  test('refuses a certificate whose time is over', async (t) => {
    const expired = await makeAuthority();
    expire(expired, 'controller', formatIdentity(CONTROLLER));
    const listener = await startListener(t, { security: tls(expired, 'a'), expected: [CONTROLLER] });
    const link = await dialNodeA(t, listener.port, 'controller', expired);
    const [refusal] = await collect(link).first(1);
    assert.ok(refusal?.type === 'refusal' && refusal.code === 'identity');
    assert.match(refusal.reason, /CERT_HAS_EXPIRED/);
    await listener.logged(1);
    assert.match(String(listener.lines[0]?.fields['reason']), /CERT_HAS_EXPIRED/);
    assert.deepEqual(listener.links, []);
  });

  test('refuses a node of the same name in another cluster under the same authority', async (t) => {
    const shared = temporaryDirectory();
    await createAuthority(shared, CLUSTER);
    await issueCertificate(shared, NODE_A);
    await issueCertificate(shared, NODE_B);
    signAs(shared, 'b', 'hsctl://realm-8/node/b');
    const listener = await startListener(t, { security: tls(shared, 'a'), expected: [NODE_B] });
    const link = await dialNodeA(t, listener.port, 'b', shared);
    const [refusal] = await collect(link).first(1);
    assert.ok(refusal?.type === 'refusal');
    assert.match(refusal.reason, /is for hsctl:\/\/realm-8\/node\/b/);
  });

  test('speaks nothing older than TLS 1.3, and no plain text', async (t) => {
    const listener = await startNodeA(t);
    const old = await dialAsStranger(t, listener.port, { ...pem(dir, 'controller'), maxVersion: 'TLSv1.2' });
    assert.equal(old.authorized, false);
    assert.ok(old.destroyed);
    const plain = await dial(t, listener.port);
    collect(plain);
    const end = closed(plain);
    plain.send(hello);
    await end;
    await listener.logged(1);
    assert.deepEqual(listener.links, []);
  });
});

suite('dialling with TLS', () => {
  test('goes to nobody but the one who is expected', async (t) => {
    const listener = await startNodeA(t);
    const to = (expected: Identity): Promise<LinkConnection> =>
      dial(t, listener.port, { security: tls(dir, 'controller'), expected });
    await assert.rejects(
      to(NODE_B),
      isCode(
        'unreachable',
        /its certificate is for hsctl:\/\/realm-7\/node\/a \(expected hsctl:\/\/realm-7\/node\/b\)/,
      ),
    );
    await assert.rejects(to({ ...NODE_A, cluster: 'realm-8' }), isCode('unreachable', /realm-8/));
    await assert.rejects(to(CONTROLLER), isCode('unreachable', /realm-7\/controller/));
  });

  test('goes to nobody of another authority', async (t) => {
    const listener = await startNodeA(t);
    await assert.rejects(
      dialNodeA(t, listener.port, 'controller', otherDir),
      isCode('unreachable', /self-signed|unable to/i),
    );
  });

  test('gives up a peer that does not answer', async (t) => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const dialling = dial(t, port, { security: tls(dir, 'controller'), expected: NODE_A, timeoutMs: 30 });
    await assert.rejects(dialling, isCode('timeout', /no answer within 30 ms/));
  });
});

suite('certificates that are replaced', () => {
  test('serve new links, while established ones go on', async (t) => {
    const own = await makeAuthority();
    const credentials = new Credentials(own, 'a');
    const listener = await startListener(t, { security: { kind: 'tls', credentials }, expected: [CONTROLLER] });
    const early = await dialNodeA(t, listener.port, 'controller', own);
    early.send(hello);
    const { link } = await listener.nextLink();
    const received = collect(link);
    const shown = async (): Promise<string> => {
      const socket = await dialAsStranger(t, listener.port, pem(own, 'controller'));
      const { fingerprint256 } = socket.getPeerCertificate();
      socket.destroy();
      return fingerprint256;
    };
    const first = await shown();
    const renewed = await renewCertificate(own, 'a');
    assert.equal(await shown(), first, 'not before it is read');
    assert.equal(credentials.reload(), true);
    assert.equal(await shown(), renewed.fingerprint);
    early.send(hello);
    assert.deepEqual(await received.first(1), [hello], 'the old link still works');
    const late = await dialNodeA(t, listener.port, 'controller', own);
    late.send(hello);
    await listener.nextLink();
  });
});
