import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { LOG_START } from '../../../src/model/position.ts';
import type { Attach, PeerHello } from '../../../src/protocol/link/messages.ts';
import { type CutPlan, planAttach, planCut } from '../../../src/replication/link/attach-plan.ts';
import { carryOutCut } from '../../../src/replication/link/carry-out-cut.ts';
import { LogWriter, MemoryLog } from '../memory-log.ts';
import { SlaveNode } from './pair-of-nodes.ts';

/** A log of one reign with three batches of ten records behind its first two. */
function threeBatches(): MemoryLog {
  const log = new MemoryLog();
  const writer = new LogWriter(log);
  writer.reign(1);
  for (let count = 0; count < 3; count += 1) writer.write(10, 5);
  return log;
}

function helloOf(log: MemoryLog, change: Partial<PeerHello> = {}): PeerHello {
  const { end, history, aloneTo } = log.state();
  return { ...new SlaveNode('b').hello(), end, history, aloneTo, ...change };
}

function attachAt(log: MemoryLog, seq: number, change: Partial<Attach> = {}): Attach {
  const fork = log.positionAt(seq) ?? { epoch: 1, seq, hash: 0 };
  return { type: 'attach', epoch: 2, fork, end: fork, catchUpBytes: 0, fromNothing: false, index: null, ...change };
}

suite("the master's plan", () => {
  test('starts where the slave ends, with the bytes that it lacks', () => {
    const log = threeBatches();
    const end = log.positionAt(12)!;
    const plan = planAttach(log, helloOf(log, { end }), 5);
    assert.deepEqual(plan, {
      attach: {
        type: 'attach',
        epoch: 5,
        fork: end,
        end: log.end,
        catchUpBytes: log.bytesAfter(12),
        fromNothing: false,
        index: null,
      },
    });
  });

  test('starts at the beginning for an empty log, which has nothing to throw away', () => {
    const log = threeBatches();
    const plan = planAttach(log, helloOf(new MemoryLog()), 5);
    assert.ok('attach' in plan);
    assert.deepEqual(plan.attach.fork, LOG_START);
    assert.equal(plan.attach.fromNothing, false);
  });

  test('starts from nothing where nothing is shared, or the place is not known any more', () => {
    const log = threeBatches();
    const stranger = new MemoryLog();
    new LogWriter(stranger).reign(4);
    for (const hello of [
      helloOf(stranger),
      helloOf(log, {
        history: [
          { epoch: 1, firstSeq: 1 },
          { epoch: 3, firstSeq: 14 },
        ],
        end: { epoch: 3, seq: 20, hash: 1 },
      }),
    ]) {
      const plan = planAttach(log, hello, 5);
      assert.ok('attach' in plan);
      assert.equal(plan.attach.fromNothing, true);
      assert.equal(plan.attach.catchUpBytes, log.appendedBytes);
    }
  });

  test('takes the word of a slave for a place that was compacted here', () => {
    const log = threeBatches();
    const end = { epoch: 1, seq: 15, hash: 99 };
    const plan = planAttach(log, helloOf(log, { end }), 5);
    assert.ok('attach' in plan);
    assert.deepEqual(plan.attach.fork, end);
  });

  test('does not exist for a slave whose log differs before the fork', () => {
    const log = threeBatches();
    const end = { ...log.positionAt(12)!, hash: 99 };
    assert.deepEqual(planAttach(log, helloOf(log, { end }), 5), {
      conflict: 'record 1-12 has different contents before it in the two logs',
    });
  });
});

suite("the slave's plan", () => {
  const log = threeBatches();
  const plans: [string, Attach, CutPlan][] = [
    ['nothing to cut at its end', attachAt(log, 32), { kind: 'none' }],
    ['a cut at an earlier batch', attachAt(log, 12), { kind: 'cut', to: log.positionAt(12)! }],
    ['a cut of everything', attachAt(log, 0), { kind: 'cut', to: LOG_START }],
    [
      'nothing left if the master says so',
      attachAt(log, 12, { fromNothing: true }),
      { kind: 'reset', greetAgain: false },
    ],
    ['a new start where the place is not known', attachAt(log, 15), { kind: 'reset', greetAgain: true }],
  ];
  for (const [what, attach, plan] of plans) {
    test(`is ${what}`, () => assert.deepEqual(planCut(log, attach), plan));
  }

  test('is to do nothing with an empty log', () => {
    assert.deepEqual(planCut(new MemoryLog(), attachAt(log, 0, { fromNothing: true })), { kind: 'none' });
  });

  test('does not exist where the master is wrong about this log', () => {
    const wrong = [
      attachAt(log, 40),
      attachAt(log, 12, { fork: { ...log.positionAt(12)!, hash: 1 } }),
      attachAt(log, 32, { fork: { ...log.end, epoch: 2 } }),
    ];
    for (const attach of wrong) assert.equal(planCut(log, attach).kind, 'conflict');
  });
});

suite('carrying it out', () => {
  const cases: [string, Parameters<typeof carryOutCut>[1], boolean, number, number][] = [
    ['nothing', { kind: 'none' }, true, 32, 0],
    ['a cut', { kind: 'cut', to: threeBatches().positionAt(12)! }, true, 12, 1],
    ['a new start', { kind: 'reset', greetAgain: false }, true, 0, 1],
    ['a new start of which the master has to hear', { kind: 'reset', greetAgain: true }, false, 0, 1],
  ];
  for (const [what, plan, ready, endSeq, archives] of cases) {
    test(what, async () => {
      const log = threeBatches();
      const told: string[] = [];
      assert.equal(await carryOutCut(log, plan, (path) => told.push(path)), ready);
      assert.equal(log.end.seq, endSeq);
      assert.equal(told.length, archives);
    });
  }

  test('a cut that compaction forbids becomes a new start', async () => {
    const log = threeBatches();
    log.cannotCut = true;
    const told: string[] = [];
    assert.equal(await carryOutCut(log, { kind: 'cut', to: log.positionAt(12)! }, (path) => told.push(path)), false);
    assert.equal(log.end.seq, 0);
    assert.deepEqual(told, ['archive-1']);
  });
});
