import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NodeHarness } from './node-harness.ts';

describe('reads', () => {
  it('are refused when a reign has ended, until the log goes on from the new master: the tail may be cut off', () => {
    const harness = NodeHarness.serving();
    const { replica } = harness.node;
    assert.equal(replica.readRefusal(), null);
    harness.assign({ role: 'slave', epoch: 2, revision: 2 });
    assert.match(replica.readRefusal() ?? '', /^MASTERDOWN/);
    harness.node.onFollowing();
    assert.equal(replica.readRefusal(), null);
  });

  it('are refused by the next run of the agent, too: an app that went on may think that it is master still', () => {
    const { log } = NodeHarness.serving();
    const harness = new NodeHarness({}, false, undefined, log);
    const { replica } = harness.node;
    assert.match(replica.readRefusal() ?? '', /^MASTERDOWN/);
    harness.assign({ role: 'slave', epoch: 2 });
    assert.match(replica.readRefusal() ?? '', /^MASTERDOWN/);
    harness.node.onFollowing();
    assert.equal(replica.readRefusal(), null);
  });

  it('are refused while a slave that starts from nothing has no index yet, rather than told that there is no such key', () => {
    const harness = new NodeHarness();
    harness.assign({ role: 'slave' });
    const { replica } = harness.node;
    assert.equal(replica.readRefusal(), null);
    let [count, isSettled] = [0, false];
    Object.defineProperties(harness.log, { count: { get: () => count }, isSettled: { get: () => isSettled } });
    assert.match(replica.readRefusal() ?? '', /^LOADING/);
    count = 1;
    assert.equal(replica.readRefusal(), null, 'a later catch-up: the keys of before are found');
    [count, isSettled] = [0, true];
    assert.equal(replica.readRefusal(), null, 'there are no keys');
  });
});
