import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HsctlError } from '../../../src/kit/errors.ts';
import { CoreHarness, GRANT_MS, ManualClock, SETTINGS } from './core-harness.ts';

describe('a reign', () => {
  it('begins with an assignment and a lease; the app is told, then says that it is ready', () => {
    const node = new CoreHarness();
    node.assign({ role: 'master' });
    assert.deepEqual([node.core.phase, node.core.posture().appRole], ['fencing', 'none']);
    node.lease();
    assert.deepEqual([node.core.phase, node.core.posture().appRole], ['promoting', 'master']);
    assert.equal(node.core.posture().serves, false);
    node.ready();
    assert.equal(node.core.phase, 'ready');
    assert.equal(node.core.posture().serves, true);
    assert.deepEqual([node.reigns, node.marks], [[1], ['102: a,b']]);
  });

  it('waits until the own grant to the peer has run out, and begins at that very moment', () => {
    const node = CoreHarness.slave(1);
    assert.equal(node.core.onPing(ping(1)).leaseMs, SETTINGS.leaseMs);
    node.assign({ role: 'master', epoch: 2, peerRenouncedEpoch: 0 });
    const wakeAtMs = node.core.wakeAtMs;
    assert.equal(wakeAtMs, node.clock.monotonicMs() + GRANT_MS);
    node.clock.pass(GRANT_MS - 0.5);
    node.lease();
    assert.equal(node.core.phase, 'fencing');
    node.clock.pass(0.5);
    node.core.tick();
    assert.equal(node.core.phase, 'promoting');
  });

  it('does not wait for a peer that renounced, by its own word or the controller’s', () => {
    for (const word of ['peer', 'controller'] as const) {
      const node = CoreHarness.slave(1);
      node.core.onPing(ping(1));
      node.assign({ role: 'master', epoch: 2, peerRenouncedEpoch: word === 'controller' ? 1 : 0 });
      if (word === 'peer') node.core.onPeerRelease(1);
      node.lease();
      assert.equal(node.core.phase, 'promoting', word);
    }
  });

  it('does not begin while a former master’s cut is under way', () => {
    const node = new CoreHarness();
    node.logIsFree = false;
    node.assign({ role: 'master' });
    node.lease();
    assert.equal(node.core.phase, 'fencing');
    node.logIsFree = true;
    node.core.tick();
    assert.equal(node.core.phase, 'promoting');
  });

  it('serves until the lease ends, and again under a new one', () => {
    const node = CoreHarness.serving();
    node.clock.pass(SETTINGS.leaseMs * 0.99);
    assert.equal(node.core.mayReply(), true);
    node.clock.pass(SETTINGS.leaseMs * 0.01);
    assert.deepEqual([node.core.mayReply(), node.core.posture().serves], [false, false]);
    assert.equal(node.core.phase, 'ready', 'the reign goes on');
    node.slaveLease();
    assert.deepEqual([node.core.mayReply(), node.core.posture().serves], [true, true]);
  });

  it('takes no lease that was asked for under another epoch', () => {
    const node = CoreHarness.serving(2);
    node.clock.pass(SETTINGS.leaseMs);
    const { sentAtMs } = node.core.beat();
    node.core.onControllerGrant({ type: 'grant', echoedSentAtMs: sentAtMs, epoch: 1, leaseMs: 1_000, lingerMs: 0 });
    assert.equal(node.core.mayReply(), false);
  });

  it('counts a suspension of the machine as time that the lease has run', () => {
    const node = CoreHarness.serving();
    node.clock.jump(SETTINGS.leaseMs);
    assert.equal(node.core.mayReply(), false);
  });

  it('ends with the app: the lease is given back at once', () => {
    const node = CoreHarness.serving();
    node.appFails();
    assert.deepEqual([node.core.phase, node.core.trouble], ['released', 'the app crashed']);
    assert.deepEqual([node.releases, node.core.renouncedEpoch, node.reignsEnded], [[1], 1, 1]);
    assert.equal(node.core.mayReply(), false);
  });

  it('is released for good, whatever comes', () => {
    const node = CoreHarness.serving();
    node.appFails();
    const attempts: (() => void)[] = [
      () => node.ready(),
      () => node.lease(),
      () => node.slaveLease(),
      () => node.assign({ role: 'master' }),
      () => node.assign({ role: 'master', quiesce: true }),
      () => node.slaveConfirms(),
      () => node.core.onWorkEnded(),
      () => node.pass(10_000),
    ];
    for (const attempt of attempts) {
      attempt();
      assert.equal(node.core.phase, 'released', attempt.toString());
      assert.equal(node.core.mayReply(), false);
      assert.equal(node.core.posture().serves, false);
      assert.equal(node.core.beat().wantsLease, false);
    }
  });

  it('is released for good also by a disk that fails while the reign does something', () => {
    const deeds: readonly (readonly [
      what: string,
      failing: number,
      inSync: string[],
      deed: (node: CoreHarness) => void,
    ])[] = [
      ['its first write: it begins', 1, ['a', 'b'], (node) => node.lease()],
      ['its second write: it begins', 2, ['a', 'b'], (node) => node.lease()],
      [
        'its first write: it tightens',
        1,
        ['a'],
        (node) => {
          node.lease();
          node.slaveConfirms();
        },
      ],
      [
        'its third write: it relaxes',
        3,
        ['a', 'b'],
        (node) => {
          node.lease();
          node.pass(2_100);
          node.assign({ role: 'master', inSync: ['a'], answeredProposal: 1 });
        },
      ],
    ];
    for (const [what, failing, inSync, deed] of deeds) {
      const node = new CoreHarness();
      node.assign({ role: 'master', inSync });
      let writes = 0;
      node.onWrite = () => {
        writes += 1;
        if (writes === failing) node.core.onStoreFailed('no space', false);
      };
      node.ready();
      deed(node);
      node.ready();
      node.lease();
      node.core.tick();
      assert.equal(writes, failing, `${what}: nothing is written afterwards`);
      assert.deepEqual([node.core.phase, node.core.posture().serves], ['released', false], what);
      assert.deepEqual(node.releases, [1], what);
    }
  });
});

describe('an epoch', () => {
  it('is on the disk before anything is said under it', () => {
    const node = new CoreHarness();
    node.onWrite = () => {
      throw new HsctlError('disk', 'no space left');
    };
    assert.throws(() => node.assign({ role: 'master', epoch: 5 }), { code: 'disk' });
    assert.deepEqual([node.core.epoch, node.core.role, node.memory.epoch], [0, 'waiting', 0]);
  });

  it('is never resumed after a restart: the node may only begin a later one', () => {
    const node = CoreHarness.serving(3);
    const later = node.restarted();
    assert.deepEqual([later.core.epoch, later.core.renouncedEpoch], [3, 3]);
    later.assign({ role: 'master', epoch: 3 });
    later.lease();
    assert.deepEqual([later.core.role, later.core.posture().serves], ['waiting', false]);
    later.assign({ role: 'master', epoch: 4, peerRenouncedEpoch: 2 });
    later.lease();
    assert.equal(later.core.phase, 'fencing', 'it may have granted a lease the moment before it went down');
    later.core.onPeerRelease(3);
    assert.equal(later.core.phase, 'promoting');
  });

  it('is not begun by a run that was not the one that was chosen: it renounces, so that another choice can be made', () => {
    const node = new CoreHarness({ instance: 'a-2' });
    node.assign({ role: 'master', epoch: 4, masterInstance: 'a-1' });
    node.lease();
    assert.deepEqual([node.core.role, node.core.renouncedEpoch, node.releases], ['waiting', 4, [4]]);
  });

  it('never falls: lower assignments, greetings and pings are refused', () => {
    const node = CoreHarness.slave(5);
    node.assign({ role: 'master', epoch: 4 });
    node.core.onPeerHello({ role: 'master', epoch: 4, renouncedEpoch: 3 });
    assert.equal(node.core.onPing(ping(4)).leaseMs, 0);
    assert.deepEqual([node.core.epoch, node.core.role], [5, 'slave']);
  });

  it('that is higher ends a reign, by whatever way it is heard of', () => {
    for (const way of ['assignment', 'greeting'] as const) {
      const node = CoreHarness.serving(5);
      if (way === 'assignment') node.assign({ role: 'wait', epoch: 6 });
      else node.core.onPeerHello({ role: 'master', epoch: 6, renouncedEpoch: 5 });
      assert.equal(node.core.mayReply(), false, way);
      assert.deepEqual([node.core.epoch, node.memory.epoch], [6, 6], way);
      assert.equal(node.core.role, way === 'assignment' ? 'waiting' : 'slave');
      assert.ok(node.core.renouncedEpoch >= 5, way);
    }
  });

  it('has one word only: an older revision of it is ignored', () => {
    const node = new CoreHarness();
    const early = node.assignment({ role: 'slave' });
    node.assign({ role: 'wait' });
    node.core.onAssignment(early);
    assert.equal(node.core.role, 'waiting');
  });
});

describe('a renunciation', () => {
  it('is said only after the traffic is off the node', () => {
    const node = CoreHarness.serving(2);
    node.core.onTrafficTaken();
    node.appFails();
    assert.deepEqual([node.core.renouncedEpoch, node.releases], [0, []]);
    assert.equal(node.core.posture().serves, false);
    node.core.onTrafficGone();
    assert.deepEqual([node.core.renouncedEpoch, node.releases], [2, [2]]);
  });

  it('is held back over later epochs too, and then names the last', () => {
    const node = CoreHarness.serving(2);
    node.core.onTrafficTaken();
    node.assign({ role: 'slave', epoch: 3 });
    assert.deepEqual([node.core.role, node.core.renouncedEpoch], ['slave', 0]);
    node.core.onTrafficGone();
    assert.deepEqual(node.releases, [3]);
  });

  it('comes from a slave for its own epoch, from a waiting node for those before', () => {
    assert.equal(CoreHarness.slave(4).core.renouncedEpoch, 4);
    const waiting = CoreHarness.slave(4);
    waiting.assign({ role: 'wait', epoch: 5 });
    assert.equal(waiting.core.renouncedEpoch, 4);
  });

  it('comes with an orderly stop', () => {
    const node = CoreHarness.serving(2);
    node.core.stop();
    assert.deepEqual([node.releases, node.core.posture().dialPeer], [[2], false]);
  });
});

describe('a slave', () => {
  it('grants its master a lease, after the longest one is on the disk', () => {
    const node = CoreHarness.slave(2);
    assert.equal(node.core.onPing(ping(2)).leaseMs, SETTINGS.leaseMs);
    assert.equal(node.memory.longestGrantMs, GRANT_MS);
    assert.equal(node.core.peer.grantRunsMs, GRANT_MS);
    assert.equal(node.core.onPing({ ...ping(2), wantsLease: false }).leaseMs, 0);
  });

  it('grants nothing to another epoch, nor once it was told to wait', () => {
    const node = CoreHarness.slave(2);
    assert.equal(node.core.onPing(ping(3)).leaseMs, 0);
    node.assign({ role: 'wait', epoch: 3 });
    assert.equal(node.core.onPing(ping(2)).leaseMs, 0);
    assert.equal(node.core.onPing(ping(3)).leaseMs, 0);
  });

  it('that restarts waits for the longest lease that it may have granted, even a longer one than it grants now', () => {
    const clock = new ManualClock();
    const node = new CoreHarness({ clock, memory: { epoch: 2, longestGrantMs: 9_000 } });
    node.assign({ role: 'master', epoch: 3, peerRenouncedEpoch: 1 });
    node.clock.pass(8_999);
    node.lease();
    assert.equal(node.core.phase, 'fencing');
    node.clock.pass(1);
    node.lease();
    assert.equal(node.core.phase, 'promoting');
  });

  it('follows the master that it meets while it has no word of the controller', () => {
    const node = CoreHarness.slave(4).restarted();
    assert.equal(node.core.posture().dialPeer, true, 'it looks for its peer');
    node.core.onPeerHello({ role: 'master', epoch: 4, renouncedEpoch: 3 });
    assert.deepEqual([node.core.role, node.core.posture().appRole], ['slave', 'slave']);
    assert.equal(node.core.onPing(ping(4)).leaseMs, SETTINGS.leaseMs);
  });

  it('does not follow a peer that gave up, is no master, or of a lower epoch', () => {
    const node = CoreHarness.slave(4).restarted();
    node.core.onPeerHello({ role: 'master', epoch: 4, renouncedEpoch: 4 });
    node.core.onPeerHello({ role: 'waiting', epoch: 4, renouncedEpoch: 3 });
    node.core.onPeerHello({ role: 'master', epoch: 3, renouncedEpoch: 2 });
    assert.equal(node.core.role, 'waiting');
  });

  it('that has parted from its master follows it only if its tail may be discarded', () => {
    const node = CoreHarness.slave(4);
    node.core.onDiverged();
    assert.deepEqual([node.core.role, node.core.posture().dialPeer], ['diverged', false]);
    node.assign({ role: 'slave', epoch: 4 });
    node.core.onPeerHello({ role: 'master', epoch: 5, renouncedEpoch: 4 });
    assert.equal(node.core.role, 'diverged');
    node.assign({ role: 'slave', epoch: 5, mayDiscard: true });
    assert.equal(node.core.role, 'slave');
  });

  it('tells what is confirmed, never more than it has itself', () => {
    const node = CoreHarness.slave(4);
    node.core.onPing({ ...ping(4), confirmedSeq: 60 });
    assert.equal(node.core.confirmedSeq, 60);
    node.core.onPing({ ...ping(4), confirmedSeq: 1_000 });
    assert.equal(node.core.confirmedSeq, 100);
    node.core.onPing({ ...ping(4), confirmedSeq: 50 });
    assert.equal(node.core.confirmedSeq, 100);
  });
});

describe('a disk that fails', () => {
  it('ends the part that the node has in anything until it is restarted', () => {
    const node = CoreHarness.serving(2);
    node.core.onStoreFailed('input/output error', false);
    assert.deepEqual(
      [node.core.phase, node.core.trouble, node.core.storeFailed],
      ['released', 'input/output error', true],
    );
    node.assign({ role: 'slave', epoch: 3 });
    assert.deepEqual([node.core.role, node.core.posture().dialPeer], ['waiting', false]);
    node.assign({ role: 'master', epoch: 4 });
    node.lease();
    assert.equal(node.core.role, 'waiting');
  });
});

function ping(epoch: number) {
  return { type: 'ping', sentAtMs: 5, epoch, confirmedSeq: 0, wantsLease: true } as const;
}
