import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { FAULT_KINDS } from './faults.ts';
import { runSeeds, type SeedResult } from './run-seeds.ts';
import { shrink } from './shrink.ts';
import { Simulation, type SimulationResult } from './simulation.ts';

/** So many seeds in each run of the tests, in parts; `scripts/simulate` runs more. */
const SEEDS = 2000;
const PART = 500;

suite('simulation', () => {
  for (let from = 1; from <= SEEDS; from += PART) {
    test(`no invariant breaks, whatever happens: seeds ${from} to ${from + PART - 1}`, async () => {
      const results = await runSeeds({ from, count: PART });
      const broken = results.flatMap(({ seed, violation }) =>
        violation === null ? [] : [`scripts/simulate --seed ${seed}: ${violation.rule}: ${violation.text}`],
      );
      assert.deepEqual(broken, []);
      assert.equal(results.length, PART);
      const sum = (of: (result: SeedResult) => number): number => results.reduce((total, each) => total + of(each), 0);
      const changes = sum((each) => each.changes);
      const acknowledged = sum((each) => each.acknowledged);
      assert.ok(changes > PART, `only ${changes} changes of master: the faults are too kind`);
      assert.ok(acknowledged > 100 * PART, `only ${acknowledged} acknowledged operations: nobody is served`);
    });
  }

  test('the same seed gives the same run, in this thread and in another', async () => {
    const seeds = Array.from({ length: 100 }, (_, index) => index + 1);
    const chosen = [true, false].map((real) => seeds.find((seed) => new Simulation(seed).hasRealLogs === real) ?? 0);
    const hashes = new Set<number>();
    for (const seed of chosen) {
      const here = [await new Simulation(seed).run(), await new Simulation(seed, { transcript: true }).run()];
      const [there] = await runSeeds({ from: seed, count: 1 });
      assert.deepEqual(
        here.map(({ hash }) => hash),
        [there?.hash, there?.hash],
      );
      hashes.add(here[0]!.hash);
    }
    assert.equal(hashes.size, 2, 'and another seed another run');
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
