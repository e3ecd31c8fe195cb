import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import { MemoryDisk } from '../../sim/memory-disk.ts';
import { STORE, TestStore, seeded } from './open-log.ts';

/** Asserts that it throws an error for the operator that names this. */
function throwsDisk(action: () => unknown, pattern: RegExp): void {
  assert.throws(action, (error) => isDisk(error, pattern));
}

function isDisk(error: unknown, pattern: RegExp): boolean {
  assert.ok(error instanceof HsctlError, String(error));
  assert.equal(error.code, 'disk');
  assert.match(error.message, pattern);
  assert.notEqual(error.hint, '');
  return true;
}

suite('a disk that refuses', () => {
  for (const [name, fault, pattern] of [
    ['is full', (disk: MemoryDisk) => void (disk.roomBytes = 30), /write \/store\/\d+-\d+\.log at byte \d+: ENOSPC/],
    ['became read-only', (disk: MemoryDisk) => void (disk.readOnly = true), /write \/store\/.*EROFS/],
  ] as const) {
    test(`${name}: the append fails, says where, and none is taken afterwards`, () => {
      const store = new TestStore();
      store.set('kept', 'value');
      fault(store.disk);
      const { end } = store.log;
      throwsDisk(() => store.set('lost', 'value'), pattern);
      store.disk.roomBytes = Infinity;
      store.disk.readOnly = false;
      throwsDisk(() => store.set('later', 'value'), pattern);
      assert.match(store.log.failure?.message ?? '', pattern);
      assert.deepEqual(store.log.end, end);
      assert.equal(store.get('kept'), 'value');
      assert.equal(store.get('lost'), null);
    });
  }

  test('full: after a restart with room the unfinished batch is cut, and told', () => {
    const store = new TestStore();
    store.set('kept', 'value');
    store.disk.roomBytes = 30;
    assert.throws(() => store.set('lost', 'value'));
    store.disk.roomBytes = Infinity;
    store.disk.kill();
    store.open();
    assert.deepEqual(
      store.tails.map(({ file, offset, bytes }) => ({ file, offset, bytes })),
      [{ file: store.files('log')[0], offset: 65, bytes: 30 }],
    );
    store.set('lost', 'again');
    assert.equal(store.get('lost'), 'again');
  });

  test('a failed sync is final: nobody may believe a second one', async () => {
    const store = new TestStore();
    store.set('a', '1');
    store.disk.syncFails = true;
    await assert.rejects(store.log.sync(), (error) => isDisk(error, /sync .*EIO/));
    store.disk.syncFails = false;
    await assert.rejects(store.log.sync(), (error) => isDisk(error, /EIO/));
    throwsDisk(() => store.set('b', '2'), /EIO/);
  });

  test('reads that fail say where', async () => {
    const store = new TestStore();
    store.set('a', '1');
    store.disk.unreadable = '.log';
    throwsDisk(() => store.get('a'), /read \/store\/.*\.log at byte 0: EIO/);
    await assert.rejects(store.log.readAfter(0, 1000), (error) => isDisk(error, /EIO/));
    assert.equal(store.log.failure, null, 'writes may go on: what is damaged here is whole at the peer');
  });
});

suite('damage', () => {
  test('every flipped byte of a record is found before the value is given', () => {
    const store = new TestStore();
    store.set('key', 'value');
    const [file] = store.files('log');
    for (let position = 48; position < 64; position++) {
      store.disk.flip(file!, position);
      throwsDisk(() => store.get('key'), /damaged at byte 0: the checksum of block 0 is wrong/);
      store.disk.flip(file!, position);
    }
    assert.equal(store.get('key'), 'value');
  });

  test('a damaged batch is not sent to anybody', async () => {
    const store = new TestStore();
    store.set('a', '1');
    store.set('b', '2');
    store.disk.flip(store.files('log')[0]!, 58 + 48 + 9);
    const first = await store.log.readAfter(0, 20);
    assert.equal(first.lastSeq, 1);
    await assert.rejects(store.log.readAfter(1, 1000), (error) => isDisk(error, /\.log is damaged at byte 58/));
  });

  test('in the middle of the log it stops the start, with file and offset', async () => {
    const store = new TestStore();
    for (let number = 0; number < 10; number++) store.set('key', `value-${number}`);
    await store.log.close();
    const [file] = store.files('log');
    store.disk.flip(file!, 100);
    store.disk.kill();
    throwsDisk(() => store.open(), /\/store\/\d+-\d+\.log is damaged at byte 66: /);
    store.disk.flip(file!, 100);
    store.open();
    assert.equal(store.get('key'), 'value-9', 'the lock of the failed start was given back');
  });

  test('of what was complete at an orderly end is no torn tail, not even after a power failure', async () => {
    const store = new TestStore();
    store.set('a', '1');
    store.set('b', '2');
    await store.log.close();
    store.disk.flip(store.files('log')[0]!, 70);
    store.disk.powerOff();
    throwsDisk(() => store.open(), /damaged at byte 58/);
  });

  test('of what was synced is no torn tail, as far as the mark of that is on the disk', async () => {
    const store = new TestStore();
    store.set('a', '1');
    await store.log.sync();
    store.disk.open(`${STORE}/synced`, 'write').syncNow();
    store.disk.syncDirectory(STORE);
    store.set('b', '2');
    store.disk.flip(store.files('log')[0]!, 50);
    store.disk.powerOff();
    throwsDisk(() => store.open(), /damaged at byte 0/);
  });

  test('of a hint file costs time, not data', async () => {
    const store = new TestStore();
    for (let number = 0; number < 100; number++) store.set(`key-${number}`, 'v'.repeat(50));
    await store.log.close();
    const hints = store.files('hint');
    assert.ok(hints.length > 3);
    store.disk.flip(hints[0]!, 20);
    store.disk.flip(hints[1]!, store.disk.stat(hints[1]!)!.bytes - 3);
    store.disk.remove(hints[2]!);
    store.open();
    for (let number = 0; number < 100; number++) assert.equal(store.get(`key-${number}`), 'v'.repeat(50));
  });
});

test('a hint file of a segment that was cut and filled again is not believed', async () => {
  const store = new TestStore();
  const ends = [store.log.end];
  for (let number = 0; number < 60; number++) {
    store.set(`key-${number % 10}`, `old-${number}`.padEnd(60, 'v'));
    ends.push(store.log.end);
  }
  await store.log.close();
  store.open();
  assert.ok(store.files('hint').length > 2);
  await store.log.cut(ends[5]!);
  for (let number = 5; number < 60; number++) store.set(`key-${number % 10}`, `new-${number}`.padEnd(60, 'v'));
  store.disk.kill();
  store.open();
  for (let number = 50; number < 60; number++) {
    assert.equal(store.get(`key-${number % 10}`), `new-${number}`.padEnd(60, 'v'));
  }
});

suite('what counts as intact', () => {
  const reopened = (store: TestStore): boolean => store.open().state().intact;

  test('a new disk does not, and says so until it is level with the master', async () => {
    const store = new TestStore();
    assert.equal(store.log.state().intact, false);
    await store.log.close();
    assert.equal(reopened(store), false);
    store.log.markIntact();
    await store.log.close();
    assert.equal(reopened(store), true);
  });

  test('after a kill it does, after a power failure it does not', () => {
    const store = new TestStore();
    store.log.markIntact();
    store.disk.kill();
    assert.equal(reopened(store), true);
    store.disk.powerOff();
    assert.equal(reopened(store), false);
    store.disk.kill();
    assert.equal(reopened(store), false, 'a later start under the same boot makes it no better');
  });

  test('a power failure after an orderly end, or with every write synced, does no harm', async () => {
    const store = new TestStore();
    store.log.markIntact();
    await store.log.close();
    store.disk.powerOff();
    assert.equal(reopened(store), true);
    const always = new TestStore({ fsyncAlways: true });
    always.log.markIntact();
    always.disk.powerOff();
    assert.equal(reopened(always), true);
  });

  test('the epoch and the longest grant survive everything once they are saved', () => {
    const store = new TestStore();
    store.log.memory.save({ epoch: 7 });
    store.log.memory.save({ longestGrantMs: 1500 });
    store.disk.powerOff();
    const { memory } = store.open();
    assert.deepEqual([memory.epoch, memory.longestGrantMs], [7, 1500]);
  });
});

suite('the lock', () => {
  test('keeps a second process off, and names the first', () => {
    const store = new TestStore();
    assert.throws(
      () => store.open(),
      (error) =>
        error instanceof HsctlError &&
        error.code === 'refused' &&
        error.message === `the store ${STORE} is in use by process 1`,
    );
  });

  test('of a killed process is taken over; an orderly end gives it back', async () => {
    const store = new TestStore();
    store.disk.kill();
    store.open();
    await store.log.close();
    assert.equal(store.disk.stat(`${STORE}/lock`), null);
  });
});

test('the disk in memory can lose what was not synced, and nothing else', () => {
  let lost = 0;
  for (let seed = 1; seed <= 50; seed++) {
    const disk = new MemoryDisk({ random: seeded(seed) });
    const file = disk.open('/a', 'create');
    file.write(new Uint8Array(1000).fill(1), 0);
    file.syncNow();
    disk.syncDirectory('');
    file.write(new Uint8Array(1000).fill(2), 1000);
    disk.powerOff();
    const bytes = new Uint8Array(2000);
    const got = disk.open('/a', 'read').read(bytes, 0, 2000, 0);
    assert.ok(bytes.subarray(0, 1000).every((byte) => byte === 1));
    if (got < 2000 || bytes.subarray(1000).some((byte) => byte !== 2)) lost += 1;
  }
  assert.ok(lost > 10 && lost < 50, `${lost} of 50 power failures lost something`);
});
