import assert from 'node:assert/strict';
import { LOG_START } from '../../../src/model/position.ts';
import { BatchCursor } from '../../../src/protocol/batch/batch-cursor.ts';
import { checkBatch } from '../../../src/protocol/batch/check-batch.ts';
import { OP } from '../../../src/protocol/batch/layout.ts';
import type { Log } from '../../../src/replication/log/log.ts';
import type { LogModel } from './log-model.ts';

/** Compares everything that a log tells with the model. */
export async function checkLog(log: Log, model: LogModel, keys: readonly string[]): Promise<void> {
  assert.deepEqual(log.end, model.end);
  const { history, aloneTo } = log.state();
  assert.deepEqual(history, model.reigns());
  assert.equal(aloneTo, model.aloneTo());
  const state = model.state();
  for (const key of keys) {
    const bytes = Buffer.from(key);
    const value = log.get(bytes);
    assert.ok((value === null ? undefined : Buffer.from(value).toString()) === state.get(key), `value of ${key}`);
    assert.equal(log.valueLength(bytes), state.has(key) ? Buffer.byteLength(state.get(key)!) : -1, `length of ${key}`);
  }
  assert.equal(log.count, state.size);
  assert.deepEqual(scanAll(log, 3).toSorted(), [...state.keys()].toSorted());
  checkPositions(log, model);
  for (const { seq } of model.positions) {
    if (seq > 0 && seq < log.oldestResumable) continue;
    assert.deepEqual(await replay(log, seq, model.state(seq), 300), state, `what a reader gets that stopped at ${seq}`);
  }
}

/** Every position that the log still knows is the model's; its ends always are known. */
function checkPositions(log: Log, model: LogModel): void {
  for (const position of model.positions) {
    const known = log.positionAt(position.seq);
    if (known !== null) assert.deepEqual(known, position);
  }
  assert.deepEqual(log.positionAt(0), LOG_START);
  assert.deepEqual(log.positionAt(log.end.seq), model.end);
  assert.equal(log.positionAt(log.end.seq + 1), null);
}

/** All keys, from a SCAN with steps of `count`. */
function scanAll(log: Log, count: number): string[] {
  const keys: string[] = [];
  let cursor = 0;
  do {
    const step = log.scan(cursor, count);
    keys.push(...step.keys.map((key) => Buffer.from(key).toString()));
    cursor = step.next;
  } while (cursor !== 0);
  return keys;
}

/** Applies to `state` what a reader gets from behind `from` to the end, and checks that nothing is missing on the way. */
export async function replay(
  log: Log,
  from: number,
  state: Map<string, string>,
  maxBytes: number,
): Promise<Map<string, string>> {
  const cursor = new BatchCursor();
  let reached = from;
  for (;;) {
    const { bytes, lastSeq } = await log.readAfter(reached, maxBytes);
    if (bytes === null) break;
    for (let at = 0; at < bytes.length; at += cursor.header.totalBytes) {
      const { header } = checkBatch(bytes, at, cursor);
      assert.equal(header.firstSeq, reached + 1, 'batches follow each other without a gap');
      reached = header.lastSeq;
      applyBatch(cursor, state);
    }
    assert.equal(reached, lastSeq);
  }
  assert.equal(reached, log.end.seq);
  return state;
}

function applyBatch(cursor: BatchCursor, state: Map<string, string>): void {
  while (cursor.next()) {
    const bytes = Buffer.from(cursor.bytes.buffer, cursor.bytes.byteOffset, cursor.bytes.length);
    const key = bytes.toString('utf8', cursor.keyStart, cursor.valueStart);
    if (cursor.op === OP.set) state.set(key, bytes.toString('utf8', cursor.valueStart, cursor.end));
    else if (cursor.op === OP.delete) state.delete(key);
  }
}
