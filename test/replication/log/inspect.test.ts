import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { OP } from '../../../src/protocol/batch/layout.ts';
import type { Disk } from '../../../src/replication/log/disk.ts';
import { archivedRecords, describeStore, listArchives, verifyStore } from '../../../src/replication/log/inspect.ts';
import { STORE, TestStore } from './open-log.ts';

/** A store of several segments with two reigns. */
function filled(): TestStore {
  const store = new TestStore();
  store.append({ kind: 'reign', master: 'a' }, { kind: 'inSync', nodes: ['a', 'b'] });
  for (let number = 0; number < 60; number++) store.set(`key-${number}`, 'v'.repeat(100));
  store.append({ kind: 'inSync', nodes: ['b'] });
  return store;
}

/** A store of many segments of which little is still of use. */
function overwritten(): TestStore {
  const store = new TestStore();
  for (let number = 0; number < 200; number++) store.set(`key-${number % 7}`, `${number}`.padEnd(100, 'v'));
  return store;
}

/** The disk as `before` until so many logs were opened, then as `after`. */
function rewrittenAfter(opens: number, before: Disk, after: Disk): Disk {
  let left = opens;
  return new Proxy(before, {
    get(_target, name: keyof Disk) {
      const disk = left > 0 ? before : after;
      if (name !== 'open') return typeof disk[name] === 'function' ? disk[name].bind(disk) : disk[name];
      return (path: string, mode: 'read') => {
        const file = disk.open(path, mode);
        if (path.endsWith('.log')) left -= 1;
        return file;
      };
    },
  });
}

/** A picture of all files, to see that nothing was changed. */
const files = (store: TestStore): unknown =>
  store.disk.list(STORE).map((name) => [name, store.disk.stat(`${STORE}/${name}`)?.bytes]);

suite('describe', () => {
  test('tells of a store in use and changes nothing', async () => {
    const store = filled();
    await store.log.sync();
    store.log.memory.save({ epoch: 4 });
    const before = files(store);
    const found = describeStore(store.disk, STORE);
    assert.deepEqual(files(store), before);
    assert.deepEqual(found.end, store.log.end);
    assert.deepEqual([found.usedBy, found.epoch, found.intact], [1, 4, false]);
    assert.deepEqual(found.reigns, [{ epoch: 1, firstSeq: 1 }]);
    assert.equal(found.aloneTo, store.log.end.seq);
    assert.ok(found.segments.length > 3);
    assert.equal(
      found.bytes,
      found.segments.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  });

  test('a store that is closed is used by nobody, and its hint files are believed', async () => {
    const store = filled();
    await store.log.close();
    const found = describeStore(store.disk, STORE);
    assert.equal(found.usedBy, null);
    assert.equal(found.segments[0]?.hasHint, true);
    assert.equal(found.segments[0]?.records, null, 'it was not read');
    assert.deepEqual(found.segments.at(-1)?.end, found.end);
  });

  test('what is no store is said to be none', () => {
    const store = new TestStore();
    store.disk.makeDirectory('/other');
    for (const ask of [describeStore, verifyStore, listArchives]) {
      assert.throws(() => ask(store.disk, '/other'), { code: 'disk', message: '/other holds no store' });
    }
  });
});

suite('verify', () => {
  test('counts everything in a sound store', async () => {
    const store = filled();
    await store.log.close();
    const found = verifyStore(store.disk, STORE);
    assert.deepEqual(found.problems, []);
    assert.deepEqual([found.records, found.end], [63, describeStore(store.disk, STORE).end]);
  });

  test('names file and offset of each damage', async () => {
    const store = filled();
    await store.log.close();
    const [, second, third] = store.files('log');
    store.disk.flip(second!, 60);
    store.disk.flip(third!, 10);
    const { problems } = verifyStore(store.disk, STORE);
    assert.deepEqual(
      problems.map(({ file, offset }) => [file, offset]),
      [
        [second, 0],
        [third, 0],
      ],
    );
    assert.match(problems[0]!.what, /checksum of the records/);
    assert.match(problems[1]!.what, /checksum of a batch header/);
  });

  test('names a file that is missing', async () => {
    const store = filled();
    await store.log.close();
    store.disk.remove(store.files('log')[1]!);
    const { problems } = verifyStore(store.disk, STORE);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!.what, /it begins with seq \d+, the file before it ends with \d+/);
  });

  test('a log that is compacted meanwhile is read to its end', async () => {
    const [before, after] = [overwritten(), overwritten()];
    await Promise.all([before.log.sync(), after.log.sync()]);
    after.log.setConfirmed(after.log.end.seq);
    let runs = 0;
    while (await after.log.compact()) runs += 1;
    assert.ok(runs > 0 && before.files('log').length > after.files('log').length + 3);
    const expected = verifyStore(after.disk, STORE);
    assert.deepEqual(expected.problems, []);
    for (let opens = 0; opens <= before.files('log').length; opens++) {
      const found = verifyStore(rewrittenAfter(opens, before.disk, after.disk), STORE);
      assert.deepEqual([found.problems, found.end], [[], expected.end], `${opens} files were read before`);
      const firstSeqs = found.segments.map(({ firstSeq }) => firstSeq);
      const ends = found.segments.map(({ end }) => end.seq + 1);
      assert.deepEqual(firstSeqs, [1, ...ends.slice(0, -1)], 'each file once, and none is missing');
    }
  });

  test('a write under way is no problem', () => {
    const store = filled();
    const last = store.files('log').at(-1)!;
    const { bytes } = store.disk.stat(last)!;
    store.disk.open(last, 'write').write(new Uint8Array(20), bytes);
    const found = verifyStore(store.disk, STORE);
    assert.deepEqual([found.problems, found.segments.at(-1)?.unfinishedBytes], [[], 20]);
  });
});

suite('archives', () => {
  test('a cut tail can be read again, record by record', async () => {
    const store = filled();
    const fork = store.log.end;
    store.append({ kind: 'set', key: 'lost', value: 'found' }, { kind: 'delete', key: 'key-1' });
    for (let number = 0; number < 30; number++) store.set(`lost-${number}`, 'v'.repeat(100));
    const { end } = store.log;
    const path = await store.log.cut(fork);
    const [archive, ...more] = listArchives(store.disk, STORE);
    assert.deepEqual(more, []);
    assert.deepEqual(
      [archive?.path, archive?.kind, archive?.firstSeq, archive?.end, archive?.records, archive?.problems],
      [path, 'tail', fork.seq + 1, end, 32, []],
    );
    const records = [...archivedRecords(store.disk, path)].map(({ seq, op, key }) => [
      seq,
      op,
      Buffer.from(key).toString(),
    ]);
    assert.equal(records.length, 32);
    assert.deepEqual(records.slice(0, 2), [
      [fork.seq + 1, OP.set, 'lost'],
      [fork.seq + 2, OP.delete, 'key-1'],
    ]);
    const [first] = archivedRecords(store.disk, path);
    assert.equal(Buffer.from(first!.value).toString(), 'found');
    assert.equal(store.get('key-1'), 'v'.repeat(100), 'what the tail deleted is back');
  });

  test('a log that was moved away can be read again; damage in it is told', async () => {
    const store = filled();
    const { end } = store.log;
    const path = await store.log.reset();
    const [archive] = listArchives(store.disk, STORE);
    assert.deepEqual([archive?.path, archive?.kind, archive?.records, archive?.end], [path, 'log', 63, end]);
    assert.equal([...archivedRecords(store.disk, path)].length, 63);
    const inside = store.disk.list(path).filter((name) => name.endsWith('.log'));
    store.disk.flip(`${path}/${inside.toSorted()[0]!}`, 70);
    assert.equal(listArchives(store.disk, STORE)[0]?.problems.length, 1);
  });

  test("two archives with the same seqs do not get in each other's way", async () => {
    const store = new TestStore();
    const paths = [];
    for (let number = 0; number < 3; number++) {
      store.set('key', `value-${number}`);
      paths.push(await store.log.cut({ epoch: 0, seq: 0, hash: 0 }));
    }
    assert.equal(new Set(paths).size, 3);
    assert.equal(await store.log.cut({ epoch: 0, seq: 0, hash: 0 }), '', 'nothing to cut, nothing to archive');
  });
});
