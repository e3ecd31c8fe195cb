import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { CommandParser } from '../../../src/protocol/resp/command-parser.ts';
import { LARGE_BYTES } from '../../../src/protocol/resp/limits.ts';
import { tries } from '../../effort.ts';
import { cutAt, cuts, mutated } from './mutations.ts';

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

/** Told in one word: the difference of two large values fills the screen. */
function sameCommands(found: readonly string[][], expected: readonly string[][]): boolean {
  return JSON.stringify(found) === JSON.stringify(expected);
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

  const LARGE = Buffer.from(Array.from({ length: LARGE_BYTES + 5000 }, (_, at) => 32 + ((at * 7) % 95))).toString(
    'latin1',
  );
  const WITH_LARGE: readonly string[][] = [
    ['SET', 'large', LARGE],
    ['GET', 'between'],
    ['MSET', 'one', LARGE, 'two', 'small', 'three', LARGE, 'four', 'last'],
    ['SET', 'large', LARGE, 'NX'],
    [LARGE],
    ['PING'],
  ];

  void test('large arguments come out whole however they are cut', () => {
    const bytes = encode(...WITH_LARGE);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { maxLength: 30 }), (places) => {
        const fractions = places.map((place) => place / bytes.length);
        const { commands, error, buffered } = parse(cutAt(bytes, fractions));
        assert.deepEqual({ error, buffered }, { error: null, buffered: 0 });
        assert.ok(sameCommands(commands, WITH_LARGE));
      }),
      { numRuns: 30 },
    );
    const ends = [...bytes.keys()].filter((at) => bytes[at] === 10).map((at) => [at - 1, at, at + 1]);
    for (const places of ends) {
      const fractions = places.map((place) => place / bytes.length);
      assert.ok(sameCommands(parse(cutAt(bytes, fractions)).commands, WITH_LARGE));
    }
  });

  void test('a large argument is not copied: its pieces are what came in, and small ones gathered', () => {
    const parser = new CommandParser();
    const value = Buffer.alloc(40 * 65_536, 'large');
    parser.push(Buffer.from(`*3\r\n$3\r\nSET\r\n$1\r\na\r\n$${value.length}\r\n`));
    assert.equal(parser.next(), false);
    for (let at = 0; at < value.length; at += 65_536) parser.push(value.subarray(at, at + 65_536));
    parser.push(Buffer.from('\r\n'));
    assert.ok(parser.next());
    value.fill('LARGE');
    assert.ok(
      parser.command
        .pieces(2)
        ?.toBytes()
        .every((byte, at) => byte === value[at]),
    );
  });

  void test('what a large argument takes is what has come of it', () => {
    const parser = new CommandParser();
    parser.push(Buffer.from('*3\r\n$3\r\nSET\r\n$1\r\na\r\n$67108864\r\n'));
    assert.equal(parser.next(), false);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 10_000; count++) parser.push(Uint8Array.of(120));
    assert.ok(process.memoryUsage().arrayBuffers - before < 1024 * 1024);
    assert.ok(parser.buffered > 10_000 && parser.buffered < 11_000);
  });

  void test('one with a large argument that was taken back is found again, also after more bytes', () => {
    const parser = new CommandParser();
    const bytes = encode(['SET', 'a', LARGE], ['SET', 'b', '2']);
    for (let at = 0; at < bytes.length - 5; at += 30_000) {
      parser.push(bytes.subarray(at, Math.min(at + 30_000, bytes.length - 5)));
    }
    assert.ok(parser.next());
    parser.rewind();
    assert.ok(parser.buffered > LARGE.length);
    parser.push(bytes.subarray(bytes.length - 5));
    assert.ok(parser.next());
    assert.equal(parser.command.text(2), LARGE);
    assert.ok(parser.next());
    assert.equal(parser.command.text(1), 'b');
    assert.equal(parser.next(), false);
    assert.equal(parser.buffered, 0);
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

  void test('what follows a large argument has to be a line end', () => {
    for (const end of ['xx', '\rx']) {
      const parser = new CommandParser();
      parser.push(Buffer.from('*1\r\n$70000\r\n'));
      assert.equal(parser.next(), false);
      parser.push(Buffer.from(`${'x'.repeat(70_000)}${end}`));
      assert.equal(parser.next(), false);
      assert.equal(parser.error, 'ERR Protocol error: expected CRLF behind an argument');
    }
  });

  void test('mean the same however they are cut', () => {
    fc.assert(
      fc.property(mutated(SAMPLES.map(({ bytes }) => bytes)), cuts, (input, fractions) => {
        const whole = parse([input]);
        assert.deepEqual(parse(cutAt(input, fractions)), whole);
        assert.ok(whole.buffered <= input.length);
      }),
      { numRuns: tries(40_000) },
    );
  });
});
