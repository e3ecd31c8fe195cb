import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { HsctlError } from '../../../../src/kit/errors.ts';
import type { RewriteJob } from '../../../../src/replication/log/compaction/rewriter.ts';
import { replay } from '../check-log.ts';
import { STORE, TestStore, seeded } from '../open-log.ts';

/** Compacts until nothing is due. */
async function compactAll(store: TestStore): Promise<number> {
  store.log.setConfirmed(store.log.end.seq);
  await store.log.sync();
  let runs = 0;
  while (await store.log.compact()) runs += 1;
  return runs;
}

const bytesOf = (store: TestStore): number =>
  store.files('log').reduce((sum, file) => sum + store.disk.stat(file)!.bytes, 0);

const SEGMENT_BYTES = 20_000;

suite('under constant overwriting', () => {
  for (const [what, keyOf] of [
    ['keys at random', (random: () => number) => Math.floor(random() * 400)],
    ['a hot tenth', (random: () => number) => Math.floor(random() * (random() < 0.9 ? 40 : 400))],
    ['one after the other', (_random: () => number, number: number) => number % 400],
  ] as const) {
    test(`${what}: never more on disk than twice the live data and two segments`, async () => {
      const store = new TestStore({ segmentBytes: SEGMENT_BYTES });
      const random = seeded(3);
      const live = new Map<string, number>();
      let most = 0;
      for (let number = 0; number < 6000; number++) {
        const key = `key-${keyOf(random, number)}`;
        const value = 'v'.repeat(50 + Math.floor(random() * 300));
        store.set(key, value);
        live.set(key, 60 + key.length + value.length);
        if (number % 20 !== 0) continue;
        store.log.setConfirmed(store.log.end.seq);
        await store.log.sync();
        while (await store.log.compact());
        const liveBytes = [...live.values()].reduce((sum, bytes) => sum + bytes, 0);
        most = Math.max(most, (bytesOf(store) - 2 * SEGMENT_BYTES) / liveBytes);
      }
      assert.ok(most <= 2, `${most} times the live data, beside two segments`);
      assert.ok(bytesOf(store) < store.log.appendedBytes / 5, 'most of what was written is gone');
      assert.equal(store.log.count, live.size);
      assert.deepEqual(store.troubles, []);
    });
  }

  test('a rewrite that was begun at leisure hurries once the limit is near', async () => {
    const store = new TestStore({ segmentBytes: SEGMENT_BYTES });
    const jobs: RewriteJob[] = [];
    const done = Promise.withResolvers<never>();
    await store.log.close();
    store.open({
      rewriter: (job) => {
        jobs.push(job);
        return done.promise;
      },
    });
    let written = 0;
    const round = async (): Promise<void> => {
      for (let number = 0; number < 20; number++) store.set(`key-${written++ % 1600}`, 'v'.repeat(100));
      store.log.setConfirmed(store.log.end.seq);
      await store.log.sync();
    };
    while (jobs.length === 0) {
      await round();
      void store.log.compact().catch(() => undefined);
      await new Promise(setImmediate);
    }
    assert.equal(jobs[0]?.hurry[0], 0);
    const near = 2 * store.log.appendedBytes;
    while (store.log.appendedBytes < near) await round();
    const running = store.log.compact();
    for (let turns = 0; turns < 1000; turns++) await new Promise(setImmediate);
    assert.equal(jobs[0]?.hurry[0], 1);
    done.reject(new HsctlError('disk', 'enough'));
    await assert.rejects(running, /enough/);
    assert.equal(jobs.length, 1);
  });

  test('setting and deleting the same keys keeps one delete of each at most', async () => {
    const store = new TestStore({ segmentBytes: SEGMENT_BYTES });
    for (let number = 0; number < 4000; number++) {
      store.set(`key-${number % 10}`, 'value');
      store.append({ kind: 'delete', key: `key-${number % 10}` });
      if (number % 100 === 0) await compactAll(store);
    }
    await compactAll(store);
    assert.equal(store.log.count, 0);
    assert.ok(bytesOf(store) < 3 * SEGMENT_BYTES, `${bytesOf(store)} bytes for nothing`);
  });
});

suite('deletes', () => {
  /** A store in which `gone` was set, then deleted, and then much was overwritten. */
  async function withDelete(): Promise<{ store: TestStore; before: number }> {
    const store = new TestStore();
    store.set('gone', 'value');
    const before = store.log.end.seq;
    store.append({ kind: 'delete', key: 'gone' });
    for (let number = 0; number < 200; number++) store.set(`key-${number % 5}`, 'v'.repeat(60));
    return { store, before };
  }

  test('are remembered for whoever comes back in time', async () => {
    const { store, before } = await withDelete();
    assert.ok((await compactAll(store)) > 0);
    assert.ok(store.log.oldestResumable <= before);
    const state = await replay(store.log, before, new Map([['gone', 'value']]), 1000);
    assert.deepEqual([...state.keys()].toSorted(), ['key-0', 'key-1', 'key-2', 'key-3', 'key-4']);
  });

  test('are forgotten after their time, and then nobody may resume before them', async () => {
    const { store, before } = await withDelete();
    await store.log.sync();
    store.wallMs += 60_001;
    assert.ok((await compactAll(store)) > 0);
    assert.ok(store.log.oldestResumable > before);
    const reached = store.log.oldestResumable;
    await store.log.close();
    store.open();
    assert.equal(store.log.oldestResumable, reached, 'a restart knows that too');
    assert.equal((await replay(store.log, 0, new Map(), 1000)).size, 5);
  });

  test('are kept while something older is left that they have to undo, however old they are', async () => {
    const store = new TestStore({ segmentBytes: SEGMENT_BYTES });
    for (let number = 0; number < 100; number++) store.set(`stays-${number}`, 'v'.repeat(200));
    store.set('gone', 'value');
    for (let number = 100; number < 160; number++) store.set(`stays-${number}`, 'v'.repeat(200));
    const keptFiles = store.files('log').length;
    for (let number = 0; number < 400; number++) store.set('hot', 'v'.repeat(200));
    store.append({ kind: 'delete', key: 'gone' });
    for (let number = 0; number < 400; number++) store.set('hot', 'v'.repeat(200));
    await store.log.sync();
    store.wallMs += 60_001;
    const [first] = store.files('log');
    assert.ok((await compactAll(store)) > 0);
    assert.ok(keptFiles > 1 && store.files('log')[0] === first, 'the oldest segment was left alone');
    await store.log.close();
    store.open();
    assert.equal(store.get('gone'), null);
    assert.equal(store.log.count, 161);
  });
});

suite('what compaction rests on', () => {
  test('records behind the confirmed position are not touched, and what they replace stays until they are confirmed', async () => {
    const store = new TestStore();
    for (let number = 0; number < 60; number++) store.set(`key-${number % 3}`, 'first'.repeat(20));
    const confirmed = store.log.end;
    for (let number = 0; number < 60; number++) store.set(`key-${number % 3}`, 'second'.repeat(20));
    store.log.setConfirmed(confirmed.seq);
    await store.log.sync();
    const files = store.files('log');
    const compaction = store.log.compact();
    for (let turns = 0; turns < 500; turns++) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(store.files('log'), files, 'nothing was replaced');
    const archive = await store.log.cut(confirmed);
    assert.equal(await compaction, false, 'the cut called it off');
    assert.ok(store.disk.stat(archive) !== null);
    assert.equal(store.get('key-0'), 'first'.repeat(20));
  });

  test('what is written while it works counts, not what it found', async () => {
    const store = new TestStore({ segmentBytes: SEGMENT_BYTES });
    for (let number = 0; number < 400; number++) {
      store.set(`key-${number}`, 'old'.padEnd(50, 'v'));
      store.set('hot', 'v'.repeat(200));
    }
    store.log.setConfirmed(store.log.end.seq);
    await store.log.sync();
    const work = { done: false };
    const compaction = store.log.compact().finally(() => void (work.done = true));
    const expected = new Map<string, string | null>();
    for (let number = 0; !work.done; number = (number + 1) % 400) {
      const key = `key-${number}`;
      expected.set(key, number % 3 === 0 ? null : 'new');
      if (number % 3 === 0) store.append({ kind: 'delete', key });
      else store.set(key, 'new');
      store.log.setConfirmed(store.log.end.seq);
      for (let turns = 0; turns < 10; turns++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.equal(await compaction, true);
    assert.ok(expected.size > 20 && expected.size < 400, `${expected.size} keys were written meanwhile`);
    const check = (): void => {
      for (let number = 0; number < 400; number++) {
        const key = `key-${number}`;
        assert.equal(store.get(key), expected.has(key) ? expected.get(key) : 'old'.padEnd(50, 'v'), key);
      }
    };
    check();
    await store.log.close();
    store.open();
    check();
  });

  test('a segment with records that are not confirmed is not touched', async () => {
    const store = new TestStore();
    for (let number = 0; number < 100; number++) store.set(`key-${number % 3}`, 'v'.repeat(60));
    await store.log.sync();
    store.log.setConfirmed(1);
    assert.equal(await store.log.compact(), false);
    store.log.setConfirmed(store.log.end.seq);
    assert.equal(await store.log.compact(), true);
  });

  test('a cut before what was compacted is refused, also after a restart; a reset is not', async () => {
    const store = new TestStore();
    const positions = [];
    for (let number = 0; number < 100; number++) {
      store.set(`key-${number % 3}`, 'v'.repeat(60));
      positions.push(store.log.end);
    }
    assert.ok((await compactAll(store)) > 0);
    const refusal = (error: unknown): boolean => error instanceof HsctlError && error.code === 'refused';
    const last = positions.at(-2)!;
    await assert.rejects(store.log.cut(last), refusal);
    await store.log.close();
    store.open();
    await assert.rejects(store.log.cut(last), refusal);
    assert.match(await store.log.reset(), /^\/store\/archives\/log-1-100/);
    assert.deepEqual([store.log.end.seq, store.log.count], [0, 0]);
    store.set('key', 'value');
    assert.equal(store.get('key'), 'value');
  });

  test('a position is known as long as the log has a batch that ends there', async () => {
    const store = new TestStore();
    for (let number = 0; number < 100; number++) store.set(`key-${number % 3}`, 'v'.repeat(60));
    const { end } = store.log;
    await compactAll(store);
    assert.deepEqual(store.log.positionAt(end.seq), end);
    assert.equal(store.log.positionAt(5), null);
  });

  test('a damaged segment is not rewritten: the log goes on, and says what is wrong', async () => {
    const store = new TestStore();
    for (let number = 0; number < 100; number++) store.set(`key-${number % 3}`, 'v'.repeat(60));
    await store.log.sync();
    await store.log.close();
    store.open();
    store.disk.flip(store.files('log')[0]!, 60);
    store.log.setConfirmed(store.log.end.seq);
    await assert.rejects(store.log.compact(), (error) => {
      assert.ok(error instanceof HsctlError);
      assert.match(error.message, /\.log is damaged at byte 0/);
      return true;
    });
    store.set('key-0', 'after');
    assert.equal(store.get('key-0'), 'after');
    assert.deepEqual(
      store.disk.list(STORE).filter((name) => name.endsWith('.tmp')),
      [],
    );
  });
});
