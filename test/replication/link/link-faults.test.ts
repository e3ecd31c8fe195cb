import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import { levelPair, PairOfNodes, SILENCE_LIMIT_MS, startedPair } from './pair-of-nodes.ts';
import { tries } from '../../effort.ts';

const KiB = 1024;
const MiB = 1024 * 1024;

/** Numbers that look random, the same for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

suite('whatever happens to the link', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('write' as const),
        records: fc.integer({ min: 1, max: 20 }),
        bytes: fc.nat(3000),
      }),
    },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('block' as const), ms: fc.nat(300) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('huge' as const), bytes: fc.nat(MiB) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('pace' as const),
        rate: fc.option(fc.integer({ min: MiB, max: 20 * MiB })),
      }),
    },
  );

  test('the slave holds a prefix of the log, goes on where it stopped, and gets all in the end', async () => {
    const wires = fc.record({
      delayMs: fc.double({ min: 0, max: 5, noNaN: true }),
      chunkBytes: fc.integer({ min: 5000, max: 200_000 }),
    });
    await fc.assert(
      fc.asyncProperty(wires, fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), async (wire, steps, seed) => {
        const pair = startedPair({ ...wire, random: seededRandom(seed) });
        pair.master.writer.reign(1);
        for (const now of steps) {
          if (now.do === 'write') pair.master.write(now.records, now.bytes);
          else if (now.do === 'huge') pair.master.write(1, now.bytes);
          else if (now.do === 'wait') await pair.scheduler.advance(now.ms);
          else if (now.do === 'cut') pair.links.at(-1)?.cut();
          else if (now.do === 'pace') pair.master.session?.setPace({ bytesPerSecond: now.rate, intervalMs: 100 });
          else {
            const end = pair.links.at(-1)?.acceptor;
            if (end === undefined) continue;
            end.blocked = true;
            pair.scheduler.after(now.ms, () => end.unblock());
          }
          pair.checkPrefix();
        }
        await pair.untilLevel();
        pair.stop();
        assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
        assert.deepEqual(pair.slave.archives, [], 'nothing was cut');
        let reached = 0;
        for (const attach of pair.slave.attaches) {
          assert.ok(attach.fork.seq >= reached, 'no start from an earlier place');
          assert.equal(attach.fromNothing, false);
          reached = attach.fork.seq;
        }
        const confirmed = pair.master.acks.map(({ seq }) => seq);
        assert.deepEqual(
          confirmed,
          confirmed.toSorted((a, b) => a - b),
        );
      }),
      { numRuns: tries(1_000) },
    );
  });

  test('a slow slave costs no memory: what it lacks is read from the log again', async () => {
    const pair = await levelPair({ chunkBytes: 32 * KiB, delayMs: 1 });
    const { acceptor } = pair.link;
    const readsBefore = pair.master.log.reads;
    acceptor.blocked = true;
    for (let count = 0; count < 400; count += 1) pair.master.write(1, 64 * KiB);
    assert.ok(acceptor.mostQueuedBytes < 512 * KiB, `${acceptor.mostQueuedBytes} bytes are queued`);
    acceptor.unblock();
    await pair.scheduler.advance(10);
    assert.ok((pair.master.session?.catchUp()?.totalBytes ?? 0) > 20 * MiB);
    await pair.untilLevel();
    assert.ok(pair.master.log.reads > readsBefore);
    assert.deepEqual(pair.slave.log.bytes, pair.master.log.bytes);
    pair.stop();
  });

  test('a heartbeat waits behind one piece of log at most, also in a catch-up and behind a huge value', async () => {
    const pair = new PairOfNodes({ chunkBytes: 16 * KiB, delayMs: 2 });
    pair.master.writer.reign(1);
    for (let count = 0; count < 100; count += 1) pair.master.write(1, 100 * KiB);
    void pair.start();
    await pair.scheduler.advance(50);
    pair.master.write(1, 3 * MiB);
    for (let count = 0; count < 200; count += 1) {
      const { acceptor } = pair.link;
      assert.ok(acceptor.queuedBytes < 64 * KiB + 257 * KiB, `${acceptor.queuedBytes} bytes before a ping`);
      pair.master.session?.ping({ type: 'ping', sentAtMs: count, epoch: 1, confirmedSeq: 0, wantsLease: true });
      await pair.scheduler.advance(10);
    }
    await pair.untilLevel();
    assert.equal(pair.slave.pings.length, pair.master.grants.length);
    pair.stop();
  });

  test('a silent peer is given up, by both, and dialled again', async () => {
    const pair = await levelPair();
    pair.link.acceptor.blocked = true;
    pair.link.dialler.blocked = true;
    await pair.scheduler.advance(2 * SILENCE_LIMIT_MS);
    assert.match(pair.slave.ends[0]?.reason ?? '', /node a was silent/);
    assert.match(pair.master.ends[0]?.reason ?? '', /node b was silent|replaced/);
    pair.master.write(1, 10);
    await pair.untilLevel();
    assert.ok(pair.links.length >= 2);
    pair.stop();
  });

  test('a peer that cannot be reached is dialled until it can', async () => {
    const pair = new PairOfNodes();
    pair.reachable = false;
    void pair.start();
    await pair.scheduler.advance(5000);
    assert.equal(pair.links.length, 0);
    pair.reachable = true;
    pair.master.writer.reign(1);
    await pair.untilLevel();
    pair.stop();
  });

  test('whoever stops following closes the link and does not dial again', async () => {
    const pair = new PairOfNodes();
    pair.master.writer.reign(1);
    const run = pair.start();
    await pair.untilLevel();
    pair.stop();
    await pair.scheduler.advance(10);
    await run;
    assert.equal(pair.following, null);
    await pair.scheduler.advance(60_000);
    assert.equal(pair.links.length, 1);
    assert.deepEqual(pair.slave.ends, [{ reason: 'this node does not follow any more', failure: null }]);
    assert.equal(pair.scheduler.pending, 0, 'no timer is left');
  });
});
