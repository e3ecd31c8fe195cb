import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { pageWith, readFindings, readPage } from '../../scripts/simulate.d/findings.ts';
import { mutationGate } from '../../scripts/simulate.d/mutation-gate.ts';
import { MUTANTS } from './mutants.ts';
import { runSeeds } from './run-seeds.ts';

/** So many seeds are tried for a guard whose known seed does not notice any more. */
const SEARCHED = 300;

suite('guards switched off', () => {
  const findings = readFindings();

  test('each mutant changes what it says, and nothing that is not there', async () => {
    for (const { name, file, find } of MUTANTS) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.equal(text.split(find).length - 1, 1, `${name}: in ${file}`);
    }
    assert.equal(new Set(MUTANTS.map(({ name }) => name)).size, MUTANTS.length);
    const wrong = { ...MUTANTS[0]!, find: 'no such text' };
    await assert.rejects(runSeeds({ from: 1, count: 2, mutant: wrong }), /0 times/);
  });

  test('each of them is noticed', async (t) => {
    const unknown = MUTANTS.map(({ name }) => name).filter((name) => !(name in findings));
    assert.deepEqual(unknown, [], 'run scripts/simulate --mutants --write');
    const { found, missed } = await mutationGate(MUTANTS, {
      seeds: SEARCHED,
      known: findings,
      note: (line) => t.diagnostic(line),
    });
    assert.deepEqual(missed, []);
    assert.ok(Object.keys(found).length >= 25);
    const rules = new Set(Object.values(found).map(({ rule }) => rule));
    assert.ok(rules.has('linearizability'), 'some only by what clients saw');
  });

  test('the manual lists them', () => {
    assert.equal(readPage(), pageWith(readPage(), findings), 'run scripts/simulate --mutants --write');
  });
});
