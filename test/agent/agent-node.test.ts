import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../src/kit/errors.ts';
import { SETTINGS } from './core/core-harness.ts';
import { addressOutlivesLeaseMs } from '../../src/traffic/vip/plan.ts';
import { NodeHarness } from './node-harness.ts';

const { heartbeatMs, leaseMs } = SETTINGS;

function holds(harness: NodeHarness): number[] {
  return harness.traffic.filter(({ what }) => what === 'hold').map(({ atMs }) => atMs);
}

describe('traffic on the node', () => {
  it('is taken when the app is ready, for no longer than the lease', () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'master' });
    harness.grant();
    assert.equal(harness.traffic.length, 0);
    harness.appUp(1);
    assert.deepEqual(
      harness.traffic.map(({ what }) => what),
      ['hold'],
    );
    const remainingMs = Math.max(...harness.traffic.map((order) => order.remainingMs));
    assert.ok(remainingMs <= leaseMs && remainingMs > leaseMs - heartbeatMs / 2);
  });

  it('is renewed with each lease, never without one', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    assert.equal(holds(harness).length, 1);
    for (const renewals of [2, 3, 4]) {
      await harness.scheduler.advance(heartbeatMs);
      assert.equal(holds(harness).length, renewals - 1, 'a heartbeat alone renews nothing');
      harness.grant();
      assert.equal(holds(harness).length, renewals);
      harness.node.reconcile();
      harness.appUp(1);
      assert.equal(holds(harness).length, renewals, 'nor does anything else');
    }
    stop();
  });

  it('is not renewed on a lease of which half a heartbeat has gone: the kernel counts whole seconds', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    await harness.scheduler.advance(heartbeatMs);
    await harness.scheduler.advance(heartbeatMs / 2 + 1);
    harness.grant();
    assert.equal(holds(harness).length, 1);
    stop();
  });

  it('is not taken if the grantors do not wait for what may outlive the lease', () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'master' });
    const grant = (lingerMs: number): void => {
      const sentAtMs = harness.scheduler.monotonicMs();
      harness.node.onControllerGrant({ type: 'grant', echoedSentAtMs: sentAtMs, epoch: 1, leaseMs, lingerMs });
    };
    grant(0);
    harness.appUp(1);
    assert.deepEqual(holds(harness), []);
    grant(addressOutlivesLeaseMs(leaseMs) + heartbeatMs / 2);
    assert.equal(holds(harness).length, 1);
  });

  it('asks for a lease at once when the app was ready too late for the one at hand', async () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'master' });
    harness.grant();
    await harness.scheduler.advance(heartbeatMs / 2 + 1);
    const beats = (): number => harness.toController.filter(({ type }) => type === 'beat').length;
    const before = beats();
    harness.appUp(1);
    assert.deepEqual(holds(harness), []);
    assert.equal(beats(), before + 1);
    assert.equal(harness.toSlave.at(-1)?.type, 'ping');
    harness.node.reconcile();
    assert.equal(beats(), before + 1, 'once is enough');
    harness.grant();
    assert.deepEqual(holds(harness), [heartbeatMs / 2 + 1]);
  });

  it('is renewed each heartbeat by a master that is alone on record', async () => {
    const harness = NodeHarness.alone();
    const stop = harness.node.start();
    await harness.scheduler.advance(3 * heartbeatMs);
    assert.deepEqual(holds(harness), [0, heartbeatMs, 2 * heartbeatMs, 3 * heartbeatMs]);
    assert.ok(harness.traffic.every(({ remainingMs }) => remainingMs === leaseMs));
    stop();
  });

  it('is given back when the lease ends, and taken again with the next', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    await harness.scheduler.advance(leaseMs);
    assert.deepEqual(
      harness.traffic.map(({ what }) => what),
      ['hold', 'release'],
    );
    assert.equal(harness.node.core.renouncedEpoch, 0, 'the reign goes on');
    harness.grant();
    assert.equal(harness.traffic.at(-1)?.what, 'hold');
    stop();
  });

  it('is given back before the epoch is renounced aloud', async () => {
    const harness = NodeHarness.serving();
    const released = Promise.withResolvers<void>();
    harness.onOrder = () => released.promise;
    harness.appCrashed();
    assert.equal(harness.traffic.at(-1)?.what, 'release');
    assert.deepEqual([harness.report?.phase, harness.report?.renouncedEpoch], ['released', 0]);
    assert.deepEqual(harness.toSlave, []);
    released.resolve();
    await harness.scheduler.advance(0);
    assert.equal(harness.report?.renouncedEpoch, 1);
    assert.deepEqual(harness.toSlave, [{ type: 'release', renouncedEpoch: 1 }]);
  });

  it('that cannot be given back is tried again each heartbeat, and nothing is renounced aloud meanwhile', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    harness.onOrder = () => Promise.reject(new HsctlError('failed', 'ip: exit code 2'));
    harness.appCrashed();
    await harness.scheduler.advance(2 * heartbeatMs);
    assert.equal(harness.traffic.filter(({ what }) => what === 'release').length, 3);
    assert.equal(harness.report?.renouncedEpoch, 0);
    harness.onOrder = () => Promise.resolve();
    await harness.scheduler.advance(heartbeatMs);
    assert.equal(harness.report?.renouncedEpoch, 1);
    stop();
  });

  it('is not taken by what was true before the disk failed in the middle of a step', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    await harness.scheduler.advance(leaseMs);
    assert.equal(harness.node.replica.gate().state, 'hold');
    // The first thing that happens when writes are taken again is one that the disk refuses.
    harness.node.replica.onGateChange(() => harness.node.onDiskFailure(new HsctlError('disk', 'no space left')));
    harness.grant();
    assert.equal(harness.node.core.phase, 'released');
    assert.deepEqual(
      harness.traffic.map(({ what }) => what),
      ['hold', 'release'],
    );
    assert.equal(harness.report?.renouncedEpoch, 1);
    stop();
  });

  it('is given back in an orderly stop, which ends when nothing can reach the node', async () => {
    const harness = NodeHarness.serving();
    const released = Promise.withResolvers<void>();
    harness.onOrder = () => released.promise;
    let stopped = false;
    const stopping = harness.node.stop().then(() => (stopped = true));
    await harness.scheduler.advance(0);
    assert.equal(stopped, false);
    released.resolve();
    await stopping;
    assert.equal(harness.node.core.renouncedEpoch, 1);
  });
});

describe('a switchover on the node', () => {
  it('closes the gate, freezes writes once work has ended, and says so when the slave is level', async () => {
    const harness = NodeHarness.serving();
    assert.equal(harness.node.replica.gate().state, 'open');
    harness.assign({ role: 'master', quiesce: true });
    assert.deepEqual([harness.gate, harness.report?.phase], ['closed', 'quiescing']);
    assert.equal(harness.node.replica.gate().state, 'open', 'present work goes on');
    harness.set('last words');
    await harness.scheduler.advance(0);
    harness.onIdle();
    assert.deepEqual([harness.node.replica.gate().state, harness.report?.phase], ['hold', 'quiescing']);
    harness.node.onAck(1, harness.log.end.seq);
    assert.equal(harness.report?.phase, 'quiesced');
  });

  it('that is rolled back opens the gate and takes writes again', () => {
    const harness = NodeHarness.serving();
    harness.assign({ role: 'master', quiesce: true });
    harness.onIdle();
    assert.equal(harness.node.replica.gate().state, 'hold');
    let changes = 0;
    harness.node.replica.onGateChange(() => (changes += 1));
    harness.assign({ role: 'master', quiesce: false });
    assert.deepEqual([harness.gate, harness.report?.phase, changes], ['open', 'ready', 1]);
    assert.equal(harness.node.replica.gate().state, 'open');
  });
});

describe('writes', () => {
  it('are held while the lease has lapsed, and whoever waits hears of the next one, ready or not', async () => {
    for (const ready of [true, false]) {
      const harness = new NodeHarness();
      harness.assign({ role: 'master' });
      harness.grant();
      if (ready) harness.appUp(1);
      const stop = harness.node.start();
      await harness.scheduler.advance(leaseMs);
      assert.equal(harness.node.replica.gate().state, 'hold', `ready: ${ready}`);
      let changes = 0;
      harness.node.replica.onGateChange(() => (changes += 1));
      harness.grant();
      assert.deepEqual([harness.node.replica.gate().state, changes], ['open', 1], `ready: ${ready}`);
      stop();
    }
  });

  it('hear of the next lease although nothing but a write has noticed that the last one had lapsed', async () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'master' });
    harness.grant();
    harness.appUp(1);
    const stop = harness.node.start();
    // The lease ends a little before the heartbeat that would be the next to see so.
    await harness.scheduler.advance(leaseMs - 1);
    assert.equal(harness.node.replica.gate().state, 'hold');
    let changes = 0;
    harness.node.replica.onGateChange(() => (changes += 1));
    harness.grant();
    assert.deepEqual([harness.node.replica.gate().state, changes], ['open', 1]);
    stop();
  });

  it('are refused elsewhere, with the name of the master', () => {
    const harness = new NodeHarness();
    assert.deepEqual(harness.node.replica.gate(), {
      state: 'refuse',
      error: "READONLY You can't write against this node: no node is master at the moment",
    });
    harness.assign({ role: 'slave' });
    assert.deepEqual(harness.node.replica.gate(), {
      state: 'refuse',
      error: "READONLY You can't write against this node: the master is b",
    });
  });

  it('with fsync always are confirmed once they are on stable storage here and held by the slave', async () => {
    const harness = NodeHarness.serving({}, true);
    await harness.scheduler.advance(0);
    const synced = Promise.withResolvers<void>();
    harness.log.holdUntil = synced.promise;
    const seq = harness.set('key');
    await harness.scheduler.advance(0);
    harness.node.onAck(1, seq);
    assert.equal(harness.node.replica.confirmedSeq(), seq - 1);
    synced.resolve();
    await harness.scheduler.advance(0);
    assert.equal(harness.node.replica.confirmedSeq(), seq);
  });

  it('with fsync always do not count as held because a longer log once was, before it was cut', async () => {
    const harness = NodeHarness.alone({}, true);
    for (let record = 0; record < 10; record += 1) harness.set(`key ${record}`);
    await harness.scheduler.advance(0);
    const before = harness.log.end.seq;
    assert.equal(harness.node.core.confirmedSeq, before);
    harness.assign({ role: 'slave', epoch: 2 });
    harness.node.onArchived(await harness.log.cut(harness.log.positionAt(2)!));
    const synced = Promise.withResolvers<void>();
    harness.log.holdUntil = synced.promise;
    harness.assign({ role: 'master', epoch: 3, inSync: ['a'] });
    assert.ok(harness.log.end.seq < before);
    assert.equal(harness.node.core.reignEpoch, 3);
    assert.ok(
      harness.node.core.confirmedSeq < harness.log.end.seq,
      'the first records of the reign are not synced yet',
    );
    synced.resolve();
    await harness.scheduler.advance(0);
    assert.equal(harness.node.core.confirmedSeq, harness.log.end.seq);
  });

  it('end with the reign: a disk that fails gives the lease back', async () => {
    const harness = NodeHarness.serving();
    let lost = 0;
    harness.node.replica.onReignLost(() => (lost += 1));
    harness.log.failure = new HsctlError('disk', 'no space left');
    harness.set('key');
    await harness.scheduler.advance(0);
    assert.deepEqual([harness.report?.phase, harness.report?.storeFailed, lost], ['released', true, 1]);
    assert.equal(harness.batches.length, 2, 'nobody got what is not in the log');
  });
});

describe('reports', () => {
  it('are sent when something is new, not for counters', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    const reports = (): number => harness.toController.filter(({ type }) => type === 'report').length;
    const before = reports();
    harness.set('key');
    await harness.scheduler.advance(heartbeatMs);
    assert.equal(reports(), before);
    const beat = harness.toController.findLast(({ type }) => type === 'beat');
    assert.ok(beat?.type === 'beat' && beat.endSeq === harness.log.end.seq && beat.wantsLease);
    harness.node.forgetReported();
    assert.equal(reports(), before + 1);
    stop();
  });

  it('tell of the master at once, and the app is told once', () => {
    const harness = NodeHarness.serving();
    assert.deepEqual(harness.roles, ['none 0', 'none 1', 'master 1']);
    harness.appCrashed();
    assert.deepEqual(harness.roles.slice(3), ['none 1']);
    assert.equal(harness.report?.trouble, 'it crashed');
  });

  it('say that records may be on this node alone until it reigns with its slave, whatever old orders come', () => {
    const harness = NodeHarness.alone();
    assert.equal(harness.report?.confirmedAlone, true);
    harness.assign({ role: 'slave', epoch: 2 });
    harness.assign({ role: 'master', epoch: 3, masterInstance: 'the run before' });
    assert.equal(harness.report?.confirmedAlone, true, 'that was chosen for another run');
    harness.assign({ role: 'master', epoch: 4, peerRenouncedEpoch: 3 });
    harness.grant();
    assert.equal(harness.report?.confirmedAlone, false, 'nothing is confirmed without the slave now');
  });

  it('a reign that waits for the own grant begins at its end, between heartbeats', async () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'slave' });
    harness.node.onPing({ type: 'ping', sentAtMs: 0, epoch: 1, confirmedSeq: 0, wantsLease: true });
    const { grantRunsMs } = harness.node.core.peer;
    harness.assign({ role: 'master', epoch: 2, peerRenouncedEpoch: 0 });
    await harness.scheduler.advance(grantRunsMs / 2);
    harness.node.beat();
    harness.grant();
    assert.equal(harness.node.core.phase, 'fencing');
    await harness.scheduler.advance(grantRunsMs / 2);
    assert.equal(harness.node.core.phase, 'promoting');
  });
});

describe('the word of the app', () => {
  it('is waited for under the present epoch only', () => {
    const harness = new NodeHarness();
    assert.equal(harness.node.mayBeReady(0), 'READONLY this node is waiting, not master');
    harness.assign({ role: 'master', epoch: 4, peerRenouncedEpoch: 3 });
    harness.grant();
    assert.equal(harness.node.mayBeReady(3), 'ERR epoch 3 is over, the present one is 4');
    assert.equal(harness.node.mayBeReady(4), null);
  });
});

describe('a slave during a planned change', () => {
  it('tells the controller at once what it has by now', () => {
    const harness = new NodeHarness();
    const beats = (): number => harness.toController.filter(({ type }) => type === 'beat').length;
    harness.assign({ role: 'slave', quiesce: false });
    harness.node.onFollowed();
    assert.equal(beats(), 0);
    harness.assign({ role: 'slave', quiesce: true });
    harness.node.onFollowed();
    assert.equal(beats(), 1);
  });
});

describe('other settings', () => {
  it('are worked by at once: whoever waits for a heartbeat gets one, then at the new pace', async () => {
    const harness = NodeHarness.serving();
    const stop = harness.node.start();
    const beats = (): number => harness.toController.filter(({ type }) => type === 'beat').length;
    Object.assign(harness.settings, { heartbeatMs: heartbeatMs / 4 });
    const before = beats();
    harness.node.reconfigured();
    assert.equal(beats(), before + 1);
    await harness.scheduler.advance(heartbeatMs);
    assert.equal(beats(), before + 5);
    stop();
    await harness.scheduler.advance(heartbeatMs);
    assert.equal(beats(), before + 5);
  });
});
