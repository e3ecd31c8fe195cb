import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  commonStretches,
  type RegisterEntry,
  registerViolations,
  servingStretches,
  totalMs,
} from './register-entries.ts';

function entry(said: string, startMs: number, doneMs: number, outcome: RegisterEntry['outcome'] = 'ok'): RegisterEntry {
  const [kind, user = '', ...friends] = said.split(' ');
  return { kind: kind === 'ADD' || kind === 'DEL' ? kind : 'LIST', user, friends, startMs, doneMs, outcome };
}

describe('registerViolations', () => {
  it('finds nothing where all fits together', () => {
    const entries = [
      entry('LIST u', 0, 1),
      entry('ADD u x', 2, 6),
      entry('LIST u', 3, 4), // not yet
      entry('LIST u x', 3, 5), // already
      entry('ADD u y', 7, 8),
      entry('LIST u x y', 9, 10),
      entry('DEL u x', 11, 12),
      entry('LIST u y', 13, 14),
    ];
    assert.deepEqual(registerViolations(entries), []);
  });

  it('finds an old answer, a lost write and one that comes and goes', () => {
    const added = entry('ADD u x', 0, 1);
    const [lost] = registerViolations([added, entry('LIST u', 2, 3)]);
    assert.match(lost ?? '', /^u x: read absent from 2\.0 to 3\.0 ms/);
    const wavering = [entry('ADD u x', 0, 10, 'unknown'), entry('LIST u x', 1, 2), entry('LIST u', 3, 4)];
    assert.equal(registerViolations(wavering).length, 1);
    assert.equal(registerViolations([added, entry('DEL u x', 2, 3), entry('LIST u x', 4, 5)]).length, 1);
  });

  it('believes a refusal, and leaves open what nobody knows', () => {
    assert.equal(registerViolations([entry('ADD u x', 0, 1, 'refused'), entry('LIST u x', 2, 3)]).length, 1);
    const unknown = entry('ADD u x', 0, 1, 'unknown');
    for (const list of ['LIST u', 'LIST u x']) assert.deepEqual(registerViolations([unknown, entry(list, 2, 3)]), []);
    const late = [unknown, entry('LIST u', 2, 3), entry('LIST u x', 4, 5)];
    assert.deepEqual(registerViolations(late), []);
    assert.deepEqual(registerViolations([entry('ADD u x', 0, 1), entry('LIST u', 2, 3, 'refused')]), []);
  });
});

describe('servingStretches', () => {
  it('are between answers that follow each other soon, none refused', () => {
    const answers = [entry('LIST u', 0, 5), entry('LIST u', 20, 25), entry('LIST u', 60, 61)];
    assert.deepEqual(servingStretches(answers), [{ fromMs: 5, toMs: 60 }]);
    const refused = [entry('LIST u', 0, 5), entry('LIST u', 20, 25, 'refused'), entry('LIST u', 60, 61)];
    assert.deepEqual(servingStretches(refused), []);
    const pause = [entry('LIST u', 0, 5), entry('LIST u', 120, 125), entry('LIST u', 130, 131)];
    assert.deepEqual(servingStretches(pause), [{ fromMs: 125, toMs: 130 }]);
    const slow = [entry('LIST u', 0, 5), entry('LIST u', 20, 125), entry('LIST u', 130, 131)];
    assert.deepEqual(servingStretches(slow), []);
  });

  it('of two servers are told where they overlap', () => {
    const ones = [
      { fromMs: 0, toMs: 10 },
      { fromMs: 20, toMs: 30 },
    ];
    const common = commonStretches(ones, [{ fromMs: 8, toMs: 22 }]);
    assert.deepEqual(common, [
      { fromMs: 8, toMs: 10 },
      { fromMs: 20, toMs: 22 },
    ]);
    assert.equal(totalMs(common), 4);
    assert.deepEqual(commonStretches(ones, [{ fromMs: 10, toMs: 20 }]), []);
  });
});
