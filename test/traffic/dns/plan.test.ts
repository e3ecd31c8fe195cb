import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DnsActual, type DnsTarget, planDns, updateRecords } from '../../../src/traffic/dns/plan.ts';

const TARGET: DnsTarget = {
  name: 'world.example.',
  zone: 'example.',
  ttlS: 5,
  addresses: new Map([
    ['a', ['10.0.0.11', 'fd77::11']],
    ['b', ['10.0.0.12']],
  ]),
};
const set = (...values: string[]) => ({ ttlS: 5, values });
const NOTHING: DnsActual = { A: null, AAAA: null, isAlias: false };

describe('planDns', () => {
  for (const [what, node, actual, change] of [
    ['nothing there', 'a', NOTHING, { remove: [], add: ['10.0.0.11', 'fd77::11'] }],
    ['all as it should be', 'a', { ...NOTHING, A: set('10.0.0.11'), AAAA: set('fd77::11') }, null],
    [
      'the other node',
      'b',
      { ...NOTHING, A: set('10.0.0.11'), AAAA: set('fd77::11') },
      { remove: ['A', 'AAAA'], add: ['10.0.0.12'] },
    ],
    ['one family right', 'a', { ...NOTHING, A: set('10.0.0.11') }, { remove: [], add: ['fd77::11'] }],
    ['one too many', 'b', { ...NOTHING, A: set('10.0.0.12', '10.0.0.13') }, { remove: ['A'], add: ['10.0.0.12'] }],
    [
      'another time to live',
      'b',
      { ...NOTHING, A: { ttlS: 60, values: ['10.0.0.12'] } },
      { remove: ['A'], add: ['10.0.0.12'] },
    ],
    ['an alias', 'b', { ...NOTHING, isAlias: true }, { remove: ['CNAME', 'A', 'AAAA'], add: ['10.0.0.12'] }],
  ] as const) {
    it(`${what}: ${JSON.stringify(change)}`, () => assert.deepEqual(planDns(TARGET, node, actual), change));
  }

  it('does nothing to what it has made, whatever the order', () => {
    const many: DnsTarget = { ...TARGET, addresses: new Map([['a', ['10.0.0.2', '10.0.0.1']]]) };
    assert.equal(planDns(many, 'a', { ...NOTHING, A: set('10.0.0.1', '10.0.0.2') }), null);
  });

  it('becomes an update whose removals come first', () => {
    const records = updateRecords(TARGET, { remove: ['A', 'AAAA'], add: ['10.0.0.11', 'fd77::11'] });
    assert.deepEqual(
      records.map(({ type, class: kind, ttl, data }) => [type, kind, ttl, Buffer.from(data).toString('hex')]),
      [
        [1, 255, 0, ''],
        [28, 255, 0, ''],
        [1, 1, 5, '0a00000b'],
        [28, 1, 5, 'fd770000000000000000000000000011'],
      ],
    );
  });
});
