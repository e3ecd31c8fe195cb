import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { crc32 } from '../../src/kit/crc32.ts';
import { BatchBuilder } from '../../src/protocol/batch/batch-builder.ts';
import { BatchHeader } from '../../src/protocol/batch/batch-header.ts';
import {
  BATCH_HEADER_BYTES,
  BATCH_LIMIT_BYTES,
  BATCH_MAGIC,
  BATCH_VERSION,
  DISTANCE_BYTES,
  FLAG_FORGETFUL,
  FLAG_SPARSE,
  KEY_LIMIT_BYTES,
  OP,
  RECORD_HEADER_BYTES,
  VALUE_LIMIT_BYTES,
} from '../../src/protocol/batch/layout.ts';
import { FRAME_TYPES, SLICE_LIMIT_BYTES } from '../../src/protocol/link/frames.ts';
import { DEFAULT_LIMITS, STANDING_LIMIT_S } from '../../src/agent/resp/resp-service.ts';
import { readMeta } from '../../src/replication/log/store-meta.ts';
import { STORE, TestStore } from './log/open-log.ts';

/** What docs/replication.md says of bytes and numbers is so. */

const manual = readFileSync(new URL('../../docs/replication.md', import.meta.url), 'utf8');

/** Cells of the table rows below a heading. */
function rowsBelow(heading: string): string[][] {
  const section = manual.split(/^#+ /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(1).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** The fields of a layout: name to the number that stands where the manual says. */
function fieldsOf(heading: string, bytes: Uint8Array, at = 0): Map<string, number> {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at);
  const read: Record<string, (offset: number) => number> = {
    u8: (offset) => view.getUint8(offset),
    u16: (offset) => view.getUint16(offset, true),
    u32: (offset) => view.getUint32(offset, true),
    f64: (offset) => view.getFloat64(offset, true),
  };
  return new Map(
    rowsBelow(heading).flatMap(([offset = '', type = '', name = '']) =>
      read[type] === undefined ? [] : [[name.replaceAll('`', ''), read[type](Number(offset))] as const],
    ),
  );
}

/** Where a layout's last row says that the rest begins. */
function lengthOf(heading: string): number {
  return Number(rowsBelow(heading).at(-1)?.[0]);
}

suite('the manual of replication', () => {
  const builder = new BatchBuilder();
  const bytes = Buffer.from('keyvalue');
  builder.set(bytes, 0, 3, 3, 8);
  builder.delete(bytes, 0, 3);
  const batch = builder.finish(7, 41, 12_345);

  test('names the bytes of a batch header', () => {
    const header = new BatchHeader().read(batch);
    assert.deepEqual(
      fieldsOf('Batch header', batch),
      new Map<string, number>([
        ['magic', BATCH_MAGIC],
        ['version', BATCH_VERSION],
        ['flags', 0],
        ['reserved', 0],
        ['epoch', 7],
        ['firstSeq', 41],
        ['count', 2],
        ['payloadBytes', batch.length - BATCH_HEADER_BYTES],
        ['payloadCrc', header.payloadCrc],
        ['hash', crc32(batch.subarray(0, 36), 12_345)],
        ['distance', 1],
        ['headerCrc', crc32(batch.subarray(0, 44))],
      ]),
    );
    assert.equal(lengthOf('Batch header'), BATCH_HEADER_BYTES);
    assert.match(manual, new RegExp(`0x${BATCH_MAGIC.toString(16)}`));
    assert.match(
      manual,
      new RegExp(`${FLAG_SPARSE}: sparse, ${FLAG_SPARSE | FLAG_FORGETFUL}: sparse, and old deletes`),
    );
  });

  test('names the bytes of a record', () => {
    const fields = fieldsOf('Record', batch, BATCH_HEADER_BYTES);
    assert.deepEqual(Object.fromEntries(fields), { op: OP.set, mark: 0, keyBytes: 3, valueBytes: 5 });
    assert.equal(lengthOf('Record'), RECORD_HEADER_BYTES);
    assert.match(
      manual,
      new RegExp(`${OP.set} set, ${OP.delete} delete, ${OP.reign} reign .* ${OP.inSync} in-sync set`),
    );
    assert.match(manual, new RegExp(`${RECORD_HEADER_BYTES + DISTANCE_BYTES} bytes a record`));
  });

  test('names the limits', () => {
    assert.deepEqual(Object.fromEntries(rowsBelow('Limits').map(([name = '', value]) => [name, Number(value)])), {
      '`key`': KEY_LIMIT_BYTES,
      '`value`': VALUE_LIMIT_BYTES,
      '`batch`': BATCH_LIMIT_BYTES,
      '`slice`': SLICE_LIMIT_BYTES,
    });
    assert.match(manual, new RegExp(`for ${DEFAULT_LIMITS.unreadS} s it took nothing`));
    assert.match(
      manual,
      new RegExp(`no byte for ${STANDING_LIMIT_S} s, and ${DEFAULT_LIMITS.inputBytes / 2 ** 20} MiB`),
    );
  });

  test('names every message of the link, with its code and length', () => {
    const told = rowsBelow('Link').map(([code, name, , body]) => [Number(code), name?.replaceAll('`', ''), body]);
    const expected = FRAME_TYPES.filter(({ link }) => link !== 'control').map(({ code, type, least, most }) => [
      code,
      type,
      type === 'batch' || type === 'hint' ? 'bytes' : least === most ? String(most) : 'JSON',
    ]);
    assert.deepEqual(new Set(told.map(String)), new Set(expected.map(String)));
  });

  test('names the files of a store, and what its meta file has', async () => {
    const store = new TestStore();
    for (let number = 0; number < 100; number++) store.set(`key-${number}`, 'value'.repeat(10));
    await store.log.sync();
    const names = rowsBelow('Files of a store').map(([name = '']) => name);
    for (const file of store.disk.list(STORE)) {
      const pattern = file.replace(/^\d{16}-\d{8}\./, 'FIRSTSEQ-GENERATION.');
      assert.ok(names.includes(`\`${pattern}\``), file);
    }
    for (const field of Object.keys(readMeta(store.disk, STORE) ?? {}))
      assert.match(manual, new RegExp(`\`${field}\``), field);
    const file = store.disk.open(`${STORE}/synced`, 'read');
    assert.equal(file.size(), 28);
    await store.log.close();
    const hint = store.disk.open(store.files('hint')[0]!, 'read');
    const head = new Uint8Array(16);
    hint.read(head, 0, 16, 0);
    assert.equal(Buffer.from(head.subarray(0, 8)).toString(), 'HSHINT1\n');
    const factsBytes = new DataView(head.buffer).getUint32(8, true);
    const facts = new Uint8Array(factsBytes);
    hint.read(facts, 0, factsBytes, 16);
    assert.equal(crc32(facts), new DataView(head.buffer).getUint32(12, true));
    assert.equal(factsBytes % 16, 0);
  });
});
