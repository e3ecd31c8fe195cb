import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, suite, test } from 'node:test';
import { LOG_START } from '../../../src/model/position.ts';
import { Fingerprint } from '../../../src/replication/log/fingerprint.ts';
import { replay } from './check-log.ts';
import { TestStore } from './open-log.ts';

suite('keys with the same fingerprint', () => {
  let store: TestStore;

  /** From here on a key's fingerprint is its first letter. */
  beforeEach(() => {
    mock.method(Fingerprint.prototype, 'take', function (this: Fingerprint, bytes: Uint8Array, at: number) {
      this.a = this.b = this.c = bytes[at]!;
    });
    store = new TestStore({ segmentBytes: 200 });
  });

  afterEach(() => mock.restoreAll());

  const lengthOf = (key: string): number => store.log.valueLength(Buffer.from(key));
  const keys = (): string[] => store.log.scan(0, 100).keys.map((key) => Buffer.from(key).toString());

  test('are never given one for the other, nor is one deleted for the other', () => {
    store.set('apple', 'red');
    store.set('banana', 'yellow');
    assert.deepEqual([store.get('avocado'), lengthOf('avocado')], [null, -1]);
    assert.deepEqual([store.get('apple'), lengthOf('apple')], ['red', 3]);
  });

  test('take each other’s place in the index: what is read by key is the later one', async () => {
    store.set('apple', 'red');
    store.set('avocado', 'green');
    const check = (): void => {
      assert.deepEqual([store.get('apple'), store.get('avocado')], [null, 'green']);
      assert.deepEqual([store.log.count, keys()], [1, ['avocado']]);
    };
    check();
    await store.log.close();
    store.open();
    check();
  });

  test('are both read by those who read the log, until it is compacted', async () => {
    store.set('apple', 'red');
    store.set('avocado', 'green');
    const state = async (): Promise<Map<string, string>> => await replay(store.log, LOG_START.seq, new Map(), 1000);
    assert.deepEqual(
      await state(),
      new Map([
        ['apple', 'red'],
        ['avocado', 'green'],
      ]),
    );
    for (let number = 0; number < 60; number++) store.set('banana', `yellow ${number}`);
    store.log.setConfirmed(store.log.end.seq);
    await store.log.sync();
    while (await store.log.compact());
    assert.deepEqual(
      await state(),
      new Map([
        ['avocado', 'green'],
        ['banana', 'yellow 59'],
      ]),
    );
    assert.deepEqual([store.get('avocado'), store.get('apple')], ['green', null]);
    assert.deepEqual(store.troubles, []);
  });
});

test('every part of a fingerprint tells keys apart as well as chance would', () => {
  const KEYS = 200_000;
  const BITS = 30;
  const fingerprint = new Fingerprint([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]);
  const parts = {
    a: () => fingerprint.a >>> 2,
    b: () => fingerprint.b >>> 2,
    'low ends of a and b': () => (fingerprint.a & 0x7fff) | ((fingerprint.b & 0x7fff) << 15),
    'c and a': () => (fingerprint.c >>> 22) | ((fingerprint.c & 0xff) << 10) | ((fingerprint.a & 0xfff) << 18),
  };
  const seen = Object.fromEntries(Object.keys(parts).map((name) => [name, new Set<number>()]));
  for (let number = 0; number < KEYS; number++) {
    const key = Buffer.from(`key:${String(number).padStart(12, '0')}`);
    fingerprint.take(key, 0, key.length);
    for (const [name, part] of Object.entries(parts)) seen[name]!.add(part());
  }
  const expected = KEYS ** 2 / 2 ** (BITS + 1);
  for (const [name, values] of Object.entries(seen)) {
    const pairs = KEYS - values.size;
    // Five standard deviations.
    assert.ok(Math.abs(pairs - expected) <= 5 * Math.sqrt(expected), `${name}: ${pairs} pairs instead of ${expected}`);
  }
});
