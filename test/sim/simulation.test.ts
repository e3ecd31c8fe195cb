import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { suite, test } from 'node:test';
import { FAULT_KINDS } from './faults.ts';
import { MUTANTS } from './mutants.ts';
import { runSeeds } from './run-seeds.ts';
import { shrink } from './shrink.ts';
import { Simulation, type SimulationResult } from './simulation.ts';

/** So many seeds in each run of the tests; `scripts/simulate` runs more. */
const SEEDS = 250;
/** Within so many the plainest mutants are found. */
const MUTANT_SEEDS = 60;

function mutantNamed(name: string) {
  const mutant = MUTANTS.find((each) => each.name === name);
  assert.ok(mutant, `there is a mutant "${name}"`);
  return mutant;
}

suite('simulation', () => {
  test('no invariant breaks, whatever happens', async () => {
    const results = await runSeeds({ from: 1, count: SEEDS });
    const broken = results.flatMap(({ seed, violation }) =>
      violation === null ? [] : [`scripts/simulate --seed ${seed}: ${violation.rule}: ${violation.text}`],
    );
    assert.deepEqual(broken, []);
    assert.equal(results.length, SEEDS);
    const changes = results.reduce((sum, each) => sum + each.changes, 0);
    const acknowledged = results.reduce((sum, each) => sum + each.acknowledged, 0);
    assert.ok(changes > SEEDS, `only ${changes} changes of master: the faults are too kind`);
    assert.ok(acknowledged > 100 * SEEDS, `only ${acknowledged} acknowledged operations: nobody is served`);
  });

  test('the same seed gives the same run, in this thread and in another', async () => {
    const here = [await new Simulation(7).run(), await new Simulation(7, { transcript: true }).run()];
    const [there] = await runSeeds({ from: 7, count: 1 });
    assert.deepEqual(
      here.map(({ hash }) => hash),
      [there?.hash, there?.hash],
    );
    const [other] = await runSeeds({ from: 8, count: 1 });
    assert.notEqual(other?.hash, there?.hash);
  });

  for (const name of [
    'confirms without its slave',
    'replies without a lease',
    'decides on doubtful clocks',
    'forgets its epoch',
  ]) {
    test(`notices a build that ${name}`, async () => {
      const results = await runSeeds({
        from: 1,
        count: MUTANT_SEEDS,
        mutant: mutantNamed(name),
        onResult: ({ violation }) => (violation === null ? 'go on' : 'stop'),
      });
      assert.ok(results.some(({ violation }) => violation !== null));
    });
  }

  test('each mutant changes what it says, and nothing that is not there', async () => {
    for (const { name, file, find } of MUTANTS) {
      const text = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.equal(text.split(find).length - 1, 1, `${name}: in ${file}`);
    }
    const wrong = { ...mutantNamed('forgets its epoch'), find: 'no such text' };
    await assert.rejects(runSeeds({ from: 1, count: 2, mutant: wrong }), /0 times/);
  });

  test('nobody is replaced for stalls that are shorter than what counts as silence', async () => {
    for (let seed = 1; seed <= 8; seed += 1) {
      const { detectMs, heartbeatMs } = new Simulation(seed).group.failover;
      const faults = Array.from({ length: 40 }, (_, index) => ({
        atMs: 20 * detectMs + index * 2 * detectMs,
        kind: index % 3 === 0 ? ('stop controller' as const) : ('stop agent' as const),
        where: index % 2 === 0 ? 'a' : 'b',
        forMs: Math.max(0, detectMs - 2 * heartbeatMs) * 0.8,
        amount: 0,
      }));
      const { changes, violation } = await new Simulation(seed, { faults }).run();
      assert.deepEqual({ seed, changes, violation }, { seed, changes: 0, violation: null });
    }
  });
});

suite('shrinking', () => {
  const fault = (atMs: number) => ({ atMs, kind: FAULT_KINDS[0], where: 'a>b', forMs: 1, amount: 0 });

  test('leaves the faults without which the invariant holds', async () => {
    const needed = [fault(3), fault(11)];
    const run = async (faults: SimulationResult['faults']): Promise<SimulationResult> => {
      const breaks = needed.every(({ atMs }) => faults.some((each) => each.atMs === atMs));
      const violation = breaks ? { atMs: 12, rule: 'I1', text: 'both serve' } : null;
      return {
        seed: 1,
        violation,
        hash: 0,
        simulatedMs: 20,
        events: 0,
        changes: 0,
        acknowledged: 0,
        faults,
        lines: [],
      };
    };
    const failed = await run(Array.from({ length: 20 }, (_, index) => fault(index)));
    assert.deepEqual((await shrink(failed, run)).faults, needed);
  });
});
