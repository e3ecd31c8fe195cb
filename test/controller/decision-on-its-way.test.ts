import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ControllerHarness, HEARTBEAT_MS, LEASE_MS, RELEASED } from './controller-harness.ts';
import { THRESHOLDS } from './views.ts';

describe('a decision on its way to the disk', () => {
  /** a has crashed; the change of master waits for the disk. */
  async function deciding(): Promise<{ harness: ControllerHarness; finish: () => void }> {
    const harness = await ControllerHarness.serving();
    const held: (() => void)[] = [];
    harness.records.held = held;
    harness.report('a', RELEASED);
    return { harness, finish: () => held.splice(0).forEach((save) => save()) };
  }

  it('is followed by nothing, whatever comes meanwhile', async () => {
    const { harness, finish } = await deciding();
    harness.report('b', { renouncedEpoch: 7 });
    harness.controller.onLinked('b');
    harness.report('b', { renouncedEpoch: 7 });
    await harness.pass(3 * HEARTBEAT_MS, 'a', 'b');
    // By the record that is durable nobody serves at present.
    assert.deepEqual(harness.happened(), ['traffic null']);
    assert.equal(harness.controller.record.epoch, 7);
    finish();
    assert.deepEqual(harness.happened().slice(0, 3), ['saved promoting 8', 'assign a slave 8', 'assign b master 8']);
  });

  it('lets nobody have the lease that it takes back, nor the one that it will give', async () => {
    const { harness, finish } = await deciding();
    assert.equal(harness.beat('a').leaseMs, 0);
    assert.equal(harness.beat('b', { epoch: 8, wantsLease: true }).leaseMs, 0);
    finish();
    assert.equal(harness.beat('b', { epoch: 8, wantsLease: true }).leaseMs, LEASE_MS);
  });

  it('leaves leases alone that it does not concern', async () => {
    const harness = await ControllerHarness.serving();
    harness.records.held = [];
    harness.report('a', { role: 'master', phase: 'ready', proposal: { id: 5, epoch: 7, inSync: ['a'] } });
    assert.equal(harness.beat('a').leaseMs, LEASE_MS);
  });

  it('counts for as long as it may be found after a crash, although it was refused', async () => {
    const harness = await ControllerHarness.serving({ inSync: ['a'] });
    const propose = (id: number, inSync: string[]): void =>
      harness.report('a', { role: 'master', phase: 'ready', renouncedEpoch: 6, proposal: { id, epoch: 7, inSync } });
    harness.records.broken = true;
    propose(5, ['a', 'b']);
    propose(6, ['a']);
    await harness.pass(3 * HEARTBEAT_MS, 'a', 'b');
    const answers = (): number => Math.max(0, ...harness.assignments.map(({ answeredProposal }) => answeredProposal));
    assert.equal(answers(), 0, 'the next controller may find that b is in sync');
    await assert.rejects(harness.controller.change({ drained: ['b'] }, 'ann', 'drain b'), { code: 'disk' });
    harness.records.broken = false;
    await harness.pass(HEARTBEAT_MS, 'a', 'b');
    assert.deepEqual([harness.controller.record.inSync, answers()], [['a'], 6]);
    await harness.controller.change({ drained: ['b'] }, 'ann', 'drain b');
    assert.deepEqual(harness.controller.record.drained, ['b']);
  });

  it('is answered before what was proposed after it: no agent takes an older set for an answer', async () => {
    const harness = await ControllerHarness.serving({ inSync: ['a'] });
    const held: (() => void)[] = [];
    harness.records.held = held;
    const propose = (id: number, inSync: string[]): void =>
      harness.report('a', { role: 'master', phase: 'ready', renouncedEpoch: 6, proposal: { id, epoch: 7, inSync } });
    propose(5, ['a', 'b']);
    propose(6, ['a']);
    assert.deepEqual(harness.assignments.at(-1)?.answeredProposal, 0);
    held.splice(0).forEach((save) => save());
    assert.equal(harness.controller.record.inSync.length, 2);
    assert.deepEqual(harness.assignments.at(-1)?.answeredProposal, 0, 'the second one is not on record yet');
    held.splice(0).forEach((save) => save());
    const last = harness.assignments.findLast(({ to }) => to === 'a');
    assert.deepEqual([last?.inSync, last?.answeredProposal], [['a'], 6]);
  });

  it('is waited for by operators, each of whom finds the record as the one before left it', async () => {
    const { harness, finish } = await deciding();
    const done = Promise.all([
      harness.controller.drain('a', null, 'ann'),
      harness.controller.change({ pausedUntilWallMs: 1e15 }, 'bob', 'pause'),
    ]);
    await harness.scheduler.advance(0);
    assert.equal(harness.records.saved.length, 0);
    harness.records.held = null;
    finish();
    await done;
    const { epoch, drained, pausedUntilWallMs } = harness.controller.record;
    assert.deepEqual([epoch, drained, pausedUntilWallMs], [8, ['a'], 1e15]);
  });

  it('that fails is taken again at the next look, on what is known then', async () => {
    const { harness, finish } = await deciding();
    harness.records.broken = true;
    finish();
    assert.equal(harness.beat('a').leaseMs, 0);
    assert.match(harness.controller.trouble, /disk is full/);
    harness.records.broken = false;
    harness.records.held = null;
    harness.happened();
    harness.controller.step();
    assert.equal(harness.happened()[0], 'saved promoting 8');
    assert.equal(harness.controller.trouble, '');
  });

  it('that leads back to the same stage begins it anew: nobody is replaced at once for what the one before missed', async () => {
    const harness = await ControllerHarness.serving();
    harness.report('a', RELEASED);
    assert.equal(harness.controller.record.stage, 'promoting');
    harness.report('a', { epoch: 8, renouncedEpoch: 7 });
    harness.report('b', { epoch: 8, renouncedEpoch: 7, role: 'master', phase: 'promoting' });
    await harness.pass(THRESHOLDS.readyTimeoutMs + 3 * HEARTBEAT_MS, 'a', 'b');
    const { stage, epoch, master } = harness.controller.record;
    assert.deepEqual([stage, epoch, master], ['promoting', 9, 'a']);
  });
});
