import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { levelPair, PairOfNodes } from './pair-of-nodes.ts';

suite('epochs', () => {
  test('a master of a lower epoch is refused, and learns of the higher one', async () => {
    const pair = await levelPair();
    pair.slave.epoch = 4;
    pair.master.write(1, 10);
    const { seq } = pair.slave.log.end;
    await pair.scheduler.advance(15);
    assert.equal(pair.slave.log.end.seq, seq, 'nothing of a lower epoch is appended');
    assert.equal(pair.slave.refusals[0]?.code, 'epoch');
    assert.equal(pair.master.epoch, 4);
    assert.ok(pair.master.acks.every((ack) => ack.seq <= seq));
    pair.stop();
  });

  test('it gets nothing cut before it is refused', async () => {
    const pair = new PairOfNodes();
    pair.master.log.append(pair.slave.writer.reign(1));
    pair.slave.writer.write(3, 10);
    pair.master.writer.write(1, 20);
    pair.slave.epoch = 4;
    pair.master.peerSaid = () => undefined;
    void pair.start();
    await pair.scheduler.advance(200);
    assert.deepEqual(pair.slave.archives, []);
    assert.equal(pair.slave.log.end.seq, 5);
    assert.equal(pair.slave.refusals[0]?.code, 'epoch');
    pair.stop();
  });

  test('its pings are refused too, and grant nothing', async () => {
    const pair = await levelPair();
    pair.slave.epoch = 4;
    pair.slave.leaseMs = 1000;
    pair.master.session?.ping({ type: 'ping', sentAtMs: 1, epoch: 1, confirmedSeq: 0, wantsLease: true });
    await pair.scheduler.advance(15);
    assert.deepEqual(pair.slave.pings, []);
    assert.deepEqual(pair.master.grants, []);
    assert.match(pair.slave.refusals[0]?.reason ?? '', /epoch 1 is over: this node has seen epoch 4/);
    pair.stop();
  });

  test('what was appended is not confirmed once a higher epoch was seen', async () => {
    const pair = await levelPair({ syncBeforeAck: true });
    const confirmed = pair.master.acks.length;
    const sync = Promise.withResolvers<void>();
    pair.slave.log.holdUntil = sync.promise;
    pair.master.write(1, 10);
    await pair.scheduler.advance(20);
    assert.equal(pair.slave.log.end.seq, pair.master.log.end.seq);
    pair.slave.epoch = 2;
    sync.resolve();
    await pair.scheduler.advance(20);
    assert.equal(pair.master.acks.length, confirmed);
    pair.stop();
  });

  test('a batch of a later epoch than the attachment is not appended', async () => {
    const pair = await levelPair();
    const { seq } = pair.slave.log.end;
    pair.master.session?.appended(pair.master.writer.reign(9));
    await pair.scheduler.advance(15);
    assert.equal(pair.slave.log.end.seq, seq);
    assert.match(pair.slave.ends[0]?.reason ?? '', /a batch of epoch 9 came under epoch 1/);
    pair.stop();
  });
});

suite('confirmations', () => {
  test('come once a turn, however many batches it brought', async () => {
    const pair = await levelPair({ delayMs: 0 });
    const before = pair.master.acks.length;
    for (let count = 0; count < 100; count += 1) pair.master.write(1, 10);
    await pair.untilLevel();
    assert.ok(pair.master.acks.length - before <= 5, `${pair.master.acks.length - before} confirmations`);
    assert.equal(pair.slave.appends.at(-1)?.seq, pair.master.log.end.seq);
    pair.stop();
  });

  test('wait for the disk where they have to, and never promise more than it holds', async () => {
    const pair = await levelPair({ syncBeforeAck: true });
    const { syncs } = pair.slave.log;
    const confirmed = pair.master.session?.ackedSeq;
    const sync = Promise.withResolvers<void>();
    pair.slave.log.holdUntil = sync.promise;
    pair.master.write(1, 10);
    await pair.scheduler.advance(20);
    const durable = pair.slave.log.end.seq;
    for (let count = 0; count < 10; count += 1) {
      pair.master.write(1, 10);
      await pair.scheduler.advance(5);
    }
    assert.equal(pair.master.session?.ackedSeq, confirmed);
    const acks = pair.master.acks.length;
    sync.resolve();
    await pair.untilLevel();
    assert.deepEqual(pair.master.acks[acks], { epoch: 1, seq: durable });
    assert.equal(pair.slave.log.syncs, syncs + 2, 'what was appended during a sync went with one more');
    pair.stop();
  });

  test('wait for the disk from the first on, which tells of records that came over an earlier link', async () => {
    const pair = await levelPair({ syncBeforeAck: true });
    const sync = Promise.withResolvers<void>();
    pair.slave.log.holdUntil = sync.promise;
    pair.master.write(1, 10);
    await pair.scheduler.advance(20);
    assert.equal(pair.slave.log.end.seq, 13);
    pair.link.cut();
    await pair.scheduler.advance(200);
    assert.equal(pair.links.length, 2);
    assert.equal(pair.master.acks.at(-1)?.seq, 12);
    sync.resolve();
    await pair.untilLevel();
    pair.stop();
  });

  test('that fall end the link', async () => {
    const pair = await levelPair();
    pair.link.dialler.send({ type: 'ack', epoch: 1, seq: 11 });
    await pair.scheduler.advance(20);
    assert.match(pair.master.ends[0]?.reason ?? '', /confirmation of record 11, sent are 12 to 12/);
    pair.stop();
  });

  test('of what was never sent end the link', async () => {
    const pair = await levelPair();
    pair.link.dialler.send({ type: 'ack', epoch: 1, seq: 1000 });
    await pair.scheduler.advance(20);
    assert.match(pair.master.ends[0]?.reason ?? '', /confirmation of record 1000, sent are 12 to 12/);
    pair.stop();
  });

  test('of another epoch end the link', async () => {
    const pair = await levelPair();
    pair.link.dialler.send({ type: 'ack', epoch: 2, seq: 1 });
    await pair.scheduler.advance(20);
    assert.match(pair.master.ends[0]?.reason ?? '', /confirmation for epoch 2/);
    pair.stop();
  });
});

suite('leases and releases on the link', () => {
  test('a ping is answered with what the slave grants, and echoes when it was sent', async () => {
    const pair = await levelPair();
    const ping = { type: 'ping', sentAtMs: 123.25, epoch: 1, confirmedSeq: 3, wantsLease: true } as const;
    pair.master.session?.ping(ping);
    await pair.scheduler.advance(15);
    pair.slave.leaseMs = 750;
    pair.master.session?.ping({ ...ping, sentAtMs: 124.5 });
    await pair.scheduler.advance(15);
    assert.deepEqual(pair.slave.pings, [ping, { ...ping, sentAtMs: 124.5 }]);
    assert.deepEqual(pair.master.grants, [
      { type: 'grant', echoedSentAtMs: 123.25, epoch: 1, leaseMs: 0, lingerMs: 0 },
      { type: 'grant', echoedSentAtMs: 124.5, epoch: 1, leaseMs: 750, lingerMs: 0 },
    ]);
    pair.stop();
  });

  test('releases go both ways', async () => {
    const pair = await levelPair();
    pair.master.session?.release(1);
    pair.following?.release(7);
    await pair.scheduler.advance(15);
    assert.deepEqual(pair.slave.releases, [1]);
    assert.deepEqual(pair.master.releases, [7]);
    pair.stop();
  });
});
