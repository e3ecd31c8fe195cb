import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CommandParser } from '../../../src/protocol/resp/command-parser.ts';
import { cutAt, cuts, fuzzRuns, mutated } from './mutations.ts';

interface Parsed {
  readonly commands: string[][];
  readonly error: string | null;
  readonly buffered: number;
}

/** All commands in the pieces, as text; each piece is given in memory of its own, which is destroyed afterwards. */
function parse(pieces: readonly Uint8Array[]): Parsed {
  const parser = new CommandParser();
  const commands: string[][] = [];
  for (const piece of pieces) {
    parser.push(Uint8Array.from(piece));
    while (parser.next()) {
      const { command } = parser;
      commands.push(Array.from({ length: command.count }, (_, index) => command.text(index)));
    }
  }
  return { commands, error: parser.error, buffered: parser.error === null ? parser.buffered : 0 };
}

function encode(...commands: readonly (readonly string[])[]): Buffer {
  const text = commands.map((words) =>
    [`*${words.length}`, ...words.flatMap((word) => [`$${word.length}`, word]), ''].join('\r\n'),
  );
  return Buffer.from(text.join(''), 'latin1');
}

const SAMPLES: readonly { readonly bytes: Buffer; readonly commands: string[][] }[] = [
  { bytes: encode(['SET', 'key', 'value']), commands: [['SET', 'key', 'value']] },
  {
    bytes: encode(['GET', ''], ['DEL', 'a\r\nb', '\0\xff']),
    commands: [
      ['GET', ''],
      ['DEL', 'a\r\nb', '\0\xff'],
    ],
  },
  { bytes: Buffer.from('PING\r\n'), commands: [['PING']] },
  { bytes: Buffer.from('  SET  a\t"b c\\x41\\n\\"" \'d\\\'"\'\n'), commands: [['SET', 'a', 'b cA\n"', 'd\'"']] },
  { bytes: Buffer.from('\r\n*0\r\n*-1\r\n\n'), commands: [] },
  {
    bytes: encode(['MSET', ...Array.from({ length: 100 }, (_, index) => `word${index}`)]),
    commands: [['MSET', ...Array.from({ length: 100 }, (_, index) => `word${index}`)]],
  },
];
const ALL = Buffer.concat(SAMPLES.map(({ bytes }) => bytes));
const ALL_COMMANDS = SAMPLES.flatMap(({ commands }) => commands);

void suite('commands', () => {
  void test('come out whole', () => {
    for (const { bytes, commands } of SAMPLES) {
      assert.deepEqual(parse([bytes]), { commands, error: null, buffered: 0 });
    }
  });

  void test('come out byte by byte', () => {
    assert.deepEqual(parse(Array.from(ALL, (byte) => Uint8Array.of(byte))).commands, ALL_COMMANDS);
  });

  void test('come out at every split', () => {
    for (let at = 0; at <= ALL.length; at++) {
      assert.deepEqual(parse([ALL.subarray(0, at), ALL.subarray(at)]).commands, ALL_COMMANDS);
    }
  });

  void test('come out however they are cut', () => {
    const words = fc.array(
      fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code)) }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(fc.array(words), cuts, (commands, fractions) => {
        assert.deepEqual(parse(cutAt(encode(...commands), fractions)), { commands, error: null, buffered: 0 });
      }),
    );
  });

  void test('a large value that comes in many pieces is whole', () => {
    const value = Buffer.alloc(3_000_000, 'abcdefg').toString('latin1');
    const bytes = encode(['SET', 'before', '1'], ['SET', 'large', value], ['GET', 'after']);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
      bytes.subarray(index * 65_536, (index + 1) * 65_536),
    );
    assert.deepEqual(parse(pieces).commands, [
      ['SET', 'before', '1'],
      ['SET', 'large', value],
      ['GET', 'after'],
    ]);
  });

  void test('one that was taken back is found again, also after more bytes', () => {
    const parser = new CommandParser();
    const bytes = encode(['SET', 'a', '1'], ['SET', 'b', '2'], ['SET', 'c', '3']);
    parser.push(bytes.subarray(0, 60));
    assert.ok(parser.next());
    assert.ok(parser.next());
    parser.rewind();
    parser.push(bytes.subarray(60));
    const keys: string[] = [];
    while (parser.next()) keys.push(parser.command.text(1));
    assert.deepEqual(keys, ['b', 'c']);
  });
});

void suite('bytes that are no commands', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['*x\r\n', 'invalid multibulk length'],
    ['*03\r\n', 'invalid multibulk length'],
    ['*1048577\r\n', 'invalid multibulk length'],
    ['*99999999999999999999\r\n', 'invalid multibulk length'],
    ['*\r\n', 'invalid multibulk length'],
    ['*1\r\nx', "expected '$', got 'x'"],
    ['*1\r\n$-1\r\n', 'invalid bulk length'],
    ['*1\r\n$67108865\r\n', 'invalid bulk length'],
    ['*1\r\n$1\r\nxyz', 'expected CRLF behind an argument'],
    ['GET "a', ''],
    ['GET "a\r\n', 'unbalanced quotes in request'],
    ['GET "a"b\r\n', 'unbalanced quotes in request'],
    ["GET 'a\r\n", 'unbalanced quotes in request'],
    ['x'.repeat(65_537), 'too big inline request'],
    [`${'x'.repeat(65_537)}\n`, 'too big inline request'],
  ];
  for (const [input, problem] of cases) {
    void test(`${JSON.stringify(input.slice(0, 30))}: ${problem || 'waits for more'}`, () => {
      const { error } = parse([Buffer.from(input)]);
      assert.equal(error, problem === '' ? null : `ERR Protocol error: ${problem}`);
    });
  }

  void test('what went before them is still done, what comes behind is not', () => {
    const { commands, error } = parse([Buffer.concat([encode(['PING']), Buffer.from('*x\r\n'), encode(['PING'])])]);
    assert.deepEqual(commands, [['PING']]);
    assert.notEqual(error, null);
  });

  void test('more in one command than fits a batch', () => {
    const parser = new CommandParser();
    const large = new Uint8Array(67_108_864 + 2);
    large.set([13, 10], 67_108_864);
    for (const piece of [Buffer.from('*3\r\n$67108864\r\n'), large, Buffer.from('$67108864\r\n')]) {
      parser.push(piece);
      assert.equal(parser.next(), false);
    }
    assert.equal(parser.error, 'ERR Protocol error: too big command');
  });

  void test('a client without the password may send little', () => {
    for (const [input, problem] of [
      ['*11\r\n', 'unauthenticated multibulk length'],
      ['*1\r\n$16385\r\n', 'unauthenticated bulk length'],
    ] as const) {
      const parser = new CommandParser();
      parser.restricted = true;
      parser.push(Buffer.from(input));
      assert.equal(parser.next(), false);
      assert.equal(parser.error, `ERR Protocol error: ${problem}`);
    }
  });

  void test('mean the same however they are cut', () => {
    fc.assert(
      fc.property(mutated(SAMPLES.map(({ bytes }) => bytes)), cuts, (input, fractions) => {
        const whole = parse([input]);
        assert.deepEqual(parse(cutAt(input, fractions)), whole);
        assert.ok(whole.buffered <= input.length);
      }),
      { numRuns: fuzzRuns },
    );
  });
});
