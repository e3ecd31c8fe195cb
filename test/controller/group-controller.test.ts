import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { ControllerHarness, GRANT_MS, HEARTBEAT_MS, LEASE_MS, RELEASED } from './controller-harness.ts';
import { CHOSEN_B, THRESHOLDS } from './views.ts';

const READY_UNDER_8 = { role: 'master', phase: 'ready', epoch: 8, renouncedEpoch: 7, assignmentRevision: 9 } as const;

describe('the controller of a group: order', () => {
  it('saves each decision before anybody hears of it, and fences before it promotes, and promotes before traffic moves', async () => {
    const harness = await ControllerHarness.serving();
    harness.report('a', RELEASED);
    assert.deepEqual(harness.happened(), [
      'saved promoting 8',
      'assign a slave 8',
      'assign b master 8',
      'traffic null',
    ]);
    assert.deepEqual(
      harness.records.told.map(({ rule }) => rule),
      ['R640', 'R300'],
      'both decisions are one change',
    );
    harness.report('b', READY_UNDER_8);
    await harness.scheduler.advance(0);
    assert.deepEqual(harness.happened(), ['traffic b', 'saved serving 8', 'assign a slave 8', 'assign b master 8']);
  });

  it('tells how long each phase of the change took', async () => {
    const harness = await ControllerHarness.serving();
    harness.report('a', RELEASED);
    await harness.scheduler.advance(30);
    harness.report('b', { ...READY_UNDER_8, phase: 'promoting' });
    await harness.scheduler.advance(20);
    harness.report('b', READY_UNDER_8);
    await harness.scheduler.advance(0);
    const { kind, rule, phasesMs, node } = harness.records.told.at(-1)!;
    assert.deepEqual([kind, rule, node], ['decision', 'R700', 'b']);
    assert.deepEqual(phasesMs, { detect: 0, fence: 0, promote: 30, ready: 20, traffic: 0 });
  });

  it('waits out the grant to a silent master, to the moment, not to the next heartbeat', async () => {
    const harness = await ControllerHarness.serving();
    harness.beat('a');
    const grantEndsMs = harness.scheduler.monotonicMs() + GRANT_MS;
    harness.controller.onUnlinked('a');
    await harness.pass(THRESHOLDS.detectMs + HEARTBEAT_MS, 'b');
    assert.equal(harness.controller.record.stage, 'fencing');
    const leftMs = (): number => grantEndsMs - harness.scheduler.monotonicMs();
    await harness.pass(leftMs() - (leftMs() % HEARTBEAT_MS), 'b');
    await harness.scheduler.advance(leftMs() - 0.5);
    assert.equal(harness.controller.record.stage, 'fencing');
    await harness.scheduler.advance(0.5);
    assert.equal(harness.controller.record.stage, 'promoting');
  });

  it('takes up where the record is after a restart, and waits for the longest grant that was given before', async () => {
    const restarted = new ControllerHarness({ ...CHOSEN_B, revision: 20 }, { longestGrantMs: 3_000 });
    restarted.controller.onLinked('b');
    restarted.report('b', { epoch: 8, renouncedEpoch: 7 });
    assert.equal(restarted.controller.record.stage, 'fencing');
    await restarted.pass(2_900, 'b');
    assert.equal(restarted.controller.record.stage, 'fencing');
    await restarted.pass(100, 'b');
    assert.equal(restarted.controller.record.stage, 'promoting');
  });

  it('takes no node for lost that only this controller has not heard, be the other one heard a little longer, or sooner again', async () => {
    const harness = await ControllerHarness.serving();
    harness.beat('a');
    await harness.scheduler.advance(HEARTBEAT_MS - 10);
    harness.beat('b', { wantsLease: false, peerSilentMs: HEARTBEAT_MS - 5 });
    for (let passedMs = 0; passedMs < 1_500; passedMs += 10) {
      await harness.scheduler.advance(10);
      harness.controller.step();
    }
    harness.controller.onUnlinked('b');
    harness.controller.onLinked('b');
    harness.report('b', { renouncedEpoch: 7 });
    harness.beat('b', { wantsLease: false });
    harness.controller.step();
    assert.deepEqual([harness.controller.record.stage, harness.controller.record.epoch], ['serving', 7]);
  });

  it('tells an operator once, by an event, that something is wrong which it leaves as it is', async () => {
    const harness = await ControllerHarness.serving();
    await harness.pass(2_000);
    const alarms = (): string[] => harness.records.told.map(({ kind, rule, message }) => `${kind} ${rule} ${message}`);
    assert.deepEqual(alarms(), [
      'alarm R620 the controller suspects itself: a silent for 600 ms, to its peer for ever; no agent is heard',
    ]);
    harness.linkBoth();
    await harness.pass(500, 'a', 'b');
    await harness.pass(2_000);
    assert.equal(alarms().length, 2, 'and again when it happens again');
  });

  it('decides nothing for a while after it stood still itself', async () => {
    const harness = await ControllerHarness.serving();
    await harness.scheduler.advance(10_000);
    harness.report('a', RELEASED);
    assert.match(harness.controller.tilt ?? '', /the process stood still for 10000 ms/);
    assert.equal(harness.controller.record.stage, 'serving');
    await harness.pass(THRESHOLDS.detectMs, 'a', 'b');
    assert.equal(harness.controller.tilt, null);
    assert.equal(harness.controller.record.stage, 'promoting');
  });
});

describe('the controller of a group: leases', () => {
  it('go to the recorded master under the recorded epoch only', async () => {
    const harness = await ControllerHarness.serving();
    assert.deepEqual(harness.beat('a'), {
      type: 'grant',
      echoedSentAtMs: 5,
      epoch: 7,
      leaseMs: LEASE_MS,
      lingerMs: 0,
    });
    assert.equal(harness.beat('a', { epoch: 6 }).leaseMs, 0);
    assert.equal(harness.beat('a', { wantsLease: false }).leaseMs, 0);
    assert.equal(harness.beat('b', { wantsLease: true }).leaseMs, 0);
    assert.equal(harness.controller.view().nodes[0]?.grantRunsMs, GRANT_MS);
    assert.equal(harness.controller.view().nodes[1]?.grantRunsMs, 0);
  });

  it('are given to nobody while a new reign is set up, and to the new master under its epoch', async () => {
    const harness = await ControllerHarness.serving();
    harness.beat('a');
    harness.controller.onUnlinked('a');
    await harness.pass(THRESHOLDS.detectMs + HEARTBEAT_MS, 'b');
    for (const node of ['a', 'b'])
      for (const epoch of [7, 8]) assert.equal(harness.beat(node, { epoch, wantsLease: true }).leaseMs, 0);
    await harness.pass(GRANT_MS, 'b');
    assert.equal(harness.controller.record.stage, 'promoting');
    assert.equal(harness.beat('b', { epoch: 8, wantsLease: true }).leaseMs, LEASE_MS);
    assert.equal(harness.beat('a', { epoch: 7 }).leaseMs, 0);
  });

  it('are given to nobody while decisions cannot be saved, and neither is anything else', async () => {
    const harness = await ControllerHarness.serving();
    harness.records.broken = true;
    assert.equal(harness.beat('a').leaseMs, LEASE_MS, 'nothing had to be saved yet');
    harness.report('a', RELEASED);
    assert.equal(harness.controller.trouble, 'database or disk is full');
    assert.equal(harness.controller.record.stage, 'serving');
    assert.equal(harness.beat('a').leaseMs, 0);
    assert.deepEqual(
      harness.assignments.filter(({ epoch }) => epoch === 8),
      [],
    );
    harness.records.broken = false;
    harness.controller.step();
    assert.equal(harness.controller.trouble, '');
    assert.equal(harness.controller.record.epoch, 8);
  });
});

describe('the controller of a group: assignments', () => {
  it('are told once on a link, and again on the next', async () => {
    const harness = await ControllerHarness.serving();
    harness.report('b', { renouncedEpoch: 7 });
    assert.deepEqual(harness.happened(), []);
    harness.controller.onUnlinked('b');
    harness.controller.onLinked('b');
    harness.report('b', { renouncedEpoch: 7 });
    assert.deepEqual(harness.happened(), ['assign b slave 7']);
  });

  it('are told again when something in them is new: the peer gave up', async () => {
    const harness = await ControllerHarness.serving({ pausedUntilWallMs: Number.MAX_SAFE_INTEGER });
    harness.report('a', RELEASED);
    harness.report('b', { renouncedEpoch: 7 });
    assert.equal(harness.assignments.at(-1)?.to, 'b');
    assert.equal(harness.assignments.at(-1)?.peerRenouncedEpoch, 7);
  });

  it('answer a proposal once what it asks for is on record', async () => {
    const harness = await ControllerHarness.serving();
    harness.report('a', {
      role: 'master',
      phase: 'ready',
      renouncedEpoch: 6,
      proposal: { id: 5, epoch: 7, inSync: ['a'] },
    });
    assert.equal(harness.happened()[0], 'saved serving 7');
    const toMaster = harness.assignments.findLast(({ to }) => to === 'a');
    assert.deepEqual([toMaster?.inSync, toMaster?.answeredProposal], [['a'], 5]);
  });

  it('count on no report of an agent’s former run: it may have less by now', async () => {
    const harness = await ControllerHarness.serving();
    harness.controller.onUnlinked('b');
    harness.controller.onLinked('b');
    harness.report('a', RELEASED);
    assert.equal(harness.controller.record.stage, 'serving', 'b is linked, and has not said yet what it has');
    harness.report('b', { renouncedEpoch: 7 });
    assert.equal(harness.controller.record.epoch, 8);
  });
});

describe('the controller of a group: traffic', () => {
  it('is moved when what is wanted changes, not at each look', async () => {
    const harness = await ControllerHarness.serving();
    harness.controller.step();
    await harness.pass(1_000, 'a', 'b');
    assert.deepEqual(harness.happened(), []);
    assert.equal(harness.controller.trafficSettled, true);
  });

  it('that cannot be moved is tried again, and the promotion is not complete before', async () => {
    const harness = await ControllerHarness.serving();
    let failures = 0;
    harness.onTraffic = ({ active }) => {
      if (active !== 'b' || failures === 3) return Promise.resolve();
      failures += 1;
      return Promise.reject(new HsctlError('failed', 'ipvsadm: exit code 255'));
    };
    harness.report('a', RELEASED);
    harness.report('b', READY_UNDER_8);
    await harness.scheduler.advance(0);
    assert.equal(harness.controller.trouble, 'ipvsadm: exit code 255');
    await harness.pass(1_400, 'a', 'b');
    assert.equal(harness.controller.record.stage, 'promoting');
    await harness.pass(200, 'a', 'b');
    assert.equal(harness.controller.record.stage, 'serving');
    assert.equal(harness.controller.trouble, '');
    assert.equal(harness.happened().filter((event) => event === 'traffic b').length, 4);
  });

  it('is looked after once it is as wanted: what cannot be mended is told and tried again', async () => {
    const harness = await ControllerHarness.serving();
    harness.controller.repairTraffic();
    await harness.scheduler.advance(0);
    assert.deepEqual(harness.happened(), ['traffic a']);
    harness.onTraffic = () => Promise.reject(new HsctlError('failed', 'haproxy: ENOENT'));
    harness.controller.repairTraffic();
    await harness.scheduler.advance(0);
    assert.deepEqual([harness.controller.trouble, harness.controller.trafficSettled], ['haproxy: ENOENT', false]);
    harness.happened();
    harness.controller.repairTraffic();
    assert.deepEqual(harness.happened(), [], 'it is tried again anyway');
    harness.onTraffic = () => Promise.resolve();
    await harness.pass(600, 'a', 'b');
    assert.deepEqual([harness.controller.trouble, harness.controller.trafficSettled], ['', true]);
    assert.equal(harness.controller.record.stage, 'serving');
  });

  it('of an older wish counts for nothing, however late it is done', async () => {
    const harness = await ControllerHarness.serving();
    const slow = Promise.withResolvers<void>();
    harness.onTraffic = ({ active }) => (active === null ? slow.promise : Promise.resolve());
    harness.report('a', RELEASED);
    harness.report('b', READY_UNDER_8);
    await harness.scheduler.advance(0);
    assert.equal(harness.controller.record.stage, 'serving');
    slow.reject(new HsctlError('failed', 'too late to matter'));
    await harness.pass(1_000, 'a', 'b');
    assert.equal(harness.controller.trouble, '');
    assert.equal(harness.controller.trafficSettled, true);
  });

  it('of a drained node is cut off when its time is over, unless it is undrained meanwhile', async () => {
    const harness = await ControllerHarness.serving();
    await harness.controller.drain('b', 300, 'ann');
    await harness.pass(200, 'a', 'b');
    assert.deepEqual(harness.traffic.at(-1)?.dead, []);
    await harness.pass(200, 'a', 'b');
    assert.deepEqual(harness.traffic.at(-1)?.dead, ['b']);
    const told = harness.assignments.findLast(({ to }) => to === 'b')?.drain;
    assert.equal(told, 'cut');
    await harness.controller.undrain('b', 'ann');
    assert.deepEqual(harness.controller.record.drainEndsWallMs, {});
    await harness.controller.drain('b', 300, 'ann');
    assert.deepEqual(harness.traffic.at(-1)?.dead, [], 'it has its time anew');
    await harness.pass(400, 'a', 'b');
    await harness.controller.drain('b', null, 'ann');
    assert.deepEqual(harness.traffic.at(-1)?.dead, [], 'a drain without an end replaces one that has one');
  });

  it('of a drained node is cut off by a controller that was restarted meanwhile, too', async () => {
    const harness = await ControllerHarness.serving();
    await harness.controller.drain('b', 300, 'ann');
    const restarted = new ControllerHarness(harness.controller.record);
    assert.deepEqual(restarted.controller.view().cutOff, []);
    await restarted.pass(10_000, 'a', 'b');
    assert.deepEqual(restarted.controller.view().cutOff, ['b']);
  });
});

describe('the controller of a group: other settings', () => {
  it('grants by them from now on, and waits for what was granted before', async () => {
    const harness = await ControllerHarness.serving();
    const { settings } = harness.controller;
    const runsMs = (): number => harness.controller.view().nodes[0]?.grantRunsMs ?? 0;
    harness.controller.reconfigure({ ...settings, leaseMs: 5 * LEASE_MS, lingerMs: 70, grantMs: 5 * GRANT_MS });
    const { leaseMs, lingerMs } = harness.beat('a');
    assert.deepEqual([leaseMs, lingerMs, runsMs()], [5 * LEASE_MS, 70, 5 * GRANT_MS]);
    harness.controller.reconfigure({ ...settings, leaseMs: LEASE_MS / 2, grantMs: GRANT_MS / 2 });
    assert.equal(harness.beat('a').leaseMs, LEASE_MS / 2);
    assert.equal(runsMs(), 5 * GRANT_MS, 'the longer one has not run out');
    assert.equal(harness.controller.tilt, null);
  });

  it('has other drivers told what is wanted', async () => {
    const harness = await ControllerHarness.serving();
    const before = harness.traffic.length;
    harness.controller.driversChanged();
    assert.equal(harness.traffic.length, before + 1);
    assert.equal(harness.traffic.at(-1)?.active, 'a');
  });
});

describe('the controller of a group: operators', () => {
  it('a promotion is planned, and carried out unless it is a dry run or refused', async () => {
    const harness = await ControllerHarness.serving();
    const wish = { to: null, force: false, allowDataLoss: false };
    const plan = await harness.controller.promote(wish, 'ann', true);
    assert.equal(plan.to, 'b');
    assert.deepEqual(harness.happened(), []);
    assert.deepEqual(await harness.controller.promote(wish, 'ann', false), plan);
    assert.deepEqual(harness.happened().slice(0, 2), ['saved quiescing 7', 'assign a master 7']);
    const { kind, message } = harness.records.told.at(-1)!;
    assert.deepEqual([kind, message], ['operator', 'ann promotes b']);
    assert.equal((await harness.controller.promote(wish, 'ann', false)).refusals.length, 1);
    assert.equal(harness.controller.record.stage, 'quiescing');
  });

  it('a planned change stops new work first, and then asks the master to end what is under way', async () => {
    const harness = await ControllerHarness.serving();
    const held = Promise.withResolvers<void>();
    harness.onTraffic = () => held.promise;
    await harness.controller.promote({ to: null, force: false, allowDataLoss: false }, 'ann', false);
    harness.beat('a');
    const quiesces = (): boolean | undefined => harness.assignments.findLast(({ to }) => to === 'a')?.quiesce;
    assert.deepEqual([harness.traffic.at(-1)?.active, quiesces()], [null, false]);
    held.resolve();
    await harness.scheduler.advance(0);
    assert.equal(quiesces(), true);
  });

  it('a change that cannot be saved is an error for whoever asked, and nothing else', async () => {
    const harness = await ControllerHarness.serving();
    harness.records.broken = true;
    await assert.rejects(harness.controller.change({ drained: ['b'] }, 'ann', 'drain b'), { code: 'disk' });
    assert.deepEqual(harness.controller.record.drained, []);
    assert.equal(harness.beat('a').leaseMs, LEASE_MS);
  });

  it('a node that the group does not have is a mistake', async () => {
    const harness = await ControllerHarness.serving();
    assert.throws(() => harness.controller.onLinked('c'), { code: 'usage' });
  });
});
