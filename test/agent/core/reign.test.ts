import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CoreHarness, SETTINGS } from './core-harness.ts';

const { stallTimeoutMs, drainMs, quiesceLimitMs, leaseMs } = SETTINGS;

/** Lets heartbeats pass, each with a new lease. */
function passLeased(node: CoreHarness, byMs: number): void {
  for (let passedMs = 0; passedMs < byMs; passedMs += SETTINGS.heartbeatMs) {
    node.lease();
    node.pass(SETTINGS.heartbeatMs);
  }
  node.lease();
}

/** The in-sync set that it wants to be on record; null if what is there will do. */
function proposed({ core }: CoreHarness): readonly string[] | null {
  return core.proposal?.inSync ?? null;
}

/** The controller has taken the latest proposal into account; this is on record. */
function answer(node: CoreHarness, inSync: string[]): void {
  node.assign({ role: 'master', inSync, answeredProposal: node.core.proposal?.id ?? 0 });
}

describe('what a master confirms', () => {
  it('is what both hold, and never falls when the slave takes the link anew', () => {
    const node = CoreHarness.serving();
    const { endSeq } = node;
    node.append(10);
    assert.equal(node.core.confirmedSeq, endSeq);
    node.ack(endSeq + 4);
    assert.equal(node.core.confirmedSeq, endSeq + 4);
    node.core.onSlaveAttached();
    assert.deepEqual([node.core.slaveSeq, node.core.confirmedSeq], [0, endSeq + 4]);
    node.ack(endSeq + 10);
    assert.equal(node.core.confirmedSeq, endSeq + 10);
  });

  it('is no more than it surely keeps itself', () => {
    const node = CoreHarness.serving();
    const { endSeq } = node;
    node.heldSeq = endSeq;
    node.append(10);
    node.ack();
    assert.equal(node.core.confirmedSeq, endSeq);
    node.heldSeq = endSeq + 3;
    node.core.onAppended();
    assert.equal(node.core.confirmedSeq, endSeq + 3);
  });

  it('counts no confirmation under another epoch', () => {
    const node = CoreHarness.serving(2);
    node.append();
    node.core.onAck(1, node.endSeq);
    assert.equal(node.core.confirmedSeq, node.endSeq - 1);
  });
});

describe('a master whose slave stalls', () => {
  it('confirms nothing alone before that is on record', () => {
    const node = CoreHarness.serving();
    const { endSeq } = node;
    node.core.onPeerLost();
    node.append();
    passLeased(node, stallTimeoutMs);
    assert.equal(proposed(node), null, 'it may still come back');
    passLeased(node, SETTINGS.heartbeatMs);
    assert.deepEqual(proposed(node), ['a']);
    assert.equal(node.core.confirmedSeq, endSeq);
    answer(node, ['a', 'b']);
    assert.equal(node.core.confirmedSeq, endSeq, 'what is on record counts, not that it was asked');
    answer(node, ['a']);
    assert.deepEqual([proposed(node), node.core.confirmedSeq], [null, node.endSeq]);
    assert.equal(node.marks.at(-1), `${node.endSeq}: a`, 'the log tells from where on it was alone');
  });

  it('waits as long for one that is attached and confirms nothing', () => {
    const node = CoreHarness.serving();
    passLeased(node, 3 * stallTimeoutMs);
    assert.equal(proposed(node), null, 'it owes nothing');
    node.append();
    passLeased(node, stallTimeoutMs + SETTINGS.heartbeatMs);
    assert.deepEqual(proposed(node), ['a']);
  });

  it('goes on with one that is never level, but confirms each record in time', () => {
    const node = CoreHarness.serving();
    for (let seconds = 0; seconds < 10; seconds += 1) {
      const { endSeq } = node;
      node.append(100);
      passLeased(node, leaseMs);
      node.ack(endSeq);
    }
    assert.equal(proposed(node), null);
  });

  it('does not wait for one that has more to catch up with than that takes, however well it gets on', () => {
    const node = CoreHarness.serving();
    // It came back without a disk, before its absence was on record.
    node.core.onPeerLost();
    node.core.onSlaveAttached();
    node.append();
    for (let passedMs = 0; passedMs <= stallTimeoutMs; passedMs += SETTINGS.heartbeatMs) {
      assert.equal(proposed(node), null);
      node.ack(node.core.slaveSeq + 1);
      passLeased(node, SETTINGS.heartbeatMs);
    }
    assert.deepEqual(proposed(node), ['a']);
  });

  it('does not wait for one that takes the link over and over and confirms nothing', () => {
    const node = CoreHarness.serving();
    node.append();
    for (let passedMs = 0; passedMs <= stallTimeoutMs; passedMs += 500) {
      node.core.onSlaveAttached();
      passLeased(node, 500);
      node.core.onPeerLost();
    }
    assert.deepEqual(proposed(node), ['a']);
  });

  it('asks at once where the slave is known to be lost', () => {
    const node = new CoreHarness();
    node.assign({ role: 'master', slaveExpected: false });
    node.lease();
    assert.deepEqual(proposed(node), ['a']);
    const expected = new CoreHarness();
    expected.assign({ role: 'master', slaveExpected: true });
    expected.lease();
    assert.equal(proposed(expected), null);
  });

  it('numbers its proposals over all its reigns', () => {
    const node = new CoreHarness();
    node.assign({ role: 'master', slaveExpected: false });
    node.lease();
    const first = node.core.proposal?.id ?? 0;
    node.assign({ role: 'master', epoch: 2, slaveExpected: false, peerRenouncedEpoch: 1 });
    node.lease();
    assert.ok((node.core.proposal?.id ?? 0) > first);
  });
});

describe('a master that is alone on record', () => {
  it('serves without a lease, as long as nobody else can be promoted', () => {
    const node = CoreHarness.alone();
    assert.equal(node.core.posture().servesUntilMs, Infinity);
    node.pass(60_000);
    assert.equal(node.core.mayReply(), true);
    node.append();
    assert.equal(node.core.confirmedSeq, node.endSeq);
  });

  it('needs a lease all the same where it is to stop without a controller', () => {
    const node = CoreHarness.alone(1, { settings: { onControllerLoss: 'stop' } });
    assert.equal(node.core.posture().serves, false);
    node.lease();
    assert.equal(node.core.posture().serves, true);
    node.pass(leaseMs);
    assert.equal(node.core.mayReply(), false);
  });

  it('needs a lease all the same where the record does not count on it to serve without one', () => {
    const node = CoreHarness.alone();
    assert.equal(node.core.posture().servesUntilMs, Infinity);
    node.assign({ role: 'master', inSync: [node.settings.node], slaveExpected: false, mayServeAlone: false });
    assert.equal(node.core.mayReply(), false);
    node.lease();
    assert.equal(node.core.mayReply(), true);
  });

  it('takes its slave in only under a lease: from then on it needs one', () => {
    const node = CoreHarness.alone();
    node.slaveConfirms();
    node.core.tick();
    assert.equal(node.core.posture().servesUntilMs, Infinity, 'without a lease it stays alone');
    node.slaveLease();
    assert.ok(node.core.posture().servesUntilMs < Infinity);
    assert.equal(node.marks.at(-1), `${node.endSeq}: a,b`);
    node.append();
    assert.equal(node.core.confirmedSeq, node.endSeq - 2, 'the slave has to confirm, though it is not on record yet');
    node.ack();
    assert.deepEqual([node.core.confirmedSeq, proposed(node)], [node.endSeq, ['a', 'b']]);
    node.pass(leaseMs);
    assert.equal(node.core.mayReply(), false, 'the record may name both by now');
  });

  it('is alone again, without a lease, if the slave or the lease is lost before that is asked for', () => {
    for (const loss of ['slave', 'lease'] as const) {
      const node = CoreHarness.alone();
      node.core.onSlaveAttached();
      node.ack();
      node.slaveLease();
      assert.ok(node.core.posture().servesUntilMs < Infinity, loss);
      if (loss === 'slave') node.core.onPeerLost();
      node.pass(loss === 'slave' ? SETTINGS.heartbeatMs : leaseMs);
      assert.deepEqual([node.core.posture().servesUntilMs, proposed(node)], [Infinity, null], loss);
      assert.equal(node.core.confirmedSeq, node.endSeq);
    }
  });

  it('serves under a lease once the slave is on record', () => {
    const node = CoreHarness.alone();
    node.slaveLease();
    node.slaveConfirms();
    node.ack();
    node.core.tick();
    answer(node, ['a', 'b']);
    assert.equal(proposed(node), null);
    assert.ok(node.core.posture().servesUntilMs < Infinity);
  });
});

describe('a switchover', () => {
  function quiescing(): CoreHarness {
    const node = CoreHarness.serving();
    node.assign({ role: 'master', quiesce: true });
    return node;
  }

  it('freezes writes when the work under way has ended, and is quiesced when the slave has all', () => {
    const node = quiescing();
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['quiescing', 'taken']);
    node.append();
    node.core.onWorkEnded();
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['quiescing', 'frozen']);
    node.ack();
    assert.equal(node.core.phase, 'quiesced');
    assert.equal(node.core.posture().serves, true, 'it holds the traffic until it gives its lease back');
  });

  it('cuts work off that does not end', () => {
    const node = quiescing();
    passLeased(node, drainMs);
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['quiesced', 'frozen']);
  });

  it('that is rolled back takes writes again, and the next one begins anew', () => {
    const node = quiescing();
    node.core.onWorkEnded();
    node.assign({ role: 'master', quiesce: false });
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['ready', 'taken']);
    node.assign({ role: 'master', quiesce: true });
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['quiescing', 'taken']);
  });

  it('of which nothing more is heard ends by itself: writes do not wait for a lost controller', () => {
    const node = quiescing();
    node.core.onWorkEnded();
    for (let passedMs = 0; passedMs < quiesceLimitMs; passedMs += SETTINGS.heartbeatMs) {
      node.slaveLease();
      node.pass(SETTINGS.heartbeatMs);
    }
    assert.equal(node.core.phase, 'quiesced');
    node.slaveLease();
    node.pass(SETTINGS.heartbeatMs);
    assert.deepEqual([node.core.phase, node.core.posture().writes], ['ready', 'taken']);
    node.pass(SETTINGS.heartbeatMs);
    assert.equal(node.core.phase, 'ready', 'the same order is not obeyed twice');
  });

  it('waits for an app that is not ready', () => {
    const node = new CoreHarness();
    node.assign({ role: 'master' });
    node.lease();
    node.assign({ role: 'master', quiesce: true });
    assert.equal(node.core.phase, 'promoting');
    node.ready();
    assert.equal(node.core.phase, 'quiescing');
  });

  it('ends with the new epoch: the lease is given back', () => {
    const node = quiescing();
    node.core.onWorkEnded();
    node.assign({ role: 'wait', epoch: 2 });
    assert.deepEqual([node.core.role, node.core.renouncedEpoch, node.releases], ['waiting', 1, [1]]);
  });
});
