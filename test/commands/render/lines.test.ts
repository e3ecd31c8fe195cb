import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderEvent } from '../../../src/commands/render/events.ts';
import { renderExplanation, renderPlan } from '../../../src/commands/render/explanation.ts';
import { harmless, harmlessJson } from '../../../src/commands/render/harmless.ts';
import { noPaint } from '../../../src/commands/render/paint.ts';
import { alignTable } from '../../../src/commands/render/table.ts';
import { API_VERSION } from '../../../src/model/status.ts';
import { lastEvent } from '../../model/statuses.ts';

process.env['TZ'] = 'UTC';

describe('an event', () => {
  it('is told with its rule, its phases and their sum', () => {
    assert.equal(
      renderEvent(lastEvent, noPaint),
      '2026-03-01 08:48:00  world 7  R40  a serves  [detect 3.2ms + fence 0.4ms + promote 6.1ms + ready 8.0ms + traffic 1.3ms = 18.9ms]',
    );
    assert.equal(
      renderEvent({ ...lastEvent, phasesMs: { fence: 1_200 } }, noPaint).slice(35),
      'a serves  [fence 1.2s = 1.2s]',
    );
  });

  it('keeps the lines of a hook together', () => {
    const event = { ...lastEvent, kind: 'hook' as const, rule: 'promote', message: 'one\ntwo\n', phasesMs: null };
    assert.equal(renderEvent(event, noPaint), '2026-03-01 08:48:00  world 7  promote  one\n    two');
    assert.equal(renderEvent({ ...event, phasesMs: {} }, noPaint), renderEvent(event, noPaint));
  });
});

describe('an explanation', () => {
  const rule = {
    id: 'R30',
    why: 'the master gave its lease back: promote the slave',
    protects: ['I1', 'I2'],
    holds: false,
    reached: true,
    guards: [
      { name: 'the lease was released', holds: false, found: 'a holds it for 812 ms more' },
      { name: 'the slave is in sync', holds: true, found: 'a, b' },
    ],
  };

  it('tells each rule, what blocks it, and the values', () => {
    assert.equal(
      renderExplanation({ apiVersion: API_VERSION, group: 'world', wouldDo: null, rules: [rule] }, noPaint).join('\n'),
      `world: no rule wants to change anything

blocked R30  the master gave its lease back: promote the slave (I1, I2)
  no   the lease was released: a holds it for 812 ms more
  yes  the slave is in sync: a, b`,
    );
  });

  it('says first which rule decides, and that nobody looks at those behind it', () => {
    const acting = { ...rule, holds: true, protects: [], guards: [] };
    const behind = { ...acting, id: 'R40', why: 'wait', reached: false };
    const blocked = { ...behind, id: 'R50', holds: false };
    assert.deepEqual(
      renderExplanation(
        { apiVersion: API_VERSION, group: 'world', wouldDo: 'R30', rules: [acting, behind, blocked] },
        noPaint,
      ),
      [
        'world: R30 decides: the master gave its lease back: promote the slave',
        '',
        'decides R30  the master gave its lease back: promote the slave',
        '',
        'not looked at: R30 decides first; this is what the rules behind it would find',
        '',
        'behind  R40  wait',
        '',
        'blocked R50  wait',
      ],
    );
  });
});

describe('a plan', () => {
  it('lists the steps, what is at stake and what refuses it', () => {
    const steps = [
      { name: 'fence', description: 'wait until the lease of a has run out' },
      { name: 'promote', description: 'b takes epoch 8' },
    ];
    const plan = {
      group: 'world',
      from: 'a',
      to: 'b',
      refusals: ['b is not in sync'],
      steps,
      seqsAtStake: { first: 90, last: 101 },
    };
    assert.deepEqual(renderPlan(plan, noPaint), [
      'world: a -> b',
      '  1. fence: wait until the lease of a has run out',
      '  2. promote: b takes epoch 8',
      '  at stake: 12 acknowledged records, seq 90 to 101',
      '  refused: b is not in sync',
    ]);
    assert.deepEqual(renderPlan({ ...plan, from: null, refusals: [], steps: [], seqsAtStake: null }, noPaint), [
      'world: nobody -> b',
    ]);
  });
});

describe('a table', () => {
  it('aligns by text, not by colour codes, and leaves empty columns out', () => {
    const rows = [
      ['a', '', { text: 'red', style: 'bad' as const }, 'x'],
      ['long', '', '', ''],
    ];
    assert.deepEqual(
      alignTable(['K', 'NONE', 'COLOUR', 'END'], rows, (style, text) => (style === 'bad' ? `<${text}>` : text)),
      ['K     COLOUR  END', 'a     <red>     x', 'long'],
    );
  });
});

describe('text from outside', () => {
  it('cannot steer a terminal', () => {
    const title = '\u001b]0;owned\u0007',
      hidden = '\u001b[2Jgone\r\u009b1A\u202eback';
    assert.equal(
      harmless(`\u001b[1;31mred\u001b[0m\t${title}\n${hidden}`),
      '\u001b[1;31mred\u001b[0m\t ]0;owned \n [2Jgone  1A back',
    );
    const value = { text: `${title}${hidden}\u{e0001} 中` };
    const json = harmlessJson(JSON.stringify(value, null, 2));
    assert.deepEqual(JSON.parse(json), value);
    assert.match(json, /^[\x20-\x7e\n中]*$/);
  });
});
