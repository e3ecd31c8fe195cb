import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RECORD_HEADER_BYTES } from '../../../../src/protocol/batch/layout.ts';
import { OffsetSet } from '../../../../src/replication/log/compaction/offset-set.ts';

test('records of a file are told apart, however short they are', () => {
  const lengths = fc.array(fc.record({ extra: fc.nat(20), member: fc.boolean() }), { minLength: 1 });
  fc.assert(
    fc.property(lengths, (records) => {
      const offsets: number[] = [];
      let bytes = 48;
      for (const { extra } of records) {
        offsets.push(bytes);
        bytes += RECORD_HEADER_BYTES + extra;
      }
      const set = new OffsetSet(bytes);
      for (const [index, { member }] of records.entries()) if (member) set.add(offsets[index]!);
      for (const [index, { member }] of records.entries()) assert.equal(set.has(offsets[index]!), member);
    }),
  );
});
