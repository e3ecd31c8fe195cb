import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { test } from 'node:test';
import { readLines } from '../../src/kit/lines.ts';

async function linesOf(chunks: readonly Buffer[]): Promise<string[]> {
  const lines: string[] = [];
  const stream = Readable.from(chunks, { objectMode: false });
  readLines(stream, (line) => lines.push(line));
  await finished(stream);
  return lines;
}

test('lines are the same however the bytes arrive', async () => {
  const bytes = Buffer.from('one\r\n\nzwölf\nlast');
  const expected = ['one', '', 'zwölf', 'last'];
  assert.deepEqual(await linesOf([bytes]), expected);
  assert.deepEqual(await linesOf(Array.from(bytes, (byte) => Buffer.of(byte))), expected);
});

test('a line without end comes in pieces', async () => {
  const lines = await linesOf([Buffer.alloc(20_000, 'x'), Buffer.from('y\n')]);
  assert.deepEqual(
    lines.map((line) => line.length),
    [8192, 8192, 3617],
  );
});
