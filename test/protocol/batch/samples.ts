import fc from 'fast-check';
import { BatchBuilder } from '../../../src/protocol/batch/batch-builder.ts';
import type { BatchCursor } from '../../../src/protocol/batch/batch-cursor.ts';
import { OP } from '../../../src/protocol/batch/layout.ts';

/** A record as tests like it. */
export interface SampleRecord {
  readonly op: number;
  readonly key: string;
  readonly value: string;
}

const text = (limit: number): fc.Arbitrary<string> => fc.string({ maxLength: limit });

const anyRecord: fc.Arbitrary<SampleRecord> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant(OP.set), key: text(40), value: text(200) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant(OP.delete), key: text(40), value: fc.constant('') }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant(OP.reign), key: fc.constantFrom('a', 'b'), value: fc.constant('') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant(OP.inSync), key: fc.constant(''), value: fc.constantFrom('a', 'a,b') }),
  },
);

export const anyRecords = fc.array(anyRecord, { minLength: 1, maxLength: 20 });

/** Adds records to a builder, from views into a larger buffer as the RESP parser has them. */
export function addAll(builder: BatchBuilder, records: readonly SampleRecord[]): void {
  for (const { op, key, value } of records) {
    const bytes = Buffer.from(`..${key}..${value}..`);
    const keyEnd = 2 + Buffer.byteLength(key);
    const valueEnd = keyEnd + 2 + Buffer.byteLength(value);
    if (op === OP.set) builder.set(bytes, 2, keyEnd, keyEnd + 2, valueEnd);
    else if (op === OP.delete) builder.delete(bytes, 2, keyEnd);
    else if (op === OP.reign) builder.reign(key);
    else builder.inSync(value.split(','));
  }
}

/** A batch of these records. */
export function batchOf(records: readonly SampleRecord[], epoch = 1, firstSeq = 1, hash = 0): Uint8Array {
  const builder = new BatchBuilder();
  addAll(builder, records);
  return builder.finish(epoch, firstSeq, hash);
}

/** What a cursor still has to tell, with seqs. */
export function recordsOf(cursor: BatchCursor): (SampleRecord & { readonly seq: number })[] {
  const found = [];
  while (cursor.next()) {
    const bytes = Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset, cursor.bytes.length);
    found.push({
      op: cursor.op,
      seq: cursor.seq,
      key: bytes.toString('utf8', cursor.keyStart, cursor.valueStart),
      value: bytes.toString('utf8', cursor.valueStart, cursor.end),
    });
  }
  return found;
}
