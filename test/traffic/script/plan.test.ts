import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { needsApply, parseStatus, scriptEnvironment } from '../../../src/traffic/script/plan.ts';

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

describe('the status of a script', () => {
  it('is a node, nobody, or not known', () => {
    assert.deepEqual(parseStatus('a\n'), { active: 'a' });
    assert.deepEqual(parseStatus(' b since today\nmore\n'), { active: 'b' });
    assert.deepEqual(parseStatus('-\n'), { active: null });
    assert.equal(parseStatus('\n'), 'unknown');
  });
});

describe('needsApply', () => {
  const onA = { active: 'a' };

  it('leaves alone what is as desired, after a restart too', () => {
    assert.equal(needsApply(wish({ active: 'a' }), onA, null), false);
    assert.equal(needsApply(wish({ active: 'a', epoch: 7 }), onA, wish({ active: 'a' })), false);
    assert.equal(needsApply(wish({ active: 'a', dead: ['a'] }), { active: null }, wish({ dead: ['a'] })), false);
  });

  it('acts on what differs, is not known, or was not told yet', () => {
    assert.equal(needsApply(wish({ active: 'b' }), onA, wish({ active: 'b' })), true);
    assert.equal(needsApply(wish({}), onA, null), true);
    assert.equal(needsApply(wish({ active: 'a' }), 'unknown', wish({ active: 'a' })), true);
    assert.equal(needsApply(wish({ active: 'a', dead: ['b'] }), onA, wish({ active: 'a' })), true);
    assert.equal(needsApply(wish({ active: 'a' }), onA, wish({ active: 'a', dead: ['b'] })), true);
    assert.equal(needsApply(wish({ active: 'a', dead: ['b'] }), onA, null), true);
    assert.equal(needsApply(wish({ hold: true }), { active: null }, null), true);
  });
});

describe('scriptEnvironment', () => {
  const backends = [
    { node: 'a', address: '10.0.0.11', port: 9000 },
    { node: 'b', address: 'fd77::12', port: 0 },
  ];

  it('tells all that is desired', () => {
    assert.deepEqual(scriptEnvironment('world', backends, wish({ active: 'a', dead: ['b'], epoch: 7 })), {
      HSCTL_GROUP: 'world',
      HSCTL_EPOCH: '7',
      HSCTL_ACTIVE: 'a',
      HSCTL_ACTIVE_ADDRESS: '10.0.0.11',
      HSCTL_ACTIVE_PORT: '9000',
      HSCTL_HOLD: '0',
      HSCTL_DEAD: 'b',
      HSCTL_NODES: 'a b',
      HSCTL_SERVERS: 'a=10.0.0.11=9000 b=fd77::12=',
    });
  });

  it('names no dead node as active', () => {
    const environment = scriptEnvironment('world', backends, wish({ active: 'a', hold: true, dead: ['a', 'b'] }));
    assert.deepEqual(
      [environment['HSCTL_ACTIVE'], environment['HSCTL_ACTIVE_ADDRESS'], environment['HSCTL_HOLD']],
      ['', '', '1'],
    );
    assert.equal(environment['HSCTL_DEAD'], 'a b');
  });
});
