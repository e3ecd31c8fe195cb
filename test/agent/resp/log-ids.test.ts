import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochAt, firstSeqBehind, isForked, parseLogId } from '../../../src/agent/resp/log-ids.ts';

const HISTORY = [
  { epoch: 2, firstSeq: 1 },
  { epoch: 3, firstSeq: 11 },
  { epoch: 7, firstSeq: 21 },
];
const END = 30;

void test('ids are read as Redis does', () => {
  assert.deepEqual(parseLogId('7-12', 0), { epoch: 7, seq: 12 });
  assert.deepEqual(parseLogId('7', 5), { epoch: 7, seq: 5 });
  for (const text of ['', 'x', '-1', '7-', '7-x', '7-1-2', ' 7', '99999999999999999', '9999999999999999']) {
    assert.equal(parseLogId(text, 0), null, text);
  }
});

void test('each seq has its epoch', () => {
  assert.deepEqual(
    [0, 1, 10, 11, 20, 21, 99].map((seq) => epochAt(HISTORY, seq)),
    [0, 2, 2, 3, 3, 7, 7],
  );
});

for (const [epoch, seq, first] of [
  [0, 0, 1],
  [2, 0, 1],
  [2, 5, 6],
  [2, 10, 11],
  [2, 99, 11],
  [3, 0, 11],
  [3, 15, 16],
  [4, 0, 21],
  [7, 30, 31],
  [7, 99, 100],
  [8, 0, 31],
] as const) {
  void test(`behind ${epoch}-${seq} comes ${first}`, () => {
    assert.equal(firstSeqBehind(HISTORY, END, { epoch, seq }), first);
  });
}

void test('an id that names a record which this log cannot have or get is forked', () => {
  const forked = (epoch: number, seq: number): boolean => isForked(HISTORY, END, { epoch, seq });
  for (const [epoch, seq] of [
    [2, 1],
    [2, 10],
    [3, 11],
    [7, 30],
    [7, 31],
    [8, 31],
    [0, 0],
    [9, 0],
  ] as const) {
    assert.equal(forked(epoch, seq), false, `${epoch}-${seq}`);
  }
  for (const [epoch, seq] of [
    [2, 11],
    [3, 10],
    [3, 21],
    [3, 31],
    [6, 15],
    [8, 30],
    [1, 1],
  ] as const) {
    assert.equal(forked(epoch, seq), true, `${epoch}-${seq}`);
  }
});
