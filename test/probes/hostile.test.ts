import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { PROBE_KINDS, type ProbeType } from '../../src/config/probe-kinds.ts';
import type { ProbeResult } from '../../src/probes/probe.ts';
import { lookAt, probeOf } from './looks.ts';
import { TestServer } from './servers.ts';

/** Every kind of probe that speaks over TCP, against servers that mean it ill. */

const OPTIONS: Partial<Record<ProbeType, object>> = {
  tcp: { expect: 'ready' },
  http: { contains: 'ready' },
  dns: { name: 'www.example.org', transport: 'tcp' },
  mysql: { user: 'watch' },
  postgres: { user: 'watch' },
};
const WITHOUT_TCP: readonly string[] = ['udp', 'ping', 'exec', 'file'];
const kinds = (Object.keys(PROBE_KINDS) as ProbeType[]).filter((type) => !WITHOUT_TCP.includes(type));

/** More than any probe reads, with what the kernel holds on the way. */
const FAR_TOO_MUCH = 16 * 2 ** 20;

/** What a server may begin with and seem right. */
const BEGINNINGS: Partial<Record<ProbeType, Buffer>> = {
  tcp: Buffer.from('rea'),
  tls: Buffer.from([22, 3, 3, 0, 100, 2]),
  http: Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nrea'),
  https: Buffer.from([22, 3, 3, 0, 100, 2]),
  dns: Buffer.from([0, 60, 1, 2]),
  smtp: Buffer.from('220-hello\r\n220-'),
  redis: Buffer.from('+PO'),
  mysql: Buffer.from([90, 0, 0, 0, 10, 56, 46]),
  postgres: Buffer.from([82, 0, 0, 0, 20, 0]),
  'agent-check': Buffer.from('u'),
};

/** Looks at a server that does `serve` with each connection, until it is done or, for those that wait for ever, the server says `now`. */
async function look(
  type: ProbeType,
  serve: (socket: Socket, waits: () => void) => void,
): Promise<{ result: ProbeResult; closed: boolean }> {
  const stop = new AbortController();
  const closed = Promise.withResolvers<boolean>();
  const server = await TestServer.listen((socket) => {
    socket.resume();
    socket.once('close', () => closed.resolve(true));
    serve(socket, () => stop.abort(new Error('no answer within 1s')));
  });
  try {
    const result = await probeOf(type, OPTIONS[type]).look(server.target, stop.signal);
    return { result, closed: await closed.promise };
  } finally {
    await server.close();
  }
}

function writeForEver(socket: Socket, bytes: Buffer): () => number {
  let written = 0;
  const more = (): void => {
    if (!socket.writable || written > 4 * FAR_TOO_MUCH) return;
    written += bytes.length;
    socket.write(bytes, more);
  };
  more();
  return () => written;
}

describe('a hostile server', () => {
  for (const type of kinds) {
    it(`that is silent costs a ${type} probe its time, no more`, async () => {
      const { result } = await look(type, (_, waits) => setImmediate(waits));
      assert.deepEqual(result, { good: false, detail: 'no answer within 1s' });
    });

    it(`that closes at once gives a ${type} probe a reason in words`, async () => {
      const { result } = await look(type, (socket) => socket.end());
      assert.equal(result.good, false);
      assert.match(result.detail, /clos|hang up|disconnected|reset/);
    });

    it(`that resets the connection gives a ${type} probe a reason in words`, async () => {
      const { result } = await look(type, (socket) => socket.resetAndDestroy());
      assert.equal(result.good, false);
      assert.match(result.detail, /reset|clos|hang up/);
    });

    it(`that drips holds up a ${type} probe until its time is over`, async () => {
      const { result } = await look(type, (socket, waits) => {
        const bytes = BEGINNINGS[type] ?? Buffer.alloc(0);
        const drip = (index: number): void => {
          if (index === bytes.length) return void setImmediate(waits);
          socket.write(bytes.subarray(index, index + 1), () => setImmediate(() => drip(index + 1)));
        };
        drip(0);
      });
      assert.deepEqual(result, { good: false, detail: 'no answer within 1s' });
    });

    for (const [what, garbage] of [
      ['zeroes', Buffer.alloc(65_536)],
      ['ones', Buffer.alloc(65_536, 255)],
      ['a line without end', Buffer.alloc(65_536, 'y')],
      ['short lines', Buffer.from('220-\r\n'.repeat(10_000))],
      ['noise', Buffer.from(Array.from({ length: 65_536 }, (_, index) => (index * 7919 + (index >> 5) * 31) & 255))],
    ] as const) {
      it(`that sends ${what} for ever is cut off by a ${type} probe`, async () => {
        let written = (): number => 0;
        const { result, closed } = await look(type, (socket) => (written = writeForEver(socket, garbage)));
        assert.equal(result.good, false, result.detail);
        assert.match(result.detail, /^[\x20-\x7e]{5,400}$/);
        assert.ok(closed && written() < FAR_TOO_MUCH, `${written()} bytes`);
      });
    }
  }

  it('that forges datagrams is not believed by a dns probe, which goes on to wait', async () => {
    const server = createSocket('udp4');
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    server.on('message', (question, { port, address }) => {
      const answer = Buffer.from(question);
      answer.writeUInt16BE(0x8180, 2);
      answer.writeUInt16BE(1, 6);
      const forged = Buffer.from(answer);
      forged.writeUInt16BE((question.readUInt16BE(0) + 1) & 0xffff);
      const other = Buffer.from(answer);
      other.write('zzz', 13);
      for (const each of [Buffer.alloc(3), question, forged, other, answer]) server.send(each, port, address);
    });
    const { port } = server.address();
    const result = await lookAt({ host: '127.0.0.1', port }, 'dns', { name: 'www.example.org' });
    assert.deepEqual(result, { good: true, detail: '1 record for www.example.org A' });
    await new Promise<void>((resolve) => server.close(resolve));
  });
});
