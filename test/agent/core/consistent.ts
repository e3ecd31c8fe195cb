import assert from 'node:assert/strict';
import type { CoreHarness } from './core-harness.ts';

/** What has to be true of an agent at every moment, whatever happened to it. */
export function checkConsistent({ core }: CoreHarness, what: string): void {
  const { role, phase, epoch, renouncedEpoch, reignEpoch, storeFailed } = core;
  const { appRole, serves, writes, quiesce, dialPeer, feeds, servesForMs } = core.posture();
  const { wantsLease } = core.beat();
  const when = `${what}: ${role} ${phase} of epoch ${epoch}, renounced ${renouncedEpoch}`;
  const implies = (one: boolean, other: boolean, law: string): void => assert.ok(!one || other, `${when}: ${law}`);

  assert.ok(renouncedEpoch <= epoch, `${when}: nothing is renounced that was not seen`);
  assert.equal(phase !== null, role === 'master', `${when}: only a master has a phase`);
  assert.equal(reignEpoch !== null, role === 'master' && phase !== 'fencing' && phase !== 'released', when);
  assert.equal(appRole === 'master', reignEpoch !== null, `${when}: the app is told of a reign that has begun`);
  assert.equal(appRole === 'slave', role === 'slave', `${when}: the app is told that it is a slave`);
  assert.equal(feeds, reignEpoch !== null, `${when}: whoever reigns feeds`);
  assert.equal(writes === 'refused', reignEpoch === null, `${when}: whoever reigns takes writes`);
  assert.equal(quiesce, phase === 'quiescing' || phase === 'quiesced', when);
  assert.equal(wantsLease, role === 'master' && phase !== 'released', `${when}: leases are for reigns`);
  implies(reignEpoch !== null, reignEpoch === epoch, 'a reign is one of the present epoch');
  implies(serves, core.mayReply() && servesForMs > 0, 'serving is by lease');
  implies(serves, phase === 'ready' || quiesce, 'serving is by the word of the app');
  implies(serves, renouncedEpoch < epoch, 'no epoch is served under that was renounced');
  implies(core.mayReply(), role === 'master' && renouncedEpoch < epoch, 'nobody else replies');
  implies(writes === 'frozen', quiesce, 'writes are frozen in a switchover only');
  implies(dialPeer, role === 'slave' || role === 'waiting', 'a master does not dial');
  implies(storeFailed, reignEpoch === null, 'a failed store does not reign');
  implies(storeFailed && role !== 'slave', !dialPeer, 'a failed store looks for nobody');
  implies(core.proposal !== null, core.proposal?.epoch === epoch, 'a proposal is one of the present epoch');
}
