import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PairOfNodes } from './pair-of-nodes.ts';

suite('logs that parted', () => {
  /** Both hold epoch 1; then b alone got a tail, and a began epoch 3. */
  function parted(tailIn: 'epoch 1' | 'epoch 2', inSync: readonly string[] = ['b', 'a']): PairOfNodes {
    const pair = new PairOfNodes();
    const batches = [pair.master.writer.reign(1), pair.master.writer.write(5, 100)];
    for (const batch of batches) pair.slave.log.append(batch);
    if (tailIn === 'epoch 2') pair.slave.writer.reign(2, inSync);
    pair.slave.writer.write(3, 50);
    pair.master.writer.reign(3);
    pair.master.writer.write(7, 10);
    pair.master.epoch = 3;
    return pair;
  }

  for (const tailIn of ['epoch 1', 'epoch 2'] as const) {
    test(`a tail that nobody acknowledged is archived and cut (${tailIn})`, async () => {
      const pair = parted(tailIn);
      const tail = pair.slave.log.bytes.subarray(
        pair.master.log.positionAt(7) === null ? 0 : pair.slave.log.bytes.length - pair.slave.log.bytesAfter(7),
      );
      void pair.start();
      await pair.untilLevel();
      assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
      assert.deepEqual(pair.slave.archives, ['archive-1']);
      assert.deepEqual(pair.slave.log.archives, [tail]);
      assert.equal(pair.slave.attaches[0]?.fork.seq, 7);
      pair.stop();
    });
  }

  test('a tail that was acknowledged alone stays, and both sides are told', async () => {
    const pair = parted('epoch 2', ['b']);
    const before = pair.slave.log.bytes;
    void pair.start();
    await pair.scheduler.advance(1000);
    assert.deepEqual(pair.slave.log.bytes, before);
    assert.equal(pair.slave.refusals[0]?.code, 'diverged');
    assert.deepEqual(pair.master.refusals[0], pair.slave.refusals[0]);
    assert.deepEqual(pair.master.acks, []);
    pair.stop();
  });

  test('where compaction forbids the cut, everything is archived and the slave starts anew', async () => {
    const pair = parted('epoch 2');
    pair.slave.log.cannotCut = true;
    void pair.start();
    await pair.untilLevel();
    assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
    assert.deepEqual(pair.slave.archives, ['archive-1']);
    assert.equal(pair.links.length, 2);
    assert.equal(pair.slave.log.intact, true);
    pair.stop();
  });

  test('a slave that stopped before deletes were forgotten starts from nothing', async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    pair.slave.log.append(pair.master.log.bytes);
    pair.master.writer.write(10, 10);
    pair.master.log.oldestResumable = 5;
    void pair.start();
    await pair.untilLevel();
    assert.equal(pair.slave.attaches[0]?.fromNothing, true);
    assert.equal(pair.slave.attaches[0]?.fork.seq, 2);
    assert.deepEqual(pair.slave.archives, ['archive-1']);
    assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
    pair.stop();
  });

  test('logs that contradict each other are neither cut nor sent', async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    pair.master.writer.write(2, 10);
    pair.slave.writer.reign(1);
    pair.slave.writer.write(2, 11);
    const before = pair.slave.log.bytes;
    void pair.start();
    await pair.scheduler.advance(500);
    assert.match(pair.master.refusals[0]?.reason ?? '', /different contents/);
    assert.equal(pair.slave.refusals[0]?.code, 'diverged');
    assert.deepEqual(pair.slave.log.bytes, before);
    pair.stop();
  });

  test('contents that differ before the fork are noticed where both know the hash', async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    pair.master.writer.write(2, 10);
    pair.slave.writer.reign(1);
    pair.slave.writer.write(2, 11);
    pair.master.writer.write(5, 10);
    void pair.start();
    await pair.scheduler.advance(500);
    assert.match(pair.master.refusals[0]?.reason ?? '', /record 1-4 has different contents before it/);
    assert.deepEqual(pair.slave.attaches, []);
    pair.stop();
  });
});
