import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide } from '../../src/controller/decide.ts';
import { assignmentFor, mayGrant } from '../../src/controller/derive.ts';
import { planPromotion } from '../../src/controller/preflight.ts';
import { emptyRecord, type GroupRecord } from '../../src/model/group-record.ts';
import { CHOSEN_B, GAVE_UP, NOW_WALL_MS, READY_UNDER_8, RESTARTED, SILENT, view, type ViewChanges } from './views.ts';

/** The rows of the design's table of situations that the controller decides, one test each, in its order. */

function ruleFor(changes: ViewChanges): string {
  return decide(view(changes)).rule.id;
}

const NOTHING = emptyRecord('world');
const WAITING = { role: 'waiting', phase: null, renouncedEpoch: 7 } as const;
const FRESH = { role: 'waiting', phase: null, epoch: 0, renouncedEpoch: 0, end: 0, endEpoch: 0 } as const;

describe('what the controller does when', () => {
  it('both start, nothing recorded: the longest log wins by (epoch, seq)', () => {
    const higherEpoch = { report: { ...WAITING, end: 10, endEpoch: 7 } };
    const moreRecords = { report: { ...WAITING, end: 900, endEpoch: 6 } };
    assert.equal(decide(view({ record: NOTHING, a: moreRecords, b: higherEpoch })).record?.master, 'b');
    const more = { report: { ...WAITING, end: 11 } };
    assert.equal(decide(view({ record: NOTHING, a: higherEpoch, b: more })).record?.master, 'b');
  });

  it('both start, nothing recorded: an empty disk never beats a log, nor is it in sync', () => {
    const { record } = decide(view({ record: NOTHING, a: { report: FRESH }, b: { report: WAITING } }));
    assert.equal(record?.master, 'b');
    assert.deepEqual(record.inSync, ['b']);
  });

  it('both start, nothing recorded: a fresh pair takes the configured preference', () => {
    for (const prefer of ['a', 'b']) {
      const fresh = view({ record: NOTHING, a: { report: FRESH }, b: { report: FRESH }, thresholds: { prefer } });
      const { record } = decide(fresh);
      assert.equal(record?.master, prefer);
      assert.deepEqual(record.inSync, ['a', 'b']);
      assert.equal(record.epoch, 1);
    }
  });

  it('both restarted: a recorded in-sync member may be promoted without the other', () => {
    assert.equal(ruleFor({ a: RESTARTED, b: SILENT }), 'R600');
    assert.equal(ruleFor({ a: { ...SILENT, report: null, silentToPeerMs: Infinity } }), 'R640');
  });

  it('both restarted: a node that is not a member waits for the other', () => {
    const member = { record: { inSync: ['a'] }, a: { ...SILENT, report: null, silentToPeerMs: Infinity } };
    assert.equal(ruleFor({ ...member, b: { report: WAITING } }), 'R690');
  });

  it('both restarted, after a power failure: a damaged log waits for the other to compare', () => {
    const damaged = { ...RESTARTED, report: { ...RESTARTED.report, intact: false, end: 184_000 } };
    assert.equal(ruleFor({ a: damaged, b: SILENT }), 'R690');
    const compared = { a: damaged, b: { report: { ...WAITING, intact: false } } };
    assert.deepEqual([ruleFor(compared), decide(view(compared)).record?.master], ['R640', 'b']);
  });

  it('the app of the master crashes: it fails over as soon as the lease is given back', () => {
    const decision = decide(view({ a: GAVE_UP }));
    assert.equal(decision.rule.id, 'R640');
    const { record } = decision;
    assert.ok(record !== null);
    assert.equal(decide(view({ record, a: GAVE_UP, stageMs: 0 })).rule.id, 'R300', 'nothing is waited for');
  });

  it('the app hangs, as the probe says: the same', () => {
    assert.equal(ruleFor({ a: { probe: 'down', probeSinceMs: 20 } }), 'R640');
  });

  it("the master's machine is silent: the lease is waited out, then the in-sync slave is promoted", () => {
    const { record } = decide(view({ a: SILENT }));
    assert.ok(record !== null);
    assert.deepEqual([record.stage, record.master], ['fencing', 'b']);
    assert.equal(ruleFor({ record, a: { ...SILENT, grantRunsMs: 1 } }), 'R390');
    assert.equal(ruleFor({ record, a: { ...SILENT, grantRunsMs: 0 } }), 'R300');
  });

  it('the agent of the master dies: it counts as silent, and its next run does not resume the reign', () => {
    assert.equal(ruleFor({ a: { ...SILENT, linked: false } }), 'R640');
    assert.equal(decide(view({ a: RESTARTED, b: SILENT })).record?.epoch, 8);
  });

  it('the slave is silent for longer than stallTimeout: the master is recorded alone', () => {
    const changes = { a: { report: { proposal: { id: 1, epoch: 7, inSync: ['a'] } } }, b: SILENT };
    assert.deepEqual(decide(view(changes)).record?.inSync, ['a']);
    assert.equal(ruleFor({ record: { inSync: ['a'] }, b: SILENT }), 'R900', 'writes go on');
  });

  it('the slave returns: it joins the record when the master says that it has caught up', () => {
    const proposal = { id: 2, epoch: 7, inSync: ['a', 'b'] };
    assert.equal(ruleFor({ record: { inSync: ['a'] } }), 'R900');
    const changes = { record: { inSync: ['a'] }, a: { report: { proposal } } };
    assert.deepEqual(decide(view(changes)).record?.inSync, ['a', 'b']);
  });

  it('the controller was lost and is back: it takes up where it was, from any stage', () => {
    const unheard = { report: null, linked: false, silentToPeerMs: Infinity, grantRunsMs: 900 };
    const changes = { a: unheard, b: unheard, stageMs: 0 };
    assert.equal(ruleFor(changes), 'R900');
    assert.equal(ruleFor({ ...changes, record: CHOSEN_B }), 'R390');
    assert.equal(ruleFor({ ...changes, record: { ...CHOSEN_B, stage: 'promoting' } }), 'R790');
    assert.equal(ruleFor({ ...changes, record: NOTHING }), 'R290');
  });

  it('the master is alone and the controller is lost: who may serve without lease is on record', () => {
    const proposal = { id: 1, epoch: 7, inSync: ['a'] };
    for (const onControllerLoss of ['serve', 'stop'] as const) {
      const { record } = decide(view({ a: { report: { proposal } }, thresholds: { onControllerLoss } }));
      assert.equal(record?.masterNeedsNoLease, onControllerLoss === 'serve');
    }
  });

  it('the master is cut off from the controller, not from the slave: no failover', () => {
    assert.equal(ruleFor({ a: { linked: false, silentMs: 60_000, silentToPeerMs: 20 } }), 'R900');
  });

  it('both nodes fail its probes at once: it suspects itself', () => {
    assert.equal(ruleFor({ a: { probe: 'down', probeSinceMs: 500 }, b: { probe: 'down', probeSinceMs: 100 } }), 'R620');
    assert.equal(ruleFor({ a: SILENT, b: SILENT }), 'R620');
    const fell = (sinceMs: number, b: 'up' | 'unknown') =>
      ruleFor({ a: { probe: 'down', probeSinceMs: sinceMs }, b: { probe: b }, thresholds: { probeSettleMs: 1_500 } });
    assert.deepEqual([fell(1_499, 'up'), fell(1_500, 'up')], ['R620', 'R640']);
    assert.deepEqual([fell(1_499, 'unknown'), fell(1_500, 'unknown')], ['R620', 'R640']);
    const farApart = { a: { probe: 'down', probeSinceMs: 8_000 }, b: { probe: 'down', probeSinceMs: 100 } } as const;
    assert.deepEqual(
      [ruleFor(farApart), ruleFor({ ...farApart, thresholds: { probeSettleMs: 9_000 } })],
      ['R640', 'R620'],
    );
  });

  it('a clock jumps, or the event loop stalls: it decides nothing', () => {
    for (const changes of [{ a: GAVE_UP }, { record: CHOSEN_B }, { record: NOTHING }]) {
      const decision = decide(view({ ...changes, tilt: 'the process stood still for 900 ms' }));
      assert.deepEqual([decision.rule.id, decision.record], ['R100', null]);
    }
  });

  it('an old master returns with an unacknowledged tail: it is told to follow', () => {
    const present = view({ record: { ...CHOSEN_B, stage: 'serving' }, a: RESTARTED, b: READY_UNDER_8 });
    assert.equal(assignmentFor(present, present.nodes[0]!)?.role, 'slave');
    assert.equal(mayGrant(present.record, 'a', 7), false);
  });

  it('an old master returns with a tail that it acknowledged: nobody promotes it, and an operator chooses', () => {
    const parted = {
      record: { ...CHOSEN_B, stage: 'serving', inSync: ['b'] },
      a: { report: { role: 'diverged', epoch: 8 } },
      b: { ...SILENT, ...READY_UNDER_8 },
    } satisfies ViewChanges;
    assert.equal(ruleFor(parted), 'R690');
    const wish = { force: false, allowDataLoss: true };
    const well = { ...parted, b: READY_UNDER_8 };
    assert.deepEqual(planPromotion(view(well), { ...wish, to: 'b' }).change, { discard: ['a'] });
    assert.equal(planPromotion(view(well), { ...wish, to: 'a' }).change?.master, 'a');
  });

  it('failovers repeat: it holds down, and a person may promote all the same', () => {
    const again = { record: { failedOverAtWallMs: NOW_WALL_MS - 1_000 }, a: GAVE_UP };
    assert.equal(ruleFor(again), 'R630');
    assert.equal(ruleFor({ ...again, record: { failedOverAtWallMs: NOW_WALL_MS - 60_001 } }), 'R640');
    assert.deepEqual(planPromotion(view(again), { to: null, force: false, allowDataLoss: false }).refusals, []);
  });

  it('the preferred node is back after a failover: no automatic fail-back', () => {
    assert.equal(ruleFor({ record: { ...CHOSEN_B, stage: 'serving' }, a: RESTARTED, b: READY_UNDER_8 }), 'R900');
  });

  it('a switchover fails before the give-back: it is rolled back', () => {
    const quiescing = { stage: 'quiescing', target: 'b' } as const;
    for (const changes of [{ b: SILENT }, { stageMs: 5_001 }, { a: GAVE_UP }]) {
      const { rule, record } = decide(view({ record: quiescing, stageMs: 10, ...changes }));
      assert.deepEqual([rule.id, record?.stage, record?.epoch], ['R410', 'serving', 7]);
    }
  });

  it('a switchover loses its target after the give-back: the former master gets a new reign', () => {
    const lost = { record: CHOSEN_B, a: { ...RESTARTED, report: WAITING }, b: SILENT };
    const { rule, record } = decide(view(lost));
    assert.deepEqual([rule.id, record?.master, record?.epoch], ['R310', 'a', 9]);
  });

  it('a drain loses the other node: the drained one serves on, or again, until there is another', () => {
    const drained = ['a'];
    assert.equal(decide(view({ record: { ...CHOSEN_B, drained }, a: RESTARTED, b: SILENT })).record?.master, 'a');
    assert.equal(ruleFor({ record: { drained, inSync: ['a'] }, a: RESTARTED, b: SILENT }), 'R600');
    assert.equal(ruleFor({ record: { drained }, a: RESTARTED }), 'R640');
    assert.equal(ruleFor({ record: { drained }, a: RESTARTED, thresholds: { mode: 'manual' } }), 'R600');
  });

  it('a drained node is not promoted', () => {
    assert.equal(ruleFor({ record: { drained: ['b'] }, a: GAVE_UP }), 'R690');
  });

  it('a promotion with loss was forced: the grants are waited out', () => {
    const forced = {
      ...CHOSEN_B,
      inSync: ['a'],
      cause: 'forced',
      dataLossAccepted: true,
    } satisfies Partial<GroupRecord>;
    assert.equal(ruleFor({ record: forced, a: { ...SILENT, grantRunsMs: 700 } }), 'R390');
    assert.deepEqual(decide(view({ record: forced, a: { ...SILENT, grantRunsMs: 0 } })).record?.inSync, ['b']);
  });

  it('maintenance: leases go on, no failover, until its end', () => {
    const pausedUntilWallMs = NOW_WALL_MS + 1_000;
    assert.equal(ruleFor({ record: { pausedUntilWallMs }, a: GAVE_UP }), 'R610');
    assert.equal(mayGrant(view({ record: { pausedUntilWallMs } }).record, 'a', 7), true);
    assert.equal(ruleFor({ record: { pausedUntilWallMs }, a: GAVE_UP, nowWallMs: pausedUntilWallMs }), 'R640');
  });
});
