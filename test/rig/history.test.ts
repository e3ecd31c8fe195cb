import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Attempt, failures, longestGapMs, outageMs, type Outcome, verifyHistory } from './history.ts';

function attempt(entry: string, outcome: Outcome, times: Partial<Attempt> = {}): Attempt {
  const [op = '', user = '', friend = ''] = entry.split(' ');
  const deed = op === 'DEL' ? 'DEL' : 'ADD';
  return { op: deed, user, friend, startMs: 0, sentMs: 0, doneMs: 0, outcome, detail: '', ...times };
}

function findings(attempts: readonly Attempt[], friends: readonly string[]): unknown {
  const { lost, ghosts, duplicates } = verifyHistory(attempts, new Map([['u', friends]]));
  return { lost, ghosts, duplicates };
}

const NOTHING = { lost: [], ghosts: [], duplicates: [] };

describe('verifyHistory', () => {
  it('finds an acknowledged write that is not there', () => {
    assert.deepEqual(findings([attempt('ADD u x', 'ok')], []), { ...NOTHING, lost: ['u x'] });
    assert.deepEqual(findings([attempt('ADD u x', 'ok')], ['x']), NOTHING);
  });

  it('finds what is there although it was refused or never sent', () => {
    for (const outcome of ['refused', 'unconnected'] as const) {
      assert.deepEqual(findings([attempt('ADD u x', outcome)], ['x']), { ...NOTHING, ghosts: ['u x'] });
      assert.deepEqual(findings([attempt('ADD u x', outcome)], []), NOTHING);
    }
  });

  it('finds what is there twice', () => {
    assert.deepEqual(findings([attempt('ADD u x', 'ok')], ['x', 'x']), { ...NOTHING, duplicates: ['u x'] });
  });

  it('takes both ends of an unanswered write', () => {
    for (const friends of [[], ['x']]) {
      assert.deepEqual(findings([attempt('ADD u x', 'unknown')], friends), NOTHING);
      assert.deepEqual(findings([attempt('ADD u x', 'ok'), attempt('DEL u x', 'unknown')], friends), NOTHING);
    }
  });

  it('expects an acknowledged delete to last, and a refused one to change nothing', () => {
    const added = attempt('ADD u x', 'ok');
    assert.deepEqual(findings([added, attempt('DEL u x', 'ok')], ['x']), { ...NOTHING, ghosts: ['u x'] });
    assert.deepEqual(findings([added, attempt('DEL u x', 'ok')], []), NOTHING);
    for (const outcome of ['refused', 'unconnected'] as const) {
      assert.deepEqual(findings([added, attempt('DEL u x', outcome)], []), { ...NOTHING, lost: ['u x'] });
    }
  });

  it('takes the last outcome of a write that was tried again', () => {
    assert.deepEqual(findings([attempt('ADD u x', 'unconnected'), attempt('ADD u x', 'ok')], ['x']), NOTHING);
  });

  it('counts outcomes', () => {
    const attempts = (['ok', 'ok', 'unknown', 'refused', 'unconnected'] as const).map((outcome) =>
      attempt('ADD u x', outcome),
    );
    assert.deepEqual(verifyHistory(attempts, new Map()).outcomes, { ok: 2, refused: 1, unknown: 1, unconnected: 1 });
  });
});

describe('measures', () => {
  const ok = (startMs: number, doneMs: number): Attempt => attempt('ADD u x', 'ok', { startMs, doneMs });

  it('count an outage to the first answer of a connection begun after the fault', () => {
    const fault = { beginMs: 100, endMs: 105 };
    assert.equal(outageMs([ok(99, 101), ok(104, 106), ok(120, 141), ok(121, 140)], fault), 40);
    assert.equal(outageMs([ok(99, 101)], fault), null);
    assert.equal(outageMs([attempt('ADD u x', 'refused', { startMs: 120, doneMs: 121 })], fault), null);
  });

  it('find the longest time without an answer, also at the ends', () => {
    assert.equal(longestGapMs([ok(0, 14), ok(0, 10), ok(0, 18)], 0, 20), 10);
    assert.equal(longestGapMs([ok(0, 1), ok(0, 3), ok(0, 10)], 0, 11), 7);
    assert.equal(longestGapMs([ok(0, 1)], 0, 11), 10);
    assert.equal(longestGapMs([], 5, 11), 6);
  });

  it('call failed what was sent in vain, not what found no connection', () => {
    const attempts = (['ok', 'unknown', 'refused', 'unconnected'] as const).map((outcome) =>
      attempt('ADD u x', outcome, { startMs: 10 }),
    );
    assert.deepEqual(
      failures(attempts, 10, 11).map((one) => one.outcome),
      ['unknown', 'refused'],
    );
    assert.deepEqual(failures(attempts, 11, 20), []);
  });
});
