import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import { STORE, TestStore } from './open-log.ts';

/** A store with several complete segments, closed in order. */
async function filled(): Promise<TestStore> {
  const store = new TestStore({ opensDamaged: true });
  for (let number = 0; number < 100; number++) store.set(`key-${number}`, `value-${number}`.repeat(8));
  store.log.memory.save({ epoch: 7, longestGrantMs: 1500, confirmedAlone: true });
  store.log.markIntact();
  await store.log.close();
  return store;
}

function removeHints(store: TestStore): void {
  for (const hint of store.files('hint')) store.disk.remove(hint);
}

/** After a repair the log is empty, and as good as a new one. */
async function assertRepaired(store: TestStore, { epoch = 7 } = {}): Promise<string> {
  const { log } = store;
  const path = await log.repair();
  assert.equal(log.damage, null);
  assert.deepEqual([log.end.seq, log.count, log.state().intact, log.oldestResumable], [0, 0, false, 0]);
  assert.equal(log.memory.epoch, epoch);
  store.set('new', 'value');
  await log.sync();
  store.disk.kill();
  store.open();
  assert.equal(store.log.damage, null);
  assert.equal(store.get('new'), 'value');
  assert.equal(store.get('key-1'), null);
  return path;
}

suite('a store that is damaged when it is opened', () => {
  for (const [what, hurt, pattern] of [
    ['in a value', (store: TestStore) => store.disk.flip(store.files('log')[1]!, 100), /\.log is damaged at byte \d+/],
    ['in a header', (store: TestStore) => store.disk.flip(store.files('log')[0]!, 9), /\.log is damaged at byte 0/],
    ['in the last segment', (store: TestStore) => store.disk.flip(store.files('log').at(-1)!, 60), /damaged at byte 0/],
    ['by a missing file', (store: TestStore) => store.disk.remove(store.files('log')[1]!), /damaged at byte 0/],
  ] as const) {
    test(`${what}: opens, says what is wrong, takes nothing, and is made anew`, async () => {
      const store = await filled();
      removeHints(store);
      hurt(store);
      const files = store.files('log').length;
      const { log } = { log: store.open() };
      assert.match(log.damage?.message ?? '', pattern);
      assert.deepEqual([log.end.seq, log.count, log.state().intact], [0, 0, false]);
      assert.throws(
        () => store.set('a', '1'),
        (error) => error === log.damage,
      );
      const path = await assertRepaired(store);
      assert.equal(path, `${STORE}/archives/damaged-log`);
      assert.equal(store.disk.list(path).filter((name) => name.endsWith('.log')).length, files);
    });
  }

  test('stays so over a restart, and a second archive does not touch the first', async () => {
    const store = await filled();
    removeHints(store);
    store.disk.flip(store.files('log')[1]!, 100);
    store.open();
    store.disk.kill();
    assert.match(store.open().damage?.message ?? '', /damaged at byte/);
    await assertRepaired(store);
    store.disk.kill();
    store.disk.flip(store.files('log')[0]!, 50);
    store.open();
    assert.equal(await assertRepaired(store), `${STORE}/archives/damaged-log-2`);
  });

  test('without the wish for it is an error, and the lock is given back', async () => {
    const store = await filled();
    removeHints(store);
    store.disk.flip(store.files('log')[0]!, 9);
    assert.throws(() => store.open({ opensDamaged: false }), { code: 'disk' });
    assert.equal(store.disk.stat(`${STORE}/lock`), null);
  });

  test('a repair that a crash interrupts is finished by the next start', async () => {
    const store = await filled();
    removeHints(store);
    store.disk.flip(store.files('log')[0]!, 9);
    store.open();
    const renames = store.disk.rename.bind(store.disk);
    let moved = 0;
    store.disk.rename = (from, to) => {
      if (to.includes('/archives/')) moved += 1;
      if (moved === 2) throw new Error('killed');
      renames(from, to);
    };
    await assert.rejects(store.log.repair());
    store.disk.rename = renames;
    store.disk.kill();
    store.open();
    assert.equal(store.log.damage, null);
    assert.equal(store.log.end.seq, 0);
    assert.equal(store.files('log').length, 0);
  });
});

suite('damage that a read finds', () => {
  test('ends writes and is remembered: the next start reads everything through', async () => {
    const store = await filled();
    const [file] = store.files('log');
    store.disk.flip(file!, 100);
    store.open();
    assert.equal(store.log.damage, null, 'a start reads no values of complete segments');
    assert.throws(
      () => store.get('key-0') ?? store.get('key-1'),
      (error) => error instanceof HsctlError && error === store.log.damage,
    );
    assert.throws(() => store.set('a', '1'), { code: 'disk' });
    store.disk.kill();
    assert.match(store.open().damage?.message ?? '', /damaged at byte \d+/);
    await assertRepaired(store);
  });

  test('and that is gone at the next start, because the file was restored, is forgotten', async () => {
    const store = await filled();
    const [file] = store.files('log');
    store.disk.flip(file!, 100);
    store.open();
    await assert.rejects(store.log.readAfter(0, 10_000));
    assert.notEqual(store.log.damage, null);
    store.disk.kill();
    store.disk.flip(file!, 100);
    store.open();
    assert.equal(store.log.damage, null);
    assert.equal(store.get('key-1'), 'value-1'.repeat(8));
    assert.equal(store.log.state().intact, true);
  });

  test('by compaction is found as well', async () => {
    const store = await filled();
    store.open();
    for (let number = 0; number < 200; number++) store.set(`key-${number % 10}`, 'other'.repeat(10));
    store.log.setConfirmed(store.log.end.seq);
    store.disk.flip(store.files('log')[0]!, 100);
    await store.log.sync();
    for (let tries = 0; tries < 1000 && store.log.damage === null; tries++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.match(store.log.damage?.message ?? '', /damaged at byte/);
    assert.ok(store.troubles.length > 0);
    await assertRepaired(store);
  });

  test('EIO is not damage: there is nothing to make anew', async () => {
    const store = await filled();
    store.open();
    store.disk.unreadable = '.log';
    assert.throws(() => store.get('key-1'), /EIO/);
    assert.equal(store.log.damage, null);
  });
});

suite('the meta file', () => {
  test('that is damaged is kept under another name; what it told of the log is lost, so the log is made anew', async () => {
    for (const position of [5, 60, 200]) {
      const store = await filled();
      store.disk.flip(`${STORE}/meta.json`, position);
      store.open();
      assert.match(store.log.damage?.message ?? '', /meta\.json is damaged/);
      assert.equal(store.log.memory.confirmedAlone, true, 'nobody can say that it has not');
      store.disk.kill();
      assert.match(store.open().damage?.message ?? '', /meta\.json is damaged/);
      assert.ok(store.disk.list(STORE).includes('meta.json.damaged'));
      await assertRepaired(store, { epoch: 0 });
    }
  });
});
