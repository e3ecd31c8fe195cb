import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { levelPair, PairOfNodes, SILENCE_LIMIT_MS } from './pair-of-nodes.ts';

const KiB = 1024;

suite('a slave that attaches', () => {
  test('gets the whole log, then what is written', async () => {
    const pair = await levelPair();
    assert.equal(pair.master.session?.isLevel, true);
    assert.equal(pair.master.session.catchUp(), null);
    assert.equal(pair.master.session.lagBytes, 0);
    assert.equal(pair.following?.isFollowing, true);
    const { reads } = pair.master.log;
    for (let count = 0; count < 50; count += 1) {
      pair.master.write(3, 100);
      await pair.scheduler.advance(5);
    }
    await pair.untilLevel();
    assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
    assert.equal(pair.master.log.reads, reads, 'live batches come from memory');
    assert.deepEqual(pair.master.session.peerEnd, pair.master.log.end);
    pair.stop();
  });

  test('catches up under writes, and is live before they end', async () => {
    const pair = new PairOfNodes({ delayMs: 0.2 });
    pair.master.writer.reign(1);
    for (let count = 0; count < 200; count += 1) pair.master.write(4, 16 * KiB);
    void pair.start();
    let levelAfterMs: number | null = null;
    for (let passedMs = 0; passedMs < 3000; passedMs += 1) {
      pair.master.write(1, 100);
      await pair.scheduler.advance(1);
      if (pair.master.session?.isLevel) levelAfterMs ??= passedMs;
    }
    assert.ok(levelAfterMs !== null, 'level while writes went on');
    await pair.untilLevel();
    assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
    pair.stop();
  });

  test('waits, with greetings, until the peer is master', async () => {
    const pair = new PairOfNodes();
    pair.feeds = false;
    pair.master.role = 'waiting';
    void pair.start();
    await pair.scheduler.advance(3 * SILENCE_LIMIT_MS);
    assert.equal(pair.links.length, 1, 'one link all the time');
    assert.equal(pair.slave.hellos.at(-1)?.role, 'waiting');
    pair.master.role = 'master';
    pair.master.epoch = 5;
    pair.master.writer.reign(5);
    pair.master.session?.attach();
    pair.master.session?.attach();
    await pair.untilLevel();
    assert.equal(pair.slave.epoch, 5);
    assert.equal(pair.slave.hellos.at(-1)?.role, 'master');
    assert.equal(pair.slave.attaches.length, 1);
    assert.deepEqual(pair.master.acks[0], { epoch: 5, seq: 0 });
    pair.stop();
  });

  test('is marked intact when it holds what the master held', async () => {
    const pair = new PairOfNodes();
    pair.slave.log.intact = false;
    pair.master.writer.reign(1);
    pair.master.write(1, 10);
    await pair.scheduler.advance(100);
    assert.equal(pair.slave.log.intact, false);
    void pair.start();
    await pair.untilLevel();
    assert.equal(pair.slave.log.intact, true);
    pair.stop();
  });
});
