import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BatchHeader } from '../../../src/protocol/batch/batch-header.ts';
import { BatchAssembler } from '../../../src/replication/link/batch-assembler.ts';
import { BATCH_HEADER_BYTES } from '../../../src/protocol/batch/layout.ts';
import { Hint } from '../../../src/replication/log/hint-file.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { LogModel } from './log-model.ts';
import { seeded, STORE, TestStore } from './open-log.ts';
import { shipLog } from './ship-log.ts';

const never = async (): Promise<boolean> => false;

/** A master with some complete segments, with overwritten and deleted keys, and a reign in each; synced and sealed. */
async function filledMaster(word = 'value'): Promise<TestStore> {
  const store = new TestStore({ random: seeded(3) });
  for (let round = 1; round <= 4; round++) {
    store.append({ kind: 'reign', master: 'a' }, { kind: 'inSync', nodes: round % 2 === 0 ? ['a'] : ['a', 'b'] });
    for (let number = 0; number < 60; number++) store.set(`key-${number}`, `${word} ${number} of round ${round}`);
    store.append({ kind: 'delete', key: `key-${round}` });
  }
  await sealed(store);
  return store;
}

async function sealed(store: TestStore): Promise<void> {
  await store.log.sync();
  await store.log.compact();
}

function sameContent(one: TestStore, other: TestStore): void {
  assert.deepEqual(other.log.end, one.log.end);
  assert.deepEqual(other.log.state().history, one.log.state().history);
  assert.equal(other.log.state().aloneTo, one.log.state().aloneTo);
  assert.equal(other.log.count, one.log.count);
  for (let number = 0; number < 60; number++) {
    assert.equal(other.get(`key-${number}`), one.get(`key-${number}`), `key-${number}`);
  }
}

/** What is sent of the complete segment behind `seq`. */
async function partsOf(store: TestStore, seq: number): Promise<{ hint: Buffer; batches: readonly Uint8Array[] }> {
  const shipment = store.log.ship(seq)!;
  const hint: Uint8Array[] = [];
  const batches: Uint8Array[] = [];
  const assembler = new BatchAssembler();
  for (let last = false; !last;) {
    const part = await shipment.next(500);
    ({ last } = part);
    if (part.kind === 'hint') hint.push(part.bytes.slice());
    else assembler.push(part.bytes, (batch) => void batches.push(batch.slice()));
  }
  shipment.close();
  return { hint: Buffer.concat(hint), batches };
}

function turns(count: number): () => Promise<void> {
  return async () => {
    for (let left = count; left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
  };
}

function damageAt(path: string): string {
  return `${path} is damaged at byte 0: the checksum of block 0 is wrong`;
}

/** The slave gets what it lacks, and has all then; both are closed. */
async function completes(master: TestStore, slave: TestStore): Promise<void> {
  await shipLog(master.log, slave.log, never);
  await slave.log.settle();
  sameContent(master, slave);
  await slave.log.close();
  await master.log.close();
}

function readFile(store: TestStore, path: string): Buffer {
  const file = store.disk.mount().open(path, 'read');
  const bytes = Buffer.alloc(file.size());
  file.read(bytes, 0, bytes.length, 0);
  return bytes;
}

/** A slave with an empty log and the master's index key. */
function emptySlave(master: TestStore): TestStore {
  const slave = new TestStore();
  slave.log.takeIndexKey(master.log.indexKey, master.log.count);
  return slave;
}

describe('segments that come whole', () => {
  test('are the same files in the end, hint files too, and all of it is found by key', async () => {
    const master = await filledMaster();
    const slave = emptySlave(master);
    const whole = await shipLog(master.log, slave.log, never);
    assert.ok(whole >= 3, `${whole} segments came whole`);
    await slave.log.settle();
    sameContent(master, slave);
    await sealed(slave);
    const hints = slave.files('hint');
    assert.ok(hints.length >= whole);
    for (const kind of ['log', 'hint'] as const) {
      for (const [number, path] of slave.files(kind).slice(0, whole).entries()) {
        assert.deepEqual(readFile(slave, path), readFile(master, master.files(kind)[number]!), path);
      }
    }
    await slave.log.close();
    slave.open();
    sameContent(master, slave);
    await slave.log.close();
    await master.log.close();
  });

  test('are found by key at once when this node writes on by itself', async () => {
    const master = await filledMaster();
    const slave = emptySlave(master);
    let left = 25;
    await shipLog(master.log, slave.log, async (ofSegment) => ofSegment && left-- === 0);
    assert.equal(slave.log.isExpecting, true);
    assert.equal(slave.log.isSettled, false);
    const { end } = slave.log;
    slave.log.append(LogModel.bytesOf([{ kind: 'set', key: 'own', value: 'write' }], end.epoch, end), true);
    assert.equal(slave.log.isSettled, true);
    assert.equal(slave.get('own'), 'write');
    assert.equal(slave.get('key-5'), 'value 5 of round 1');
    await slave.log.close();
    slave.open();
    assert.equal(slave.get('own'), 'write');
    assert.equal(slave.get('key-5'), 'value 5 of round 1');
    await slave.log.close();
    await master.log.close();
  });

  test('go on within a segment after it was broken off, and after a crash in the middle of it', async () => {
    for (const ending of ['settle', 'kill', 'close'] as const) {
      const master = await filledMaster();
      const slave = emptySlave(master);
      let left = 40;
      await shipLog(master.log, slave.log, async (ofSegment) => ofSegment && left-- === 0);
      const { end } = slave.log;
      if (ending === 'settle') {
        await slave.log.settle();
      } else {
        if (ending === 'kill') slave.disk.kill();
        else await slave.log.close();
        slave.open();
      }
      if (ending === 'kill')
        assert.ok(slave.log.end.seq > 0 && slave.log.end.seq <= end.seq, 'the last batches were in memory');
      else assert.deepEqual(slave.log.end, end, ending);
      assert.equal(slave.log.isSettled, true);
      await completes(master, slave);
    }
  });

  test('of which one does not fit its hint file are taken as plain batches from there on', async () => {
    const master = await filledMaster();
    const other = await filledMaster('other');
    const slave = emptySlave(master);
    const wrong = await partsOf(other, 0);
    const first = await partsOf(master, 0);
    slave.log.expect(wrong.hint);
    for (const batch of first.batches) slave.log.append(batch);
    await slave.log.room();
    const second = await partsOf(master, slave.log.end.seq);
    slave.log.expect(second.hint);
    assert.equal(slave.log.isExpecting, false, 'the one before has to be read back first');
    for (const batch of second.batches) slave.log.append(batch);
    await slave.log.settle();
    await completes(master, slave);
    await other.log.close();
  });

  test('leave nothing behind in a log that is reset while they are being written', async () => {
    const master = await filledMaster();
    const slave = new TestStore({}, turns(5));
    slave.log.takeIndexKey(master.log.indexKey, master.log.count);
    const { hint, batches } = await partsOf(master, 0);
    slave.log.expect(hint);
    for (const batch of batches) slave.log.append(batch);
    assert.equal(slave.log.hasRoom, false);
    await slave.log.reset();
    await turns(10)();
    await slave.log.settle();
    assert.equal(slave.log.failure, null);
    await completes(master, slave);
  });

  test('are read back once they are on the disk, which shows whether they are what came', async () => {
    for (const flips of [false, true]) {
      const master = await filledMaster();
      const timers = new ManualScheduler();
      const slave = new TestStore({ readBackTimers: timers });
      slave.log.takeIndexKey(master.log.indexKey, master.log.count);
      await shipLog(master.log, slave.log, never);
      await slave.log.settle();
      const path = slave.files('log')[1]!;
      if (flips) slave.disk.flip(path, 700);
      await sealed(slave);
      await timers.advance(10_000);
      assert.equal(slave.log.damage?.message ?? null, flips ? damageAt(path) : null);
      assert.equal(timers.pending, 0);
      if (flips) continue;
      await sealed(slave);
      assert.equal(timers.pending, 0, 'once is enough');
      await slave.log.close();
    }
  });

  test('are not read back any more when the log is closed', async () => {
    const master = await filledMaster();
    const timers = new ManualScheduler();
    const slave = new TestStore({ readBackTimers: timers });
    slave.log.takeIndexKey(master.log.indexKey, master.log.count);
    await shipLog(master.log, slave.log, never);
    await slave.log.settle();
    await sealed(slave);
    assert.equal(timers.pending, 1);
    await slave.log.close();
    assert.equal(timers.pending, 0);
    assert.equal(slave.troubles.length, 0);
  });

  test('are compacted like others, and cut like others', async () => {
    const master = await filledMaster();
    const slave = emptySlave(master);
    await shipLog(master.log, slave.log, never);
    const { seq } = slave.log.end;
    slave.set('behind', 'x');
    await slave.log.cut(slave.log.positionAt(seq)!);
    sameContent(master, slave);
    slave.log.setConfirmed(seq);
    await slave.log.sync();
    while (await slave.log.compact());
    assert.ok(slave.log.oldestResumable >= 0);
    sameContent(master, slave);
    await slave.log.close();
    slave.open();
    sameContent(master, slave);
    await slave.log.close();
    await master.log.close();
  });

  test('come as plain batches where the hint is damaged, of another index, or of another place', async () => {
    const master = await filledMaster();
    const [path] = master.files('hint');
    const bytes = readFile(master, path!);
    assert.ok(Hint.inMemory(bytes, master.log.indexKey.store) !== null);
    const stranger = new TestStore();
    stranger.log.expect(bytes);
    assert.equal(stranger.log.isExpecting, false);
    const slave = emptySlave(master);
    for (const at of [0, 20, bytes.length - 1]) {
      const damaged = Uint8Array.from(bytes);
      damaged[at]! ^= 1;
      slave.log.expect(damaged);
      assert.equal(slave.log.isExpecting, false, `byte ${at}`);
    }
    slave.log.expect(readFile(master, master.files('hint')[1]!));
    assert.equal(slave.log.isExpecting, false, 'of the second segment');
    await shipLog(master.log, slave.log, never);
    await slave.log.settle();
    sameContent(master, slave);
    for (const { log } of [slave, stranger, master]) await log.close();
  });

  test('damage in them is found by the slave, and then, when it asks again, by the master', async () => {
    for (const batch of [0, 1]) {
      const master = await filledMaster();
      const slave = emptySlave(master);
      const [path] = master.files('log');
      const first = new BatchHeader().read(readFile(master, path!)).totalBytes;
      master.disk.flip(path!, batch * first + BATCH_HEADER_BYTES);
      await assert.rejects(shipLog(master.log, slave.log, never), /checksum of the records .* is wrong/);
      await slave.log.settle();
      assert.equal(slave.log.end.seq > 0, batch > 0);
      assert.equal(master.log.damage, null);
      const found = batch === 0 ? /checksum of block 0 is wrong/ : /checksum of the records .* is wrong/;
      await assert.rejects(shipLog(master.log, slave.log, never), found);
      assert.ok(master.log.damage !== null);
      await slave.log.close();
      await master.log.close();
    }
  });

  test('an index that knows something keeps its key', async () => {
    const master = await filledMaster();
    const slave = new TestStore();
    slave.set('key', 'value');
    assert.throws(() => slave.log.takeIndexKey(master.log.indexKey, 10), /is not empty/);
    await slave.log.close();
    await master.log.close();
    assert.ok(slave.disk.stat(`${STORE}/meta.json`) !== null);
  });
});
