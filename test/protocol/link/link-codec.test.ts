import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { HsctlError } from '../../../src/kit/errors.ts';
import { LinkDecoder } from '../../../src/protocol/link/decode.ts';
import { encodeMessage } from '../../../src/protocol/link/encode.ts';
import { FRAME_TYPES, SLICE_LIMIT_BYTES } from '../../../src/protocol/link/frames.ts';
import type { LinkMessage } from '../../../src/protocol/link/messages.ts';
import { tries } from '../../effort.ts';
import { anyConversation } from './arbitrary-messages.ts';

const hello: LinkMessage = {
  type: 'hello',
  versions: { oldest: 1, newest: 1 },
  cluster: 'realm-7',
  group: 'world',
  node: 'a',
  instance: 'x',
};
const peerHello: LinkMessage = {
  ...hello,
  type: 'peerHello',
  role: 'slave',
  epoch: 1,
  renouncedEpoch: 0,
  end: { epoch: 0, seq: 0, hash: 0 },
  history: [],
  aloneTo: 0,
  index: 'b-index',
};

function encodeAll(messages: readonly LinkMessage[]): Buffer {
  return Buffer.concat(
    messages.flatMap((message) => {
      const { head, payload } = encodeMessage(message);
      return payload === null ? [head] : [head, payload];
    }),
  );
}

/** All messages that come of the chunks; slices of one stretch of log bytes are joined, for comparison. */
function decodeAll(chunks: readonly Uint8Array[]): LinkMessage[] {
  const decoder = new LinkDecoder();
  const messages: LinkMessage[] = [];
  for (const chunk of chunks) {
    decoder.feed(chunk);
    for (let message = decoder.next(); message !== null; message = decoder.next()) messages.push(message);
  }
  return joinSlices(messages);
}

function joinSlices(messages: readonly LinkMessage[]): LinkMessage[] {
  const joined: LinkMessage[] = [];
  for (const message of messages) {
    const last = joined.at(-1);
    const { type } = message;
    if (type !== 'batch' && type !== 'hint') {
      joined.push(message);
    } else if (type === last?.type) {
      joined[joined.length - 1] = { type, bytes: new Uint8Array([...last.bytes, ...message.bytes]) };
    } else {
      joined.push({ type, bytes: new Uint8Array(message.bytes) });
    }
  }
  return joined;
}

function formatError(pattern: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof HsctlError && error.code === 'format' && pattern.test(error.message);
}

function rawFrame(code: number, body: Uint8Array, length = body.length + 1): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(length);
  head[4] = code;
  return Buffer.concat([head, body]);
}

suite('link codec', () => {
  test('every conversation comes back, whole, byte by byte, and split anywhere', () => {
    fc.assert(
      fc.property(anyConversation, fc.array(fc.nat(), { maxLength: 6 }), (messages, cuts) => {
        const bytes = encodeAll(messages);
        const expected = joinSlices(messages);
        assert.deepEqual(decodeAll([bytes]), expected);
        assert.deepEqual(decodeAll(Array.from(bytes, (byte) => Uint8Array.of(byte))), expected);
        const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
        const chunks = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        assert.deepEqual(decodeAll(chunks), expected);
      }),
    );
  });

  test('each split into two of one conversation of each kind', () => {
    fc.assert(
      fc.property(anyConversation, (messages) => {
        const bytes = encodeAll(messages);
        const expected = joinSlices(messages);
        for (let cut = 0; cut <= bytes.length; cut += 1) {
          assert.deepEqual(decodeAll([bytes.subarray(0, cut), bytes.subarray(cut)]), expected);
        }
      }),
      { numRuns: 5 },
    );
  });

  test('mutated input gives messages or a format error, and nothing after the error', () => {
    const mutation = fc.record({ at: fc.nat(), by: fc.integer({ min: 1, max: 255 }) });
    fc.assert(
      fc.property(
        anyConversation,
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        fc.nat(),
        (said, mutations, end) => {
          const bytes = encodeAll(said);
          for (const { at, by } of mutations) bytes[at % bytes.length]! ^= by;
          const decoder = new LinkDecoder();
          decoder.feed(bytes.subarray(0, end % (bytes.length + 1)));
          try {
            while (decoder.next() !== null);
          } catch (error) {
            assert.ok(error instanceof HsctlError, `not ours: ${String(error)}`);
            assert.equal(error.code, 'format');
            assert.throws(() => decoder.next(), error);
          }
        },
      ),
      { numRuns: tries(40_000) },
    );
  });

  test('the log bytes of a batch are copied neither when sent nor when received', () => {
    const bytes = new Uint8Array(100_000).fill(7);
    assert.equal(encodeMessage({ type: 'batch', bytes }).payload, bytes);
    const chunk = encodeAll([peerHello, { type: 'batch', bytes }]);
    const decoder = new LinkDecoder();
    decoder.feed(chunk.subarray(0, 50_000));
    decoder.next();
    const message = decoder.next();
    assert.ok(message?.type === 'batch');
    assert.equal(message.bytes.buffer, chunk.buffer);
  });

  test('what was kept outlives the chunk that it came in', () => {
    const bytes = encodeAll([peerHello, { type: 'ack', epoch: 1, seq: 2 }, { type: 'ack', epoch: 1, seq: 3 }]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const decoder = new LinkDecoder();
      const seqs: number[] = [];
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
        const chunk = Buffer.from(piece);
        decoder.feed(chunk);
        const first = decoder.next();
        decoder.keep();
        chunk.fill(0xff);
        for (let message = first; message !== null; message = decoder.next()) {
          if (message.type === 'ack') seqs.push(message.seq);
        }
      }
      assert.deepEqual(seqs, [2, 3]);
    }
  });

  test('a batch is given out as it comes, before its frame is complete', () => {
    const decoder = new LinkDecoder();
    decoder.feed(encodeAll([peerHello]));
    decoder.next();
    decoder.feed(rawFrame(8, Uint8Array.of(1, 2), SLICE_LIMIT_BYTES));
    assert.deepEqual(decoder.next(), { type: 'batch', bytes: Buffer.from([1, 2]) });
    assert.equal(decoder.next(), null);
  });

  test('a slice above the limit is not sent', () => {
    const bytes = new Uint8Array(SLICE_LIMIT_BYTES + 1);
    assert.throws(() => encodeMessage({ type: 'batch', bytes }), formatError(/batch: 1048577 bytes, allowed are 1 to/));
  });

  test('type bytes and names are unique', () => {
    assert.equal(new Set(FRAME_TYPES.map((frame) => frame.code)).size, FRAME_TYPES.length);
    assert.equal(new Set(FRAME_TYPES.map((frame) => frame.type)).size, FRAME_TYPES.length);
  });
});

suite('what the decoder refuses', () => {
  const refused: [string, Buffer, RegExp][] = [
    ['an unknown type', rawFrame(99, Uint8Array.of(1)), /no message has the type 99/],
    ['a frame before the hello', rawFrame(9, new Uint8Array(16)), /the first message is ack, not a hello/],
    ['text', Buffer.from('GET / HTTP/1.1\r\n\r\n'), /no message has the type 47/],
    [
      'a hello of more than 64 KiB',
      rawFrame(1, Uint8Array.of(), 64 * 1024 + 2),
      /hello: 65537 bytes, allowed are 2 to 65536/,
    ],
    ['a frame of no length', rawFrame(1, Uint8Array.of(), 0), /hello: -1 bytes/],
    ['the greatest length', rawFrame(1, Uint8Array.of(), 0xffff_ffff), /hello: 4294967294 bytes/],
    ['a hello that is no JSON', rawFrame(1, Buffer.from('{"a')), /hello: not JSON in UTF-8/],
    ['a hello that is no UTF-8', rawFrame(1, Buffer.from([0x22, 0xff, 0x22])), /hello: not JSON in UTF-8/],
    ['a hello without its fields', rawFrame(1, Buffer.from('{}')), /hello: versions: /],
    ['a hello with strange fields', rawFrame(1, Buffer.from(JSON.stringify(hello))), /hello: .*type/],
    [
      'control messages on a peer link',
      Buffer.concat([encodeAll([peerHello]), rawFrame(3, new Uint8Array(41))]),
      /beat has no place on a peer link/,
    ],
    [
      'peer messages on a control link',
      Buffer.concat([encodeAll([hello]), rawFrame(8, new Uint8Array(1))]),
      /batch has no place on a control link/,
    ],
    [
      'an ack of a wrong length',
      Buffer.concat([encodeAll([peerHello]), rawFrame(9, new Uint8Array(15))]),
      /ack: 15 bytes, allowed are 16 to 16/,
    ],
    ['an ack of half a record', peerBinary(9, [1, 1.5]), /ack: seq is 1.5/],
    ['an ack below nothing', peerBinary(9, [-1, 1]), /ack: epoch is -1/],
    ['an ack beyond exact numbers', peerBinary(9, [1, 2 ** 53]), /ack: seq is 9007199254740992/],
    ['a grant of no time', peerBinary(4, [Number.NaN, 1, 1, 0]), /grant: echoedSentAtMs is NaN/],
    ['an endless grant', peerBinary(4, [0, 1, Number.POSITIVE_INFINITY, 0]), /grant: leaseMs is Infinity/],
    ['a grant of less than nothing', peerBinary(4, [0, 1, -1, 0]), /grant: leaseMs is -1/],
    ['a grant that lingers for less than nothing', peerBinary(4, [0, 1, 1, -1]), /grant: lingerMs is -1/],
    [
      'unknown flags',
      Buffer.concat([encodeAll([peerHello]), rawFrame(10, new Uint8Array(25).fill(2, 24))]),
      /ping: flags 0x2/,
    ],
  ];

  for (const [what, bytes, pattern] of refused) {
    test(what, () => assert.throws(() => decodeAll([bytes]), formatError(pattern)));
  }

  test('a refusal may stand in place of a hello', () => {
    const refusal: LinkMessage = { type: 'refusal', code: 'busy', reason: 'too many links' };
    assert.deepEqual(decodeAll([encodeAll([refusal])]), [refusal]);
  });
});

function peerBinary(code: number, numbers: readonly number[]): Buffer {
  const body = Buffer.alloc(8 * numbers.length);
  numbers.forEach((value, index) => body.writeDoubleLE(value, 8 * index));
  return Buffer.concat([encodeAll([peerHello]), rawFrame(code, body)]);
}
