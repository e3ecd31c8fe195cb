import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HsctlError } from '../../../src/kit/errors.ts';
import { EntryList, entryMark, type SortedEntries } from '../../../src/replication/log/entry-list.ts';
import { IndexBuild, type IndexBuilder } from '../../../src/replication/log/index-builder.ts';
import { KeyIndex } from '../../../src/replication/log/key-index.ts';
import { threadIndexBuilder } from '../../../src/replication/log/thread-index-builder.ts';
import { inlineIndexBuilder } from './inline-index-builder.ts';
import { LogModel } from './log-model.ts';
import { seeded, TestStore } from './open-log.ts';
import { shipLog } from './ship-log.ts';

const never = async (): Promise<boolean> => false;
const KEYS = 200;

/** Entries of a segment: sets of random ones of `KEYS` keys, and some deletes. */
function entriesOf(segment: number): EntryList {
  const random = seeded(segment);
  const list = new EntryList();
  for (let number = 0; number < 300; number++) {
    const key = Math.floor(random() * KEYS);
    const word = seeded(key)() * 2 ** 32;
    list.push(word >>> 0, key, entryMark(Math.imul(key, 0x9e3779b1) >>> 0, 9, random() < 0.2), number * 64);
  }
  return list;
}

/** So many that thirty times as many do not fit into what may wait. */
function manyEntries(): SortedEntries {
  const list = new EntryList();
  for (let number = 0; number < 300_000; number++) {
    const word = Math.imul(number, 0x9e3779b1) >>> 0;
    list.push(word, number, entryMark(word, 9, false), 0);
  }
  return list.sorted();
}

async function filledMaster(): Promise<TestStore> {
  const store = new TestStore({ random: seeded(3) });
  store.append({ kind: 'reign', master: 'a' });
  for (let round = 1; round <= 4; round++) {
    for (let number = 0; number < 60; number++) store.set(`key-${number}`, `value ${number} of round ${round}`);
    store.append({ kind: 'delete', key: `key-${round}` });
  }
  await store.log.sync();
  await store.log.compact();
  return store;
}

function sameKeys(master: TestStore, slave: TestStore): void {
  assert.equal(slave.log.count, master.log.count);
  for (let number = 0; number < 60; number++) {
    assert.equal(slave.get(`key-${number}`), master.get(`key-${number}`), `key-${number}`);
  }
}

describe('an index that is built elsewhere', () => {
  test('by a thread is what it would have become here, and so is the account of what is of use', async () => {
    const builder = threadIndexBuilder(KEYS);
    const here = new IndexBuild(0);
    for (let segment = 1; segment <= 5; segment++) {
      builder.add(segment, entriesOf(segment).sorted());
      here.add(segment, entriesOf(segment).sorted());
    }
    const [built, expected] = [await builder.finish(), here.finish()];
    assert.deepEqual(built.used, expected.used);
    assert.deepEqual(built.liveBytes, expected.liveBytes);
    assert.ok(built.liveBytes.some((bytes) => bytes > 0));
    const [one, other] = [new KeyIndex(), new KeyIndex()];
    one.adopt(built);
    other.adopt(expected);
    assert.equal(one.count, other.count);
    for (let key = 0; key < KEYS; key++) {
      const at = [(seeded(key)() * 2 ** 32) >>> 0, key, Math.imul(key, 0x9e3779b1) >>> 0] as const;
      assert.equal(one.find(...at), other.find(...at));
      assert.deepEqual([one.segment, one.offset, one.size], [other.segment, other.offset, other.size]);
    }
  });

  test('takes in many entries at once while many are still to come, and few in the end', () => {
    const list = new EntryList();
    for (let number = 0; number < 300_000; number++) {
      const word = Math.imul(number, 0x9e3779b1) >>> 0;
      list.push(word, number, entryMark(word, 9, false), 0);
    }
    const entries = list.sorted();
    const build = new IndexBuild(4_000_000);
    const rounds = Array.from({ length: 12 }, (_, segment) => build.add(segment + 1, entries)).filter(
      (taken) => taken > 0,
    );
    assert.deepEqual(rounds, [1_200_000, 900_000, 600_000, 600_000]);
  });

  test('waits for room where entries come faster than the thread takes them in', async () => {
    const entries = manyEntries();
    const builder = threadIndexBuilder(0);
    const room = (): Promise<void> | null => builder.room;
    assert.equal(room(), null);
    for (let segment = 1; segment <= 30; segment++) builder.add(segment, entries);
    const full = room();
    assert.ok(full !== null);
    await full;
    assert.equal(room(), null);
    await builder.finish();
  });

  test('by a thread that is called off is not there, and nobody waits for room', async () => {
    const builder = threadIndexBuilder(KEYS);
    builder.add(1, entriesOf(1).sorted());
    builder.abandon();
    await assert.rejects(builder.finish(), /it was called off/);
    assert.equal(builder.room, null);
    const many = manyEntries();
    for (let segment = 2; segment <= 31; segment++) builder.add(segment, many);
    assert.equal(builder.room, null, 'nor of what comes when it is gone');
  });

  test('comes into its place as a whole: until then no key is found', async () => {
    const master = await filledMaster();
    const slave = new TestStore();
    slave.log.takeIndexKey(master.log.indexKey, master.log.count);
    let left = 200;
    await shipLog(master.log, slave.log, async (ofSegment) => ofSegment && left-- === 0);
    assert.equal(slave.log.count, 0);
    assert.equal(slave.log.isSettled, false);
    await slave.log.settle();
    assert.ok(slave.log.count > 0);
    await shipLog(master.log, slave.log, never);
    await slave.log.settle();
    sameKeys(master, slave);
    for (const { log } of [slave, master]) await log.close();
  });

  test('is built by the log itself if that fails, and somebody is told', async () => {
    const failing = (keys: number): IndexBuilder => ({
      ...inlineIndexBuilder(keys),
      finish: () => Promise.reject(new Error('no memory for a thread')),
    });
    const master = await filledMaster();
    const slave = new TestStore({ startIndexBuilder: failing });
    slave.log.takeIndexKey(master.log.indexKey, master.log.count);
    await shipLog(master.log, slave.log, never);
    await slave.log.settle();
    sameKeys(master, slave);
    assert.deepEqual(
      slave.troubles.map(({ message }: HsctlError) => message),
      ['no memory for a thread'],
    );
    for (const { log } of [slave, master]) await log.close();
  });

  test('is not waited for by a node that writes on by itself, nor by one that starts from nothing', async () => {
    for (const ending of ['write', 'reset'] as const) {
      const master = await filledMaster();
      const slave = new TestStore();
      slave.log.takeIndexKey(master.log.indexKey, master.log.count);
      let left = 200;
      await shipLog(master.log, slave.log, async (ofSegment) => ofSegment && left-- === 0);
      const settled = slave.log.settle();
      const { end } = slave.log;
      if (ending === 'write') {
        slave.log.append(LogModel.bytesOf([{ kind: 'set', key: 'own', value: 'write' }], end.epoch, end), true);
        assert.equal(slave.log.isSettled, true);
        assert.equal(slave.get('own'), 'write');
        assert.equal(slave.get('key-50'), 'value 50 of round 3');
      }
      await settled;
      if (ending === 'reset') await slave.log.reset();
      assert.equal(slave.log.count > 0, ending === 'write');
      const { count } = slave.log;
      await slave.log.close();
      slave.open();
      assert.equal(slave.log.count, count);
      for (const { log } of [slave, master]) await log.close();
    }
  });
});
