import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { HsctlError } from '../../../src/kit/errors.ts';
import { PushMessage, type Reply, ReplyError, ReplyMap, RespDecoder } from '../../../src/protocol/resp/resp-decoder.ts';
import { RespWriter } from '../../../src/protocol/resp/resp-writer.ts';
import { tries } from '../../effort.ts';
import { cutAt, cuts, mutated } from './mutations.ts';

function decode(pieces: readonly Uint8Array[]): Reply[] {
  const decoder = new RespDecoder(1_000_000);
  const replies: Reply[] = [];
  for (const piece of pieces) {
    decoder.push(Uint8Array.from(piece));
    for (let reply = decoder.next(); reply !== undefined; reply = decoder.next()) replies.push(reply);
  }
  return replies;
}

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

const SAMPLES: readonly (readonly [string, Reply])[] = [
  ['+OK\r\n', 'OK'],
  ['+\r\n', ''],
  ['-ERR no\r\n', new ReplyError('ERR no')],
  [':-12\r\n', -12],
  ['$-1\r\n', null],
  ['*-1\r\n', null],
  ['_\r\n', null],
  ['$0\r\n\r\n', bytes('')],
  ['$4\r\na\r\nb\r\n', bytes('a\r\nb')],
  ['#t\r\n', true],
  ['#f\r\n', false],
  [',1.5\r\n', 1.5],
  [',-inf\r\n', -Infinity],
  ['(123456789012345678901234567890\r\n', 123456789012345678901234567890n],
  ['!5\r\nERR x\r\n', new ReplyError('ERR x')],
  ['=8\r\ntxt:text\r\n', 'text'],
  ['*0\r\n', []],
  ['*3\r\n:1\r\n*2\r\n+a\r\n*0\r\n_\r\n', [1, ['a', []], null]],
  ['~2\r\n:1\r\n:2\r\n', [1, 2]],
  ['%2\r\n+a\r\n:1\r\n+b\r\n%0\r\n', new ReplyMap(['a', 1, 'b', new ReplyMap([])])],
  ['>2\r\n+message\r\n:1\r\n', new PushMessage(['message', 1])],
  ['|1\r\n+ttl\r\n:3\r\n:7\r\n', 7],
  ['|0\r\n*2\r\n|1\r\n+a\r\n+b\r\n:7\r\n:8\r\n', [7, 8]],
];
const ALL = Buffer.from(SAMPLES.map(([text]) => text).join(''), 'latin1');
const REPLIES = SAMPLES.map(([, reply]) => reply);

void suite('replies', () => {
  void test('come out whole', () => {
    for (const [text, reply] of SAMPLES) assert.deepEqual(decode([Buffer.from(text, 'latin1')]), [reply], text);
  });

  void test('come out byte by byte', () => {
    assert.deepEqual(decode(Array.from(ALL, (byte) => Uint8Array.of(byte))), REPLIES);
  });

  void test('come out at every split', () => {
    for (let at = 0; at <= ALL.length; at++) {
      assert.deepEqual(decode([ALL.subarray(0, at), ALL.subarray(at)]), REPLIES);
    }
  });

  void test('that the writer wrote are read as what was written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.maxSafeInteger(), fc.uint8Array(), fc.constant(null), fc.array(fc.nat()))),
        fc.constantFrom(2 as const, 3 as const),
        cuts,
        (values, version, fractions) => {
          const writer = new RespWriter();
          writer.version = version;
          for (const value of values) {
            if (value === null) writer.null();
            else if (typeof value === 'number') writer.integer(value);
            else if (value instanceof Uint8Array) writer.bulk(value);
            else {
              writer.array(value.length);
              for (const item of value) writer.integer(item);
            }
          }
          assert.deepEqual(decode(cutAt(writer.take(writer.position, Infinity), fractions)), values);
        },
      ),
    );
  });

  void test('of which no bytes are lost when later ones come: views stay good', () => {
    const decoder = new RespDecoder();
    decoder.push(Buffer.from('$3\r\nabc\r\n$3\r\nde'));
    const first = decoder.next();
    assert.equal(decoder.next(), undefined);
    decoder.push(Buffer.from('f\r\n$3\r\nghi\r\n'));
    const second = decoder.next();
    decoder.push(Buffer.from('$3\r\nxyz\r\n'));
    assert.deepEqual([first, second], [Buffer.from('abc'), bytes('def')]);
  });
});

void suite('bytes that are no replies', () => {
  for (const text of [
    'x\r\n',
    '\r\n',
    '+OK\n',
    ':1x\r\n',
    ':\r\n',
    '$-2\r\n',
    '$9999999\r\n',
    '$1\r\nabcd',
    '*-2\r\n',
    '(1.5\r\n',
    '*99999999\r\n',
    '*1\r\n'.repeat(40),
    `+${'x'.repeat(70_000)}`,
  ]) {
    void test(JSON.stringify(text.slice(0, 20)), () => {
      assert.throws(
        () => decode([Buffer.from(text)]),
        (error) => error instanceof HsctlError && error.code === 'format',
      );
    });
  }

  void test('mutated: an HsctlError at worst, and the same however they are cut', () => {
    const outcome = (pieces: readonly Uint8Array[]): unknown => {
      try {
        return decode(pieces);
      } catch (error) {
        assert.ok(error instanceof HsctlError, String(error));
        return error.message;
      }
    };
    fc.assert(
      fc.property(mutated(SAMPLES.map(([text]) => Buffer.from(text, 'latin1'))), cuts, (input, fractions) => {
        assert.deepEqual(outcome(cutAt(input, fractions)), outcome([input]));
      }),
      { numRuns: tries(40_000) },
    );
  });
});
