import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { HsctlError } from '../../../src/kit/errors.ts';
import { BatchAssembler } from '../../../src/replication/link/batch-assembler.ts';
import { LogWriter, MemoryLog } from '../memory-log.ts';

function batchesOf(sizes: readonly number[]): Uint8Array[] {
  const writer = new LogWriter(new MemoryLog());
  return [writer.reign(1), ...sizes.map((size) => writer.write(1, size))];
}

function assemble(
  slices: readonly Uint8Array[],
  keep = (batch: Uint8Array): Uint8Array => batch.slice(),
): Uint8Array[] {
  const assembler = new BatchAssembler();
  const batches: Uint8Array[] = [];
  for (const slice of slices) {
    assembler.push(slice, (batch, header) => {
      assert.equal(header.totalBytes, batch.length);
      batches.push(keep(batch));
    });
  }
  return batches;
}

function same(found: readonly Uint8Array[], expected: readonly Uint8Array[]): void {
  assert.deepEqual(
    found.map((batch) => Buffer.from(batch)),
    expected.map((batch) => Buffer.from(batch)),
  );
}

suite('batches from slices', () => {
  test('are whole again, whatever the slices', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 10 }), (sizes, cuts) => {
        const batches = batchesOf(sizes);
        const bytes = Buffer.concat(batches);
        const places = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length];
        same(assemble(places.slice(1).map((end, index) => bytes.subarray(places[index], end))), batches);
        same(assemble(Array.from(bytes, (byte) => Uint8Array.of(byte))), batches);
      }),
    );
  });

  test('are whole again with each cut into two', () => {
    const batches = batchesOf([10, 0, 60]);
    const bytes = Buffer.concat(batches);
    for (let cut = 0; cut <= bytes.length; cut += 1)
      same(assemble([bytes.subarray(0, cut), bytes.subarray(cut)]), batches);
  });

  test('are not copied when they lie within one slice', () => {
    const bytes = Buffer.concat(batchesOf([1000, 1000]));
    assert.ok(assemble([bytes], (batch) => batch).every((batch) => batch.buffer === bytes.buffer));
  });

  test('are not waited for where none begins', () => {
    const bytes = Buffer.concat(batchesOf([10]));
    for (const at of [0, 8, 28, 47]) {
      const wrong = Buffer.from(bytes);
      wrong[at]! ^= 1;
      for (const slices of [[wrong], [wrong.subarray(0, 20), wrong.subarray(20)]]) {
        assert.throws(
          () => assemble(slices),
          (error) => error instanceof HsctlError && error.code === 'format',
        );
      }
    }
  });
});
