import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planPromotion, type PromotePlan } from '../../src/controller/preflight.ts';
import type { PromoteRequest } from '../../src/controller/view.ts';
import { emptyRecord } from '../../src/model/group-record.ts';
import {
  CHOSEN_B,
  GAVE_UP,
  READY_UNDER_8,
  RESTARTED,
  SILENT,
  view,
  type NodeChanges,
  type ViewChanges,
} from './views.ts';

const FORCE = { force: true } as const;
const ALLOW = { allowDataLoss: true } as const;

function plan(changes: ViewChanges, request: Partial<PromoteRequest> = {}): PromotePlan {
  return planPromotion(view(changes), { to: null, force: false, allowDataLoss: false, ...request });
}

function stepsOf({ steps }: PromotePlan): string[] {
  return steps.map(({ name }) => name);
}

const PROMOTING_B = { ...CHOSEN_B, stage: 'promoting' } as const;

describe('a planned promotion', () => {
  it('quiesces the master first; the dry run says each step', () => {
    const planned = plan({});
    assert.deepEqual(planned.change, { stage: 'quiescing', target: 'b' });
    assert.deepEqual(planned.refusals, []);
    assert.equal(planned.atStake, null);
    assert.deepEqual(
      planned.steps.map(({ name, description }) => `${name}: ${description}`),
      [
        'quiesce: a takes no new work and ends what is under way',
        'freeze: a freezes writes until b holds every record',
        'decide: epoch 8 of b is put on record',
        'fence: a gives its lease back',
        'promote: b begins epoch 8',
        'ready: the app on b says that it is ready',
        'traffic: clients are sent to b',
      ],
    );
  });

  it('goes to the node that is named, or to whichever is not master', () => {
    assert.equal(plan({}, { to: 'b' }).to, 'b');
    assert.equal(plan({ record: { master: 'b' }, b: { report: { role: 'master', phase: 'ready' } } }).to, 'a');
    assert.deepEqual(plan({}, { to: 'c' }).refusals, ['there is no such node in the group']);
    assert.equal(plan({}, { to: 'c' }).change, null);
  });

  it('is refused, with the flag that takes it on the operator, when something is in the way', () => {
    const cases: readonly (readonly [ViewChanges, string])[] = [
      [{ b: SILENT }, 'b has not been heard for 900 ms'],
      [{ b: { report: { storeFailed: true, trouble: 'no space' } } }, 'the store of b failed: no space'],
      [{ record: { drained: ['b'] } }, 'b is drained (promote --force does it all the same)'],
      [{ b: { report: { app: 'down' } } }, 'the app on b is down (promote --force does it all the same)'],
      [
        { record: { inSync: ['a'] } },
        'b is not in the in-sync set (a) (promote --allow-data-loss does it all the same)',
      ],
      [
        { b: { report: { role: 'diverged' } } },
        'b has records that the master lacks (promote --allow-data-loss does it all the same)',
      ],
      [
        { b: { report: { intact: false, end: 5 } } },
        'the log of b may lack confirmed records, and a has more (promote --allow-data-loss does it all the same)',
      ],
    ];
    for (const [changes, refusal] of cases) assert.deepEqual(plan(changes).refusals, [refusal]);
  });

  it('is not refused by a pause, a hold-down or manual mode: these are for the machine', () => {
    const record = { pausedUntilWallMs: Infinity, failedOverAtWallMs: view().nowWallMs };
    assert.deepEqual(plan({ record, thresholds: { mode: 'manual' } }).refusals, []);
    assert.deepEqual(plan({ record, thresholds: { mode: 'manual' }, a: SILENT }).refusals, []);
  });

  it('is refused while another change is under way', () => {
    assert.deepEqual(plan({ record: { stage: 'quiescing', target: 'b' } }).refusals, [
      'a change of master is under way (quiescing)',
    ]);
    assert.deepEqual(plan({ record: CHOSEN_B }).refusals, ['a change of master is under way (fencing)']);
    assert.deepEqual(plan({ record: PROMOTING_B, stageMs: 100 }).refusals, [
      'a change of master is under way (promoting)',
    ]);
  });

  it('has nothing to do for the node that is master already', () => {
    assert.deepEqual(plan({}, { to: 'a' }).refusals, ['a is master already']);
    assert.deepEqual(plan({}, { to: 'a', ...FORCE }).refusals, ['a is master already']);
  });
});

describe('a forced promotion', () => {
  it('still waits for the grant to the former master', () => {
    const forced = plan({ a: { ...SILENT, grantRunsMs: 400 } });
    assert.deepEqual(stepsOf(forced), ['decide', 'fence', 'promote', 'ready', 'traffic']);
    assert.equal(forced.steps[1]?.description, 'a is fenced; its grant runs for 400 ms');
    assert.equal(forced.change?.stage, 'fencing');
    assert.equal(forced.change?.previous, 'a');
    assert.equal(forced.change?.previousEpoch, 7);
    assert.equal(forced.change?.cause, 'forced');
  });

  it('gets an epoch above every one that is known', () => {
    const forced = plan({ a: SILENT, b: { report: { epoch: 11 } } });
    assert.equal(forced.change?.epoch, 12);
    assert.ok(forced.steps.some(({ description }) => description === 'b begins epoch 12'));
  });

  it('takes drained nodes and apps that are down, never silent ones', () => {
    const drained = {
      a: GAVE_UP,
      record: { drained: ['b'] },
      b: { report: { app: 'starting' } },
    } satisfies ViewChanges;
    assert.equal(plan(drained).refusals.length, 2);
    assert.deepEqual(plan(drained, FORCE).refusals, []);
    assert.deepEqual(plan({ b: SILENT }, { ...FORCE, ...ALLOW }).refusals, ['b has not been heard for 900 ms']);
  });

  it('names the records at stake, and loses them only with --allow-data-loss', () => {
    const behind = { record: { inSync: ['a'] }, a: SILENT, b: { report: { end: 184_000 } } } satisfies ViewChanges;
    assert.deepEqual(plan(behind).atStake, { first: 184_001, last: 184_223 });
    assert.equal(plan(behind, FORCE).refusals.length, 1);
    const lossy = plan(behind, ALLOW);
    assert.deepEqual(lossy.refusals, []);
    assert.equal(lossy.change?.dataLossAccepted, true);
    assert.equal(plan({ a: SILENT }).change?.dataLossAccepted, false);
  });

  it('of a node beside a silent master that may serve without lease needs the word of an operator, or --force', () => {
    const alone = { record: { masterNeedsNoLease: true, inSync: ['a'] }, a: SILENT } satisfies ViewChanges;
    assert.deepEqual(plan(alone, ALLOW).refusals, [
      'a may still serve alone without a lease; make sure that it is off, then say so: hsctl fenced world a',
    ]);
    const forced = plan(alone, { ...ALLOW, ...FORCE });
    assert.deepEqual(forced.refusals, []);
    assert.equal(forced.change?.masterNeedsNoLease, false, 'the operator answers for it');
    assert.deepEqual(plan({ ...alone, a: { ...SILENT, renouncedEpoch: 7 } }, ALLOW).refusals, []);
  });

  it('beside a master that serves without lease, and is there, waits for its word', () => {
    const alone = { record: { masterNeedsNoLease: true, inSync: ['a'] } } satisfies ViewChanges;
    assert.equal(plan(alone, ALLOW).change?.masterNeedsNoLease, true);
    assert.equal(plan(alone, { ...ALLOW, ...FORCE }).change?.masterNeedsNoLease, false);
  });

  it('of the master on record, when it was lost, is a reign of its own', () => {
    const again = plan({ a: RESTARTED, b: SILENT }, { to: 'a' });
    assert.deepEqual(again.refusals, []);
    assert.equal(again.change?.epoch, 8);
    assert.equal(again.change?.masterInstance, 'later-instance');
  });
});

describe('a promotion while another is stuck', () => {
  const stuck = { record: { ...CHOSEN_B, inSync: ['a'], dataLossAccepted: true }, a: { ...SILENT, grantRunsMs: 0 } };
  const restarted = { report: { epoch: 8, instance: 'later' }, renouncedEpoch: 8 } satisfies NodeChanges;

  it('is possible once the chosen node was lost, and fences the one that served', () => {
    const again = plan({ ...stuck, b: restarted }, { to: 'b', ...ALLOW });
    assert.deepEqual(again.refusals, []);
    assert.equal(again.from, 'a');
    assert.deepEqual([again.change?.previous, again.change?.previousEpoch], ['a', 7]);
    assert.deepEqual([again.change?.epoch, again.change?.masterInstance], [9, 'later']);
  });

  it('is possible by force where the former master cannot be heard to give up', () => {
    const waiting = { ...stuck, record: { ...stuck.record, masterNeedsNoLease: true } };
    assert.equal(plan(waiting, { to: 'b', ...ALLOW }).refusals.length, 1);
    const forced = plan(waiting, { to: 'b', ...ALLOW, ...FORCE });
    assert.deepEqual(forced.refusals, []);
    assert.equal(forced.change?.masterNeedsNoLease, false);
    assert.deepEqual([forced.change?.previous, forced.change?.previousEpoch], ['a', 7]);
  });

  it('is possible once the promoted node was lost, or by force', () => {
    const lost = { record: PROMOTING_B, stageMs: 100, b: SILENT } satisfies ViewChanges;
    assert.deepEqual(plan(lost, { to: 'a' }).refusals, []);
    const unmoved = { record: PROMOTING_B, stageMs: 100, trafficMoved: false, b: READY_UNDER_8 } satisfies ViewChanges;
    assert.equal(plan(unmoved, { to: 'a' }).refusals.length, 1);
    const forced = plan(unmoved, { to: 'a', ...FORCE });
    assert.deepEqual(forced.refusals, []);
    assert.deepEqual([forced.change?.stage, forced.change?.previous], ['fencing', 'b']);
  });
});

describe('a promotion before the first reign', () => {
  const nothing = {
    record: emptyRecord('world'),
    a: { report: { role: 'waiting', phase: null } },
    b: { report: null },
  } satisfies ViewChanges;

  it('needs --force, and --allow-data-loss since nobody knows what the other node has', () => {
    assert.equal(plan(nothing, { to: 'a' }).refusals.length, 2);
    assert.equal(plan(nothing, { to: 'a', ...ALLOW }).refusals.length, 1);
    const forced = plan(nothing, { to: 'a', ...ALLOW, ...FORCE });
    assert.deepEqual(forced.refusals, []);
    assert.deepEqual(stepsOf(forced), ['decide', 'promote', 'ready', 'traffic']);
    assert.deepEqual([forced.from, forced.change?.epoch, forced.change?.previous], [null, 8, null]);
  });
});

describe('the master and a peer that parted from it', () => {
  const parted = { b: { report: { role: 'diverged' } } } satisfies ViewChanges;

  it('is kept with --allow-data-loss: the peer may archive what only it has', () => {
    assert.deepEqual(plan(parted, { to: 'a' }).refusals, [
      'b has acknowledged records that a lacks; --allow-data-loss archives and cuts them',
    ]);
    const kept = plan(parted, { to: 'a', ...ALLOW });
    assert.deepEqual(kept.refusals, []);
    assert.deepEqual(kept.change, { discard: ['b'] });
    assert.deepEqual(
      kept.steps.map(({ description }) => description),
      ['b archives the records that a lacks, cuts its log and follows'],
    );
  });

  it('or replaced by the peer, which then keeps what it has', () => {
    const other = plan({ ...parted, record: { inSync: ['a'] } }, { to: 'b', ...ALLOW });
    assert.deepEqual(other.refusals, []);
    assert.equal(other.change?.master, 'b');
  });
});
