import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { RespWriter } from '../../../src/protocol/resp/resp-writer.ts';

function written(version: 2 | 3, write: (writer: RespWriter) => void): string {
  const writer = new RespWriter();
  writer.version = version;
  write(writer);
  return Buffer.from(writer.take(writer.position, Infinity)).toString('latin1');
}

void suite('what is written', () => {
  const cases: readonly (readonly [string, (writer: RespWriter) => void, string, string])[] = [
    ['OK', (w) => w.ok(), '+OK\r\n', '+OK\r\n'],
    ['an error with line ends', (w) => w.error('ERR a\r\nb\xe9\u20ac'), '-ERR a  b\xe9?\r\n', '-ERR a  b\xe9?\r\n'],
    ['0', (w) => w.integer(0), ':0\r\n', ':0\r\n'],
    [
      'numbers',
      (w) => [9, 10, 99, 100, 123_456, 999_999].forEach((n) => w.integer(n)),
      ':9\r\n:10\r\n:99\r\n:100\r\n:123456\r\n:999999\r\n',
      ':9\r\n:10\r\n:99\r\n:100\r\n:123456\r\n:999999\r\n',
    ],
    [
      'large and negative',
      (w) => [1_000_000, 2 ** 53 - 1, -7].forEach((n) => w.integer(n)),
      ':1000000\r\n:9007199254740991\r\n:-7\r\n',
      ':1000000\r\n:9007199254740991\r\n:-7\r\n',
    ],
    ['bytes', (w) => w.bulk(Uint8Array.of(0, 255)), '$2\r\n\0\xff\r\n', '$2\r\n\0\xff\r\n'],
    ['text', (w) => w.text('\u00e9'), '$2\r\n\xc3\xa9\r\n', '$2\r\n\xc3\xa9\r\n'],
    ['verbatim text', (w) => w.verbatim('a'), '$1\r\na\r\n', '=5\r\ntxt:a\r\n'],
    ['null', (w) => w.null(), '$-1\r\n', '_\r\n'],
    ['no array', (w) => w.nullArray(), '*-1\r\n', '_\r\n'],
    ['map', (w) => w.map(2), '*4\r\n', '%2\r\n'],
    ['set', (w) => w.set(2), '*2\r\n', '~2\r\n'],
    ['push', (w) => w.push(3), '*3\r\n', '>3\r\n'],
  ];
  for (const [name, write, two, three] of cases) {
    void test(name, () => {
      assert.equal(written(2, write), two);
      assert.equal(written(3, write), three);
    });
  }
});

void suite('the buffer', () => {
  void test('gives its bytes in pieces, whatever grows meanwhile', () => {
    const writer = new RespWriter();
    const pieces: Buffer[] = [];
    let expected = '';
    for (let round = 0; round < 2000; round++) {
      writer.integer(round);
      writer.bulk(Buffer.alloc(round % 700, round));
      expected += `:${round}\r\n$${round % 700}\r\n${Buffer.alloc(round % 700, round).toString('latin1')}\r\n`;
      if (round % 3 === 0) pieces.push(Buffer.from(writer.take(writer.position, 500)));
      if (round % 100 === 0) writer.recycle();
    }
    pieces.push(Buffer.from(writer.take(writer.position, Infinity)));
    assert.equal(Buffer.concat(pieces).toString('latin1'), expected);
    assert.equal(writer.position, expected.length);
    assert.equal(writer.length, 0);
  });

  void test('does not write over a piece before it is told that the piece was used', () => {
    const writer = new RespWriter();
    writer.text('first');
    const piece = writer.take(writer.position, Infinity);
    for (let round = 0; round < 1000; round++) writer.text('other');
    assert.equal(Buffer.from(piece).toString(), '$5\r\nfirst\r\n');
  });

  void test('unwrites what stands behind a position', () => {
    const writer = new RespWriter();
    writer.ok();
    const { position } = writer;
    writer.array(3);
    writer.integer(1);
    writer.truncate(position);
    writer.integer(2);
    assert.equal(Buffer.from(writer.take(writer.position, Infinity)).toString(), '+OK\r\n:2\r\n');
  });
});
