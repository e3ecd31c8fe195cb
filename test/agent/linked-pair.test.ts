import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SETTINGS } from './core/core-harness.ts';
import { LinkedPair } from './linked-pair.ts';

const { leaseMs, heartbeatMs, detectMs } = SETTINGS;

describe('two agents and the links between them', () => {
  it('replicate: the slave has every batch, and only then is it confirmed', async () => {
    const pair = await LinkedPair.serving();
    const seq = pair.a.set('key');
    await pair.pass(0);
    assert.ok(pair.a.node.core.confirmedSeq < seq);
    await pair.pass(10);
    assert.equal(pair.a.node.core.confirmedSeq, seq);
    assert.deepEqual(pair.b.log.end, pair.a.log.end);
    pair.stop();
  });

  it('tell the slave what is confirmed within a moment, not at the next heartbeat', async () => {
    const pair = await LinkedPair.serving();
    await pair.pass(heartbeatMs);
    const seq = pair.a.set('key');
    await pair.pass(heartbeatMs / 4);
    assert.equal(pair.b.node.core.confirmedSeq, seq);
    pair.stop();
  });

  it('serve without a controller: the slave grants the lease', async () => {
    const pair = await LinkedPair.serving();
    for (let leases = 0; leases < 5; leases += 1) {
      await pair.pass(leaseMs);
      assert.equal(pair.a.node.core.mayReply(), true);
    }
    assert.ok(pair.b.node.core.peer.grantRunsMs > 0);
    pair.part();
    await pair.pass(leaseMs);
    assert.equal(pair.a.node.core.mayReply(), false, 'cut off from both it stops');
    pair.stop();
  });

  it('hear each other’s words on either kind of session: a release ends the grant at once', async () => {
    const pair = await LinkedPair.serving();
    await pair.pass(heartbeatMs);
    assert.ok(pair.b.node.core.peer.grantRunsMs > 0);
    pair.a.appCrashed();
    await pair.pass(5);
    assert.equal(pair.b.node.core.peer.grantRunsMs, 0);
    pair.reign('b', 2, { peerRenouncedEpoch: 0 });
    pair.b.grant();
    await pair.pass(0);
    assert.equal(pair.b.node.core.phase, 'promoting', 'nothing is waited for but the end of its session as a slave');
    pair.stop();
  });

  it('change places: the old master archives what nobody confirmed, and follows', async () => {
    const pair = await LinkedPair.serving();
    pair.part();
    pair.a.set('never confirmed');
    await pair.pass(10);
    const before = pair.b.log.end.seq;
    pair.reign('b', 2);
    pair.b.grant();
    pair.reachable = true;
    await pair.pass(2_000);
    assert.deepEqual([pair.a.node.core.role, pair.b.node.core.phase], ['slave', 'promoting']);
    assert.deepEqual(pair.a.log.end, pair.b.log.end);
    assert.ok(pair.b.log.end.seq >= before);
    assert.equal(pair.a.log.archives.length, 1);
    assert.deepEqual(pair.a.node.archives, ['archive-1']);
    pair.stop();
  });

  it('do not follow where that would cut what was acknowledged, until an operator gives it up', async () => {
    const pair = await LinkedPair.serving();
    pair.part();
    await pair.pass(2_500);
    const { proposal } = pair.a.node.core;
    pair.a.assign({ role: 'master', inSync: ['a'], answeredProposal: proposal?.id ?? 0 });
    await pair.pass(0);
    const seq = pair.a.set('confirmed alone');
    await pair.pass(10);
    assert.equal(pair.a.node.core.confirmedSeq, seq);
    pair.reign('b', 2, { inSync: ['b'] });
    pair.reachable = true;
    await pair.pass(2_000);
    assert.equal(pair.a.node.core.role, 'diverged');
    assert.deepEqual(pair.a.log.archives, []);
    const divergence = pair.a.report?.divergence;
    assert.equal(divergence?.ownEnd.seq, seq);
    assert.equal(divergence.acknowledgedFrom, divergence.forkSeq + 1);
    pair.a.assign({ role: 'slave', epoch: 2, inSync: ['b'], mayDiscard: true });
    await pair.pass(2_000);
    assert.equal(pair.a.node.core.role, 'slave');
    assert.deepEqual(pair.a.log.end, pair.b.log.end);
    assert.equal(pair.a.log.archives.length, 1);
    assert.equal(pair.a.report?.divergence, null);
    pair.stop();
  });

  it('do not wait for a slave that says that it ends', async () => {
    const pair = await LinkedPair.serving();
    pair.endLinks('b');
    const seq = pair.a.set('key');
    await pair.pass(10);
    const { proposal } = pair.a.node.core;
    assert.deepEqual(proposal?.inSync, ['a']);
    assert.ok(pair.a.node.core.confirmedSeq < seq, 'nothing is confirmed alone before that is on record');
    pair.a.assign({ role: 'master', inSync: ['a'], answeredProposal: proposal.id });
    assert.ok(pair.a.node.core.confirmedSeq < seq, 'nor before the log is on stable storage');
    await pair.pass(0);
    assert.ok(pair.a.node.core.confirmedSeq >= seq);
    pair.stop();
  });

  it('wait for a slave whose link breaks', async () => {
    const pair = await LinkedPair.serving();
    pair.part();
    await pair.pass(10);
    assert.equal(pair.a.node.core.proposal, null);
    pair.stop();
  });

  it('hold the same again once the slave has all and must confirm, before that is on record', async () => {
    const pair = await LinkedPair.serving();
    pair.part();
    await pair.pass(2_500);
    pair.a.assign({ role: 'master', inSync: ['a'], answeredProposal: pair.a.node.core.proposal?.id ?? 0 });
    await pair.pass(0);
    pair.a.set('confirmed alone');
    await pair.pass(10);
    assert.equal(pair.a.report?.confirmedAlone, true);
    pair.reachable = true;
    for (let beats = 0; beats < 20; beats += 1) {
      await pair.pass(heartbeatMs);
      pair.a.grant();
    }
    assert.deepEqual(pair.a.node.core.proposal?.inSync, ['a', 'b']);
    assert.equal(pair.a.report.confirmedAlone, false);
    pair.part();
    await pair.pass(2_500);
    const { proposal } = pair.a.node.core;
    assert.deepEqual(proposal?.inSync, ['a']);
    assert.equal(pair.a.report.confirmedAlone, false, 'it asks to go on alone, and waits for the answer');
    pair.a.assign({ role: 'master', inSync: ['a'], answeredProposal: proposal.id });
    await pair.pass(0);
    assert.equal(pair.a.report.confirmedAlone, true);
    pair.stop();
  });

  it('find each other while neither knows its role, and take no part until one does', async () => {
    const pair = new LinkedPair();
    await pair.pass(200);
    assert.ok(pair.links.length >= 2, 'both dial');
    assert.deepEqual([pair.a.node.core.role, pair.b.node.core.role], ['waiting', 'waiting']);
    assert.equal(pair.a.report?.peer.linked, true);
    pair.a.assign({ role: 'master' });
    pair.a.grant();
    await pair.pass(detectMs);
    assert.equal(pair.b.node.core.role, 'slave', 'a waiting node follows the master that it meets');
    assert.deepEqual(pair.b.log.end, pair.a.log.end);
    pair.stop();
  });

  it('come together again after each loss of the link, with all that was written meanwhile', async () => {
    const pair = await LinkedPair.serving();
    for (let loss = 0; loss < 5; loss += 1) {
      pair.part();
      await pair.pass(50);
      pair.a.set(`key ${loss}`);
      await pair.pass(50);
      pair.reachable = true;
      await pair.pass(1_500);
      assert.deepEqual(pair.b.log.end, pair.a.log.end);
      assert.equal(pair.a.node.core.confirmedSeq, pair.a.log.end.seq);
    }
    pair.stop();
  });

  it('give a link up that is silent, although nobody closed it', async () => {
    const pair = await LinkedPair.serving();
    const link = pair.links.at(-1)!;
    link.dialler.blocked = true;
    link.acceptor.blocked = true;
    await pair.pass(6 * detectMs);
    assert.notEqual(link.dialler.closeReason, null);
    assert.notEqual(link.acceptor.closeReason, null);
    assert.notEqual(pair.links.at(-1), link);
    assert.equal(pair.a.report?.peer.linked, true);
    pair.stop();
  });

  it('tell how far a catch-up is, and whose end the peer’s log has', async () => {
    const pair = await LinkedPair.serving();
    await pair.pass(heartbeatMs);
    assert.deepEqual(pair.a.node.report().peer.end?.seq, pair.b.log.end.seq);
    assert.deepEqual(pair.a.node.report().peer.lagBytes, 0);
    assert.equal(pair.b.node.report().peer.catchUp, null);
    pair.stop();
  });

  it('let go of everything when they stop', async () => {
    const pair = await LinkedPair.serving();
    pair.stop();
    await pair.pass(10_000);
    assert.equal(pair.scheduler.pending, 0);
    assert.ok(
      pair.links.every(({ dialler, acceptor }) => dialler.closeReason !== null && acceptor.closeReason !== null),
    );
  });
});
