import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { HsctlError } from '../../../src/kit/errors.ts';
import { BatchBuilder } from '../../../src/protocol/batch/batch-builder.ts';
import { BatchCursor } from '../../../src/protocol/batch/batch-cursor.ts';
import { rollingHash, writeHeader } from '../../../src/protocol/batch/batch-header.ts';
import { checkBatch, checkSingleBatch } from '../../../src/protocol/batch/check-batch.ts';
import { BATCH_HEADER_BYTES, BATCH_SOFT_LIMIT_BYTES, OP } from '../../../src/protocol/batch/layout.ts';
import { SparseBatchBuilder, trimmedBatch } from '../../../src/protocol/batch/sparse-batch.ts';
import { tries } from '../../effort.ts';
import { addAll, anyRecords, batchOf, recordsOf } from './samples.ts';

const RUNS = tries(6_000);

const numbered = <T>(records: readonly T[], firstSeq: number): (T & { seq: number })[] =>
  records.map((record, index) => ({ ...record, seq: firstSeq + index }));

test('what was put in comes out, in order and numbered', () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(), fc.nat(), fc.nat(), (records, epoch, before, hash) => {
      const cursor = checkSingleBatch(batchOf(records, epoch, before + 1, hash));
      assert.equal(cursor.header.epoch, epoch);
      assert.equal(cursor.header.lastSeq, before + records.length);
      assert.deepEqual(recordsOf(cursor), numbered(records, before + 1));
    }),
    { numRuns: RUNS },
  );
});

test('the layout is the one in layout.ts, byte for byte', () => {
  const bytes = batchOf([{ op: OP.set, key: 'k', value: 'vw' }], 3, 7, 0);
  const hex = Buffer.from(bytes).toString('hex');
  const magicToReserved = '4853423101000000';
  const epochAndSeq = '00000000000008400000000000001c40';
  const countAndBytes = '010000000b000000';
  assert.equal(hex.slice(0, 64), magicToReserved + epochAndSeq + countAndBytes);
  assert.equal(hex.slice(96), '0100010002000000' + Buffer.from('kvw').toString('hex'));
});

test('batches made one after the other do not touch each other', () => {
  const builder = new BatchBuilder();
  const made: { bytes: Uint8Array; copy: Uint8Array }[] = [];
  let hash = 0;
  for (let number = 0; number < 200; number++) {
    addAll(builder, [{ op: OP.set, key: `key-${number}`, value: 'v'.repeat(number * 400) }]);
    const bytes = builder.finish(1, number + 1, hash);
    assert.equal(checkSingleBatch(bytes).header.hash, rollingHash(bytes, hash));
    ({ hash } = checkSingleBatch(bytes).header);
    made.push({ bytes, copy: bytes.slice() });
  }
  for (const { bytes, copy } of made) assert.deepEqual(bytes, copy);
});

test('a batch that is not needed makes room for the next, and leaves those that are alone', () => {
  const builder = new BatchBuilder();
  const needed: { bytes: Uint8Array; copy: Uint8Array }[] = [];
  let places = 0;
  for (let number = 0; number < 300; number++) {
    addAll(builder, [{ op: OP.set, key: `key-${number}`, value: 'v'.repeat((number * 7919) % 60_000) }]);
    const bytes = builder.finish(1, number + 1, 0);
    checkSingleBatch(bytes);
    if (number % 3 === 0) needed.push({ bytes, copy: bytes.slice() });
    else builder.recycle();
    const before = needed.at(-1)?.bytes;
    if (bytes.buffer === before?.buffer && bytes.byteOffset > before.byteOffset) places += 1;
  }
  for (const { bytes, copy } of needed) assert.deepEqual(bytes, copy);
  assert.ok(places > 150);
});

test('a record added before a batch is given back keeps its place', () => {
  const builder = new BatchBuilder();
  addAll(builder, [{ op: OP.set, key: 'one', value: 'first' }]);
  const first = builder.finish(1, 1, 0);
  addAll(builder, [{ op: OP.set, key: 'two', value: 'second' }]);
  builder.recycle();
  const second = builder.finish(1, 2, 0);
  assert.deepEqual(
    recordsOf(checkSingleBatch(first)).map(({ key }) => key),
    ['one'],
  );
  assert.deepEqual(
    recordsOf(checkSingleBatch(second)).map(({ key }) => key),
    ['two'],
  );
});

test('a value larger than a slab survives the moves of the buffer', () => {
  const value = 'x'.repeat(9 * 1024 * 1024);
  const cursor = checkSingleBatch(
    batchOf([
      { op: OP.set, key: 'small', value: 'before' },
      { op: OP.set, key: 'large', value },
    ]),
  );
  assert.deepEqual(
    recordsOf(cursor).map((record) => record.value.length),
    [6, value.length],
  );
});

test('a value that is put in later makes the same batch', () => {
  const builder = new BatchBuilder();
  const key = Buffer.from('large');
  const value = Buffer.alloc(300_000, 'value');
  builder.setLater(key, 0, key.length, value.length).set(value);
  addAll(builder, [{ op: OP.set, key: 'behind', value: '2' }]);
  const expected = batchOf([
    { op: OP.set, key: 'large', value: value.toString() },
    { op: OP.set, key: 'behind', value: '2' },
  ]);
  const { epoch, firstSeq } = checkSingleBatch(expected).header;
  assert.deepEqual(
    recordsOf(checkSingleBatch(builder.finish(epoch, firstSeq, 0))),
    recordsOf(checkSingleBatch(expected)),
  );
});

test('a transaction whose length is told is not moved while it grows', () => {
  const builder = new BatchBuilder();
  const value = Buffer.alloc(10 * 1024 * 1024);
  builder.beginAtomic(3 * value.length + 300);
  const key = Buffer.from('key');
  const places = [1, 2, 3].map(() => builder.setLater(key, 0, key.length, value.length));
  assert.deepEqual(new Set(places.map(({ buffer }) => buffer)).size, 1);
});

test('an aborted transaction leaves what was there before', () => {
  const builder = new BatchBuilder();
  addAll(builder, [{ op: OP.set, key: 'kept', value: '1' }]);
  builder.beginAtomic();
  addAll(builder, [{ op: OP.set, key: 'dropped', value: '2'.repeat(BATCH_SOFT_LIMIT_BYTES) }]);
  assert.equal(builder.full, false, 'a batch is not finished within a transaction');
  builder.abortAtomic();
  const records = recordsOf(checkSingleBatch(builder.finish(1, 1, 0)));
  assert.deepEqual(
    records.map(({ key }) => key),
    ['kept'],
  );
});

test('too long keys and values are refused and leave nothing behind', () => {
  const builder = new BatchBuilder();
  const bytes = new Uint8Array(70_000);
  assert.throws(() => builder.set(bytes, 0, 65_536, 0, 0), { name: 'HsctlError', code: 'refused' });
  assert.equal(builder.count, 0);
  assert.equal(builder.payloadBytes, 0);
});

test('every split: no prefix of a batch passes for a batch', () => {
  fc.assert(
    fc.property(anyRecords, (records) => {
      const bytes = batchOf(records);
      for (let length = 0; length < bytes.length; length++) {
        assert.throws(() => checkSingleBatch(bytes.subarray(0, length)), { name: 'HsctlError', code: 'format' });
      }
    }),
    { numRuns: Math.ceil(RUNS / 10) },
  );
});

test('mutated batches are refused with an error, or are what they were', () => {
  const cursor = new BatchCursor();
  const mutation = fc.record({
    place: fc.double({ min: 0, max: 1, noNaN: true }),
    mask: fc.integer({ min: 1, max: 255 }),
  });
  fc.assert(
    fc.property(anyRecords, fc.array(mutation, { minLength: 1, maxLength: 4 }), (records, mutations) => {
      const bytes = batchOf(records).slice();
      const original = bytes.slice();
      for (const { place, mask } of mutations) bytes[Math.floor(place * (bytes.length - 1))]! ^= mask;
      if (Buffer.compare(bytes, original) === 0) return;
      assert.throws(
        () => checkSingleBatch(bytes, cursor),
        (error) => error instanceof HsctlError && error.code === 'format',
      );
    }),
    { numRuns: RUNS * 4 },
  );
});

test('arbitrary bytes with right checksums are refused or walked within their bounds', () => {
  const cursor = new BatchCursor();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(8), fc.boolean(), (payload, count, sparse) => {
      const bytes = new Uint8Array(BATCH_HEADER_BYTES + payload.length);
      bytes.set(payload, BATCH_HEADER_BYTES);
      const flags = sparse ? 1 : 0;
      writeHeader(bytes, { flags, epoch: 1, firstSeq: 1, count, distance: Math.max(0, count - 1), hash: 0 });
      try {
        for (const { seq } of recordsOf(checkBatch(bytes, 0, cursor))) assert.ok(seq >= 1 && seq <= count);
        assert.equal(cursor.end, bytes.length);
      } catch (error) {
        assert.ok(error instanceof HsctlError && error.code === 'format', String(error));
      }
    }),
    { numRuns: RUNS * 4 },
  );
});

test('a trimmed batch holds what is behind the place, under the same numbers and hash', () => {
  fc.assert(
    fc.property(anyRecords, fc.nat(19), (records, place) => {
      const skipped = Math.min(place, records.length - 1);
      const whole = checkSingleBatch(batchOf(records, 2, 11, 5));
      const end = whole.header.end;
      const cursor = checkSingleBatch(trimmedBatch(whole, 10 + skipped));
      assert.deepEqual(cursor.header.end, end);
      assert.equal(cursor.header.firstSeq, 11 + skipped);
      assert.deepEqual(recordsOf(cursor), numbered(records, 11).slice(skipped));
    }),
    { numRuns: RUNS },
  );
});

test('a sparse batch may stand for many records and hold none', () => {
  const builder = new SparseBatchBuilder(5);
  const { header } = checkSingleBatch(builder.finish(3, 1_000_005, 77, true));
  assert.deepEqual(header.end, { epoch: 3, seq: 1_000_005, hash: 77 });
  assert.deepEqual([header.firstSeq, header.count, header.sparse, header.forgetful], [5, 0, true, true]);
});
