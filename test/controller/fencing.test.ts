import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decide, explain } from '../../src/controller/decide.ts';
import { fenceWanted, planFenced } from '../../src/controller/fencing.ts';
import { planPromotion } from '../../src/controller/preflight.ts';
import type { FenceOutcome } from '../../src/controller/ports.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';
import { emptyRecord } from '../../src/model/group-record.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import { ControllerHarness } from './controller-harness.ts';
import { ALWAYS, CHOSEN_B, COMMANDS, fence, RESTARTED, SILENT, view, type ViewChanges } from './views.ts';

/** a served alone without a lease, and b is to take its place with a loss. */
const LONE_A = {
  ...CHOSEN_B,
  inSync: ['a'],
  masterNeedsNoLease: true,
  dataLossAccepted: true,
} satisfies Partial<GroupRecord>;

function ruleOf(changes: ViewChanges): string {
  return decide(view({ stageMs: 100, ...changes })).rule.id;
}

describe('when the commands of a former master run', () => {
  it('is when it served without a lease, and does not give up by itself', () => {
    assert.equal(ruleOf({ record: LONE_A, a: SILENT, thresholds: COMMANDS }), 'R320');
    const decision = decide(view({ stageMs: 100, record: LONE_A, a: SILENT, thresholds: COMMANDS }));
    assert.deepEqual(decision.record?.fence, { node: 'a', epoch: 7, state: 'wanted', attempts: 0, detail: '' });
  });

  it('is not while it is heard and may still give up by itself', () => {
    assert.equal(ruleOf({ record: LONE_A, thresholds: COMMANDS }), 'R390');
    assert.equal(ruleOf({ record: LONE_A, thresholds: COMMANDS, stageMs: 600 }), 'R390', 'its lease runs');
    assert.equal(ruleOf({ record: LONE_A, thresholds: COMMANDS, stageMs: 600, a: { grantRunsMs: 0 } }), 'R320');
  });

  it('is not where a lease tells that it has ended, unless they run always', () => {
    const lost = { record: CHOSEN_B, a: { ...SILENT, grantRunsMs: 0 } };
    assert.equal(ruleOf({ ...lost, thresholds: COMMANDS }), 'R300', 'the lease has run out');
    assert.equal(ruleOf({ ...lost, thresholds: ALWAYS }), 'R320');
    assert.equal(ruleOf({ ...lost, thresholds: { fence: 'always' } }), 'R300', 'a node without commands');
  });

  it('is never for a node that has given up', () => {
    assert.equal(ruleOf({ record: LONE_A, a: RESTARTED, thresholds: ALWAYS }), 'R300');
    const wanted = { ...LONE_A, ...fence('wanted') };
    assert.equal(fenceWanted(view({ record: wanted, a: RESTARTED, thresholds: COMMANDS })), null);
  });
});

describe('what a fence on record lets happen', () => {
  it('nothing, unless it is confirmed; explain says what to do', () => {
    for (const state of ['wanted', 'failed', 'unknown'] as const) {
      for (const thresholds of [COMMANDS, ALWAYS]) {
        const record = { ...LONE_A, ...fence(state) };
        const blocked = view({ stageMs: 90_000, record, a: { ...SILENT, grantRunsMs: 0 }, thresholds });
        assert.equal(decide(blocked).rule.id, 'R390', state);
        const guards = explain(blocked).find(({ id }) => id === 'R300')?.guards ?? [];
        const { found = '' } = guards.find(({ holds }) => !holds) ?? {};
        if (state === 'wanted') assert.match(found, /a is being fenced/);
        else assert.match(found, /power switch does not answer.*is tried again.*hsctl fenced world a/);
      }
    }
  });

  it('the promotion, before the lease has run out, once it is confirmed', () => {
    const confirmed = { ...LONE_A, ...fence('confirmed') };
    assert.equal(ruleOf({ record: confirmed, a: { ...SILENT, renouncedEpoch: 7 }, thresholds: ALWAYS }), 'R300');
  });

  it('the end of the lease, where an operator answers for the node', () => {
    const waived = { ...CHOSEN_B, ...fence('waived') };
    assert.equal(ruleOf({ record: waived, a: SILENT, thresholds: ALWAYS }), 'R390', 'the grant runs');
    assert.equal(ruleOf({ record: waived, a: { ...SILENT, grantRunsMs: 0 }, thresholds: ALWAYS }), 'R300');
  });

  it('nothing for another reign than the one that it ended', () => {
    const later = { ...LONE_A, epoch: 10, previousEpoch: 9, ...fence('confirmed') };
    assert.equal(ruleOf({ record: later, a: { ...SILENT, renouncedEpoch: 7 }, thresholds: COMMANDS }), 'R320');
  });
});

describe('a promotion in place of a silent node that may serve alone', () => {
  const alone = { inSync: ['a'], masterNeedsNoLease: true };
  const request = { to: 'b', force: false, allowDataLoss: true } as const;

  it('is refused without commands, names the way out, and goes on with them', () => {
    const without = planPromotion(view({ record: alone, a: SILENT }), request);
    assert.match(without.refusals.join(), /a may still serve alone without a lease; .* hsctl fenced world a/);
    const plan = planPromotion(view({ record: alone, a: SILENT, thresholds: COMMANDS }), request);
    assert.deepEqual(plan.refusals, []);
    assert.match(plan.steps.find(({ name }) => name === 'fence')?.description ?? '', /^a gives up, or is fenced/);
    assert.deepEqual([plan.change?.previous, plan.change?.previousEpoch], ['a', 7]);
    assert.equal(plan.change?.masterNeedsNoLease, true);
  });

  it('goes on after the word of an operator, which is not taken for a node that is heard', () => {
    const said = planFenced(view({ record: alone, a: SILENT }), 'a', 'alice');
    assert.ok('change' in said);
    assert.equal(said.change.fence?.detail, 'off, by the word of alice');
    const plan = planPromotion(
      view({ record: { ...alone, ...said.change }, a: { ...SILENT, renouncedEpoch: 7 } }),
      request,
    );
    assert.deepEqual(plan.refusals, []);
    assert.deepEqual(planFenced(view({ record: alone }), 'a', 'alice'), { refusal: 'a is heard, so it is not off' });
    assert.ok('refusal' in planFenced(view({ record: alone, b: SILENT }), 'b', 'alice'), 'nothing waits for b');
  });

  it('waits for nobody with --force, but for the grants', () => {
    const { change } = planPromotion(view({ record: alone, a: SILENT, thresholds: ALWAYS }), {
      ...request,
      force: true,
    });
    assert.equal(change?.masterNeedsNoLease, false);
    assert.equal(change?.fence?.state, 'waived');
  });

  it('without records fences the node that is not heard, whatever it does', () => {
    const lost = { record: emptyRecord('world'), a: { ...SILENT, report: null }, thresholds: COMMANDS };
    const plan = planPromotion(view(lost), request);
    assert.deepEqual(plan.refusals, []);
    const record = { ...emptyRecord('world'), ...plan.change };
    assert.equal(ruleOf({ ...lost, record, a: { ...SILENT, report: null, grantRunsMs: 0 } }), 'R320');
    assert.match(planPromotion(view({ ...lost, thresholds: {} }), request).refusals.join(), /nothing is on record/);
    assert.match(planPromotion(view({ ...lost, a: {} }), request).refusals.join(), /nothing is on record/);
  });
});

/** a has fallen silent, and its commands run whenever it does. */
async function silentMaster(onFence: (harness: ControllerHarness) => ControllerHarness['onFence']) {
  const harness = new ControllerHarness({}, ALWAYS);
  harness.onFence = onFence(harness);
  harness.linkBoth();
  harness.beat('a');
  await harness.pass(300, 'a', 'b');
  harness.happened();
  harness.controller.onUnlinked('a');
  await harness.pass(1_200, 'b');
  return harness;
}

describe('the controller that fences', () => {
  it('records the wish, runs the commands, records what they came to, and only then promotes', async () => {
    const answer = Promise.withResolvers<FenceOutcome>();
    const harness = await silentMaster(() => () => answer.promise);
    const order = ['saved fencing 8', 'fence a 7'];
    assert.deepEqual(
      harness.happened().filter((each) => order.includes(each)),
      order,
    );
    assert.equal(harness.records.saved.at(-1)?.fence?.state, 'wanted');
    await harness.pass(60_000, 'b');
    assert.equal(harness.controller.record.stage, 'fencing', 'it waits for the commands, whatever the lease says');
    assert.deepEqual(
      harness.happened().filter((each) => each.startsWith('fence')),
      [],
      'and runs them once at a time',
    );
    answer.resolve({ state: 'confirmed', detail: 'fenced by /fence' });
    await harness.scheduler.advance(0);
    assert.equal(harness.controller.record.stage, 'promoting');
    const confirmed = harness.records.saved.find((record) => record.fence?.state === 'confirmed');
    assert.equal(confirmed?.stage, 'fencing', 'what they came to is on record before the promotion');
    assert.equal(harness.assignments.at(-1)?.peerRenouncedEpoch, 7, 'b waits for its own grant no longer');
  });

  it('blocks the promotion while they fail, raises an alarm, and tries again', async () => {
    const outcomes: FenceOutcome[] = [
      { state: 'failed', detail: '/fence: exit code 1: no route' },
      { state: 'unknown', detail: '/fence: not done within 30000 ms' },
      { state: 'confirmed', detail: 'fenced by /fence' },
    ];
    const harness = await silentMaster(() => () => Promise.resolve(outcomes.shift()!));
    assert.equal(harness.controller.record.fence?.state, 'failed');
    const alarm = harness.records.told.find(({ kind }) => kind === 'alarm');
    assert.match(alarm?.message ?? '', /fencing a failed \(.*no route\) and is tried again/);
    assert.match(harness.controller.record.reason, /no route.*hsctl fenced world a/, 'status tells it');
    await harness.pass(10_000, 'b');
    assert.equal(harness.controller.record.fence?.state, 'unknown');
    assert.equal(harness.controller.record.stage, 'fencing');
    await harness.pass(10_000, 'b');
    assert.deepEqual([harness.controller.record.stage, harness.controller.record.fence?.attempts], ['promoting', 3]);
  });

  it('calls them off when the node gives up by itself', async () => {
    let signal: AbortSignal | null = null;
    const harness = await silentMaster(() => (_order, off) => {
      signal = off;
      return new Promise(() => undefined);
    });
    harness.controller.onLinked('a');
    harness.report('a', { role: 'waiting', phase: null, epoch: 8, renouncedEpoch: 7 });
    assert.equal((signal as AbortSignal | null)?.aborted, true);
    assert.equal(harness.controller.record.stage, 'promoting');
  });

  it('runs them again when the disk did not take what they came to', async () => {
    let runs = 0;
    const harness = await silentMaster((own) => async () => {
      runs += 1;
      own.records.broken = runs === 1;
      return { state: 'confirmed', detail: 'fenced by /fence' };
    });
    assert.equal(harness.controller.record.fence?.state, 'wanted');
    harness.records.broken = false;
    await harness.pass(10_000, 'b');
    assert.deepEqual([runs, harness.controller.record.stage], [2, 'promoting']);
  });

  it('goes on after a restart: what is on record is run again, or counts', async () => {
    const wanted = {
      ...LONE_A,
      fence: { node: 'a', epoch: 7, state: 'wanted', attempts: 0, detail: '' },
    } satisfies Partial<GroupRecord>;
    const again = new ControllerHarness(wanted, COMMANDS);
    again.controller.onLinked('b');
    again.report('b', { epoch: 8, renouncedEpoch: 7, role: 'waiting' });
    assert.deepEqual(
      again.happened().filter((each) => each.startsWith('fence')),
      ['fence a 7'],
    );
    const confirmed = new ControllerHarness({ ...LONE_A, ...fence('confirmed') }, COMMANDS);
    confirmed.controller.onLinked('b');
    confirmed.report('b', { epoch: 8, renouncedEpoch: 7, role: 'waiting' });
    assert.equal(confirmed.controller.record.stage, 'promoting');
  });

  it('takes the word of an operator', async () => {
    const harness = await silentMaster(() => () => new Promise(() => undefined));
    await assert.rejects(
      harness.controller.fenced('b', 'alice'),
      (error) => error instanceof HsctlError && error.code === 'refused',
    );
    await harness.controller.fenced('a', 'alice');
    assert.equal(harness.controller.record.stage, 'promoting');
    assert.match(harness.records.told.map(({ message }) => message).join('\n'), /alice: a is off/);
  });
});
