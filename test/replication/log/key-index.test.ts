import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { Fingerprint, SHARDS, classBytes, sizeClass } from '../../../src/replication/log/fingerprint.ts';
import { KeyIndex } from '../../../src/replication/log/key-index.ts';
import { seeded } from './open-log.ts';
import { tries } from '../../effort.ts';

const RUNS = tries(4_000);

interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly size: number;
}

/** Few tables and few places in them, so that keys get in each other's way. */
const anyKey = fc.record({ a: fc.nat(40), b: fc.nat(2), c: fc.nat(3) }).map(({ a, b, c }) => ({
  a: a > 30 ? 0xffff_ffff - a : a * 0x0700_0000,
  b,
  c: c === 3 ? 0xffc0_0001 : c,
}));
const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), key: anyKey, offset: fc.nat(0xffff_ffff) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('delete' as const), key: anyKey, offset: fc.constant(0) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('move' as const), key: anyKey, offset: fc.nat(0xffff_ffff) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('miss' as const), key: anyKey, offset: fc.nat(0xffff_ffff) }) },
);

/** Another place than this, by the one or the other of its parts. */
function missed({ segment, offset }: Omit<Place, 'size'>, number: number): readonly [number, number] {
  return number % 2 === 0 ? [(segment % 0xffff) + 1, offset] : [segment, offset ^ 1];
}

function scanAll(index: KeyIndex, count: number): string[] {
  const found: string[] = [];
  let cursor = 0;
  do {
    cursor = index.scan(cursor, count, (segment, offset, size) => found.push(`${segment}:${offset}:${size}`));
  } while (cursor !== 0);
  return found;
}

test('it is a map, through growth, gaps and tables that run over their end', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 200, size: 'max' }), (steps) => {
      const index = new KeyIndex();
      const model = new Map<string, Place>();
      for (const [number, { kind, key, offset }] of steps.entries()) {
        const name = `${key.a}/${key.b}/${key.c}`;
        const before = model.get(name);
        const place = { segment: 1 + (number % 0xfffe), offset, size: number & 0xff };
        if (kind === 'set') {
          index.set(key.a, key.b, key.c, place.segment, place.offset, place.size);
          model.set(name, place);
        } else if (kind === 'delete') {
          assert.equal(index.delete(key.a, key.b, key.c), model.delete(name));
        } else {
          const former = before ?? { segment: 1, offset: 0 };
          const [segment, there] = kind === 'move' ? [former.segment, former.offset] : missed(former, number);
          const moves = kind === 'move' && before !== undefined;
          const { a, b, c } = key;
          assert.equal(index.move(a, b, c, segment, there, place.segment, place.offset, place.size), moves);
          if (!moves) continue;
          model.set(name, place);
        }
        assert.equal(index.segment, before?.segment ?? 0, 'what was there before is told');
      }
      assert.equal(index.count, model.size);
      for (const { key } of steps) {
        const place = model.get(`${key.a}/${key.b}/${key.c}`);
        assert.equal(index.find(key.a, key.b, key.c), place !== undefined);
        if (place !== undefined)
          assert.deepEqual({ segment: index.segment, offset: index.offset, size: index.size }, place);
      }
      const places = [...model.values()].map(({ segment, offset, size }) => `${segment}:${offset}:${size}`);
      assert.deepEqual(scanAll(index, 3).toSorted(), places.toSorted());
    }),
    { numRuns: RUNS },
  );
});

test('SCAN gives every key that is there all the time, while others come and go and tables grow', () => {
  const random = seeded(5);
  const index = new KeyIndex();
  const fingerprint = new Fingerprint([1, 2, 3, 4]);
  const put = (number: number): void => {
    const key = Buffer.from(`key-${number}`);
    fingerprint.take(key, 0, key.length);
    index.set(fingerprint.a, fingerprint.b, fingerprint.c, 1, number, 0);
  };
  const remove = (number: number): void => {
    const key = Buffer.from(`key-${number}`);
    fingerprint.take(key, 0, key.length);
    index.delete(fingerprint.a, fingerprint.b, fingerprint.c);
  };
  for (let number = 0; number < 20_000; number++) put(number);
  const seen = new Set<number>();
  let cursor = 0;
  let next = 20_000;
  do {
    cursor = index.scan(cursor, 100, (_segment, offset) => void seen.add(offset));
    for (let more = 0; more < 300; more++) put(next++);
    for (let fewer = 0; fewer < 20; fewer++) remove(10_000 + Math.floor(random() * 10_000));
  } while (cursor !== 0);
  for (let number = 0; number < 10_000; number++) assert.ok(seen.has(number), `key ${number} was there all the time`);
});

test('a key costs at most 24 bytes', () => {
  const index = new KeyIndex();
  const fingerprint = new Fingerprint([1, 2, 3, 4]);
  let most = 0;
  for (let number = 0; number < 300_000; number++) {
    const key = Buffer.from(`key-${number}`);
    fingerprint.take(key, 0, key.length);
    index.set(fingerprint.a, fingerprint.b, fingerprint.c, 1, number, 0);
    if (number > 100_000 && number % 1000 === 0) most = Math.max(most, index.memoryBytes / index.count);
  }
  assert.equal(index.count, 300_000, 'no two fingerprints are the same');
  assert.ok(most <= 24, `${most} bytes a key`);
  for (let shard = 0; shard < SHARDS; shard++) index.trim(shard);
  assert.equal(index.count, 300_000);
});

suite('fingerprints', () => {
  const of = (fingerprint: Fingerprint, text: string): string => {
    const bytes = Buffer.from(`..${text}..`);
    fingerprint.take(bytes, 2, bytes.length - 2);
    return `${fingerprint.a} ${fingerprint.b} ${fingerprint.c}`;
  };

  test('depend on every byte, on the length and on the secret', () => {
    const one = new Fingerprint([1, 2, 3, 4]);
    const texts = ['', '\0', '\0\0', 'a', 'b', 'ab', 'ba', 'abc', 'abcd', 'abcde', 'abcdefgh', 'abcdefgi', '\0bcdefgh'];
    assert.equal(new Set(texts.map((text) => of(one, text))).size, texts.length);
    assert.notEqual(of(one, 'key'), of(new Fingerprint([1, 2, 3, 5]), 'key'));
    assert.equal(of(one, 'key'), of(new Fingerprint([1, 2, 3, 4]), 'key'));
  });

  test('spread similar keys evenly over tables and slots', () => {
    const fingerprint = new Fingerprint([9, 8, 7, 6]);
    const tables = Array.from({ length: 64 }, () => 0);
    const slots = Array.from({ length: 64 }, () => 0);
    for (let number = 0; number < 64_000; number++) {
      of(fingerprint, `user:${number}`);
      tables[fingerprint.c >>> 26]! += 1;
      slots[fingerprint.a >>> 26]! += 1;
    }
    // 1,000 each on average, with a standard deviation of 32.
    for (const count of [...tables, ...slots]) assert.ok(count > 830 && count < 1170, `${count} of 1000`);
  });
});

test('a size class is never less than the size, nor an eighth more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 70 * 1024 * 1024 }), (bytes) => {
      const most = classBytes(sizeClass(bytes));
      assert.ok(most >= bytes && most <= bytes * 1.125, `${most} for ${bytes}`);
      assert.ok(sizeClass(bytes) <= 0xff);
    }),
  );
});
