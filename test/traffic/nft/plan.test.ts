import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { DesiredTraffic } from '../../../src/controller/ports.ts';
import { parseNft } from '../../../src/traffic/nft/parse.ts';
import { expectedStructure, type NftActual, type NftTarget, planNft } from '../../../src/traffic/nft/plan.ts';

const sample = (name: string): string => readFileSync(new URL(`samples/${name}`, import.meta.url), 'utf8');

const TARGET: NftTarget = {
  table: 'hsctl__world',
  family: 'ip',
  protocol: 'tcp',
  address: '10.0.0.100',
  port: 9000,
  backends: [
    { node: 'a', address: '10.0.0.11', port: 9001 },
    { node: 'b', address: '10.0.0.12', port: 9002 },
  ],
};
const TARGET6: NftTarget = {
  ...TARGET,
  family: 'ip6',
  protocol: 'udp',
  address: 'fd77::100',
  backends: [{ node: 'a', address: 'fd77::11', port: 9000 }],
};

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

const ON_A: NftActual = {
  structure: expectedStructure(TARGET),
  active: '10.0.0.11:9001',
  gate: 'open',
  dead: [],
};

describe('planNft', () => {
  it('makes the table in the same transaction that fills it', () => {
    assert.equal(`${planNft(TARGET, wish({ active: 'a' }), null).join('\n')}\n`, sample('from-nothing.nft'));
    assert.equal(`${planNft(TARGET6, wish({ dead: ['a'] }), null).join('\n')}\n`, sample('from-nothing-udp6.nft'));
  });

  it('does nothing where all is as desired', () => {
    assert.deepEqual(planNft(TARGET, wish({ active: 'a' }), ON_A), []);
  });

  it('moves the service by one element', () => {
    assert.deepEqual(planNft(TARGET, wish({ active: 'b' }), ON_A), [
      'flush map ip hsctl__world active',
      'add element ip hsctl__world active { 9000 : 10.0.0.12 . 9002 }',
    ]);
  });

  it('holds new connections in a planned change, and refuses them otherwise', () => {
    const gate = (desired: DesiredTraffic): readonly string[] =>
      planNft(TARGET, desired, ON_A).filter((step) => step.includes('add element') && step.includes(' gate '));
    assert.deepEqual(gate(wish({ hold: true })), ['add element ip hsctl__world gate { 9000 : drop }']);
    assert.deepEqual(gate(wish({})), ['add element ip hsctl__world gate { 9000 : goto refuse }']);
    assert.deepEqual(gate(wish({ hold: true, dead: ['a'] })), [
      'add element ip hsctl__world gate { 9000 : goto refuse }',
    ]);
  });

  it('resets the connections of a dead node, which cannot be active', () => {
    assert.deepEqual(planNft(TARGET, wish({ active: 'a', dead: ['a'] }), ON_A), [
      'flush map ip hsctl__world active',
      'flush map ip hsctl__world gate',
      'add element ip hsctl__world gate { 9000 : goto refuse }',
      'flush set ip hsctl__world dead',
      'add element ip hsctl__world dead { 10.0.0.11 }',
    ]);
  });

  it('makes the table anew where somebody changed its rules', () => {
    const steps = planNft(TARGET, wish({ active: 'a' }), { ...ON_A, structure: ON_A.structure.slice(1) });
    assert.equal(`${steps.join('\n')}\n`, sample('from-nothing.nft'));
  });
});

describe('parseNft', () => {
  it('reads what nft lists of the table', () => {
    assert.deepEqual(parseNft(sample('on-b-after-a-died.json'), 9000), {
      structure: expectedStructure(TARGET),
      active: '10.0.0.12:9002',
      gate: 'open',
      dead: ['10.0.0.11'],
    });
  });

  it('tells foreign elements from its own', () => {
    const table = (active: unknown, gate: unknown): string =>
      JSON.stringify({ nftables: [{ map: { name: 'active', elem: active } }, { map: { name: 'gate', elem: gate } }] });
    const drop = [[9000, { drop: null }]];
    assert.deepEqual(parseNft(table([[9000, '10.0.0.1']], [[9000, { accept: null }]]), 9000), {
      structure: [],
      active: 'unknown',
      gate: 'unknown',
      dead: [],
    });
    assert.equal(parseNft(table([[80, { concat: ['10.0.0.1', 1] }]], drop), 9000).active, 'unknown');
    assert.equal(parseNft(table([], drop), 9000).gate, 'drop');
  });

  it('says that it does not understand anything else', () => {
    for (const text of ['', '[]', '{"nftables": 7}']) {
      assert.throws(() => parseNft(text, 9000), { name: 'HsctlError', code: 'format' });
    }
  });
});
