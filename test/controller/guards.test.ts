import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as guards from '../../src/controller/guards.ts';
import { CASES } from './guard-cases.ts';
import { CHOSEN_B, view } from './views.ts';

/** The exports that are guards. */
const GUARDS = Object.entries(guards).flatMap(([name, value]) =>
  typeof value === 'object' && 'test' in value ? [[name, value] as const] : [],
);

describe('each guard', () => {
  for (const [name, guard] of GUARDS) {
    it(`${name}: ${guard.name}`, () => {
      const cases = CASES[name];
      assert.ok(cases !== undefined, 'it has cases');
      for (const holds of [true, false]) {
        for (const [found, changes] of holds ? cases.holds : cases.fails) {
          assert.deepEqual(guard.test(view(changes)), { holds, found });
          assert.deepEqual(guards.not(guard).test(view(changes)), { holds: !holds, found });
        }
      }
      assert.ok(cases.holds.length > 0 && cases.fails.length > 0);
    });
  }

  it('has no cases for guards that are gone', () => {
    assert.deepEqual(Object.keys(CASES).toSorted(), GUARDS.map(([name]) => name).toSorted());
  });

  it('stageIs: holds in the stages that it names', () => {
    const guard = guards.stageIs('serving', 'promoting');
    assert.equal(guard.name, 'stage is serving or promoting');
    assert.deepEqual(guard.test(view()), { holds: true, found: 'stage is serving' });
    assert.deepEqual(guard.test(view({ record: CHOSEN_B })), { holds: false, found: 'stage is fencing' });
  });
});
