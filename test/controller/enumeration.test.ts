import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { edges } from '../../scripts/rules-doc.d/stages.ts';
import { changed, decide, explain } from '../../src/controller/decide.ts';
import { assignmentFor, desiredTraffic, mayGrant } from '../../src/controller/derive.ts';
import { planPromotion } from '../../src/controller/preflight.ts';
import { groupRecordSchema, type GroupRecord } from '../../src/model/group-record.ts';
import { nodeNamed, type GroupView, type PromoteRequest } from '../../src/controller/view.ts';
import { everyView } from './every-view.ts';

/** Changes after which a record must have come to rest while nothing else changes. */
const STEPS_TO_REST = 5;

interface Step {
  readonly rule: string;
  readonly before: GroupView;
  readonly record: GroupRecord;
}

/** All changes, one after the other, until nothing changes while the observations stay. */
function decisions(view: GroupView, earlier: readonly Step[] = []): readonly Step[] {
  const { rule, record } = decide(view);
  if (record === null || earlier.length > STEPS_TO_REST) return earlier;
  const stageMs = record.stage === view.record.stage ? view.stageMs : 0;
  return decisions({ ...view, record, stageMs }, [...earlier, { rule: rule.id, before: view, record }]);
}

/** Whether the one that served before can do so no more, told without the code that decides it. */
function isFenced({ record, nodes, thresholds }: GroupView): boolean {
  const former = nodes.find(({ id }) => id === record.previous);
  if (former === undefined) return nodes.every(({ id, grantRunsMs }) => id === record.master || grantRunsMs === 0);
  if (former.renouncedEpoch >= record.previousEpoch) return true;
  const byCommands = thresholds.fence === 'always' && thresholds.fenceable.includes(former.id);
  const isWaived = record.fence?.state === 'waived' && record.fence.node === former.id;
  return !record.masterNeedsNoLease && (!byCommands || isWaived) && former.grantRunsMs === 0;
}

function checkSafe(before: GroupView, after: GroupRecord, what: string): void {
  const { record, nodes, thresholds } = before;
  const isNewReign = after.epoch !== record.epoch;
  const loses = after.dataLossAccepted || after.cause === 'forced';
  assert.ok(after.revision > record.revision, `${what}: revisions rise`);
  if (isNewReign || (after.stage === 'fencing' && record.stage !== 'fencing')) {
    assert.ok(after.epoch > record.epoch || record.stage === 'none', `${what}: epochs rise`);
    const adopts = after.cause === 'adopted' && after.stage === 'promoting';
    for (const { report } of nodes) {
      const seen = report?.epoch ?? 0;
      assert.ok(adopts ? after.epoch >= seen : after.epoch > seen, `${what}: above what any node has seen`);
    }
    assert.ok(
      after.master === null || after.inSync.includes(after.master) || loses,
      `${what}: chosen of the in-sync set`,
    );
    assert.ok(
      record.stage === 'none' || after.inSync.join() === record.inSync.join(),
      `${what}: its choice changes no set`,
    );
  } else {
    assert.equal(after.master, record.master, `${what}: one owner for each epoch`);
    assert.equal(after.masterInstance, record.masterInstance, what);
  }
  if (after.stage === 'promoting' && record.stage === 'fencing') {
    assert.ok(isFenced(before), `${what}: promoted only once the former master is fenced`);
    const chosen = nodeNamed(before, after.master);
    assert.equal(chosen?.report?.instance, after.masterInstance, `${what}: the run that was chosen`);
    assert.ok(record.inSync.includes(after.master ?? '') || loses, what);
  }
  if (after.stage === 'promoting' || after.stage === 'serving' || after.stage === 'quiescing') {
    assert.ok(after.master !== null && after.inSync.includes(after.master), `${what}: in sync is the master itself`);
  }
  const begins = after.stage === 'promoting' && record.stage !== 'promoting';
  if (begins || (after.stage !== 'fencing' && after.inSync !== record.inSync)) {
    const alone = after.inSync.length === 1 && thresholds.onControllerLoss === 'serve';
    assert.equal(after.masterNeedsNoLease, alone, `${what}: who needs no lease is on record`);
  }
  assert.equal(after.target !== null, after.stage === 'quiescing', `${what}: a target is one of a switchover`);
}

describe('over every record and everything that may be known of the nodes', () => {
  it('decide comes to rest within a few steps, and each step is safe', () => {
    const fired = new Set<string>();
    const found = new Set<string>();
    let views = 0;
    for (const { name, view } of everyView(12)) {
      views += 1;
      fired.add(decide(view).rule.id);
      const steps = decisions(view);
      const rules = steps.map(({ rule }) => rule);
      assert.ok(steps.length <= STEPS_TO_REST, `${name}: ${rules.join(', ')}`);
      for (const { rule, before, record } of steps) {
        checkSafe(before, record, `${name}: ${rules.join(', ')}`);
        if (record.stage !== before.record.stage) found.add(`${before.record.stage} ${record.stage} ${rule}`);
      }
      if (steps.length > 0) assert.ok(groupRecordSchema.safeParse(steps.at(-1)?.record).success, name);
    }
    assert.ok(views > 50_000, `${views} views`);
    const drawn = edges().filter(({ by }) => by.startsWith('R'));
    assert.deepEqual([...found].toSorted(), drawn.map(({ from, to, by }) => `${from} ${to} ${by}`).toSorted());
    assert.deepEqual(
      explain([...everyView(1)][0]!.view)
        .map(({ id }) => id)
        .filter((id) => id !== 'R100' && !fired.has(id)),
      [],
      'each rule is the first somewhere',
    );
  });

  it('nothing is changed while the clocks are in doubt', () => {
    for (const { name, view } of everyView(2)) {
      const { rule, record } = decide({ ...view, tilt: 'the wall clock jumped' });
      assert.deepEqual([rule.id, record], ['R100', null], name);
    }
  });

  it('one node is told to serve, one may have a lease, and traffic goes nowhere else', () => {
    for (const { name, view } of everyView(4)) {
      const { record, nodes } = view;
      const masters = nodes.filter((node) => assignmentFor(view, node)?.role === 'master').map(({ id }) => id);
      const leased = nodes.filter(({ id }) => mayGrant(record, id, record.epoch)).map(({ id }) => id);
      assert.deepEqual(masters, leased, name);
      assert.deepEqual(masters, record.stage === 'none' || record.stage === 'fencing' ? [] : [record.master], name);
      const traffic = desiredTraffic(view);
      if (traffic?.active) {
        assert.deepEqual(masters, [traffic.active], name);
        const { report, renouncedEpoch } = nodeNamed(view, traffic.active)!;
        assert.ok(report?.epoch === record.epoch && renouncedEpoch < record.epoch, name);
      }
      assert.ok(traffic === null || !traffic.dead.includes(record.master ?? ''), name);
    }
  });

  it('what an operator may promote is safe, and follows the stages that are shown', () => {
    const found = new Set<string>();
    for (const { name, view } of everyView(4)) {
      for (const request of REQUESTS) {
        const plan = planPromotion(view, request);
        assert.ok(plan.refusals.length > 0 || plan.change !== null, name);
        if (plan.refusals.length > 0 || plan.change === null) continue;
        const what = `${name}; ${JSON.stringify(request)}`;
        const after = changed(view, plan.change, 'operator', 'promote');
        checkSafe(view, after, what);
        const { record } = view;
        if (after.stage !== record.stage) found.add(`${record.stage} ${after.stage}`);
        if (after.epoch === record.epoch) continue;
        assert.ok(
          record.inSync.includes(after.master ?? '') || request.allowDataLoss,
          `${what}: loss is accepted aloud`,
        );
        assert.ok(
          !record.masterNeedsNoLease || request.force || after.masterNeedsNoLease,
          `${what}: so is a lone master`,
        );
        assert.notEqual(after.stage, 'promoting', `${what}: grants are waited out`);
      }
    }
    const drawn = edges().filter(({ by }) => !by.startsWith('R'));
    assert.deepEqual([...found].toSorted(), drawn.map(({ from, to }) => `${from} ${to}`).toSorted());
  });
});

const REQUESTS: readonly PromoteRequest[] = [null, 'a', 'b'].flatMap((to) =>
  [false, true].flatMap((force) => [false, true].map((allowDataLoss) => ({ to, force, allowDataLoss }))),
);
