import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kit/errors.ts';
import { MUTANTS } from '../../test/sim/mutants.ts';
import { runSeeds, type SeedResult } from '../../test/sim/run-seeds.ts';
import { readFindings, writeFindings } from './findings.ts';
import { mutationGate } from './mutation-gate.ts';
import { showSeed } from './show-seed.ts';

const OPTIONS = {
  seeds: { type: 'string' },
  from: { type: 'string', default: '1' },
  seed: { type: 'string' },
  workers: { type: 'string' },
  transcript: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: false },
  mutants: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

const HOUR_MS = 3_600_000;
const PROGRESS_SEEDS = 500;

function words() {
  try {
    return parseArgs({ allowPositionals: true, options: OPTIONS });
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\nsee the head of scripts/simulate\n`);
    return process.exit(2);
  }
}

function count(given: string | undefined, otherwise: number): number {
  const value = given === undefined ? otherwise : Number(given);
  if (Number.isInteger(value) && value >= 0) return value;
  process.stderr.write(`${given} is not a whole number\n`);
  return process.exit(2);
}

const { values, positionals } = words();
const note = (line: string): void => void process.stderr.write(`${line}\n`);
const workers = values.workers === undefined ? {} : { workers: count(values.workers, 1) };

if (values.seed !== undefined) {
  process.exitCode = await showSeed(count(values.seed, 1), values.transcript, values.shrink);
} else if (values.mutants) {
  const chosen = positionals.length === 0 ? MUTANTS : MUTANTS.filter(({ name }) => positionals.includes(name));
  const known = readFindings();
  const { missed } = await mutationGate(chosen, {
    seeds: count(values.seeds, 1500),
    known,
    note,
    ...workers,
    // At once: a long run may be ended early.
    onFound: (name, finding) => (values.write ? writeFindings({ ...readFindings(), [name]: finding }) : undefined),
  });
  answer({ mutants: chosen.length, mutants_found: chosen.length - missed.length, missed });
  process.exitCode = missed.length > 0 || chosen.length === 0 ? 1 : 0;
} else {
  const results = await runMany(count(values.seeds, 200), count(values.from, 1));
  process.exitCode = results.some(({ violation }) => violation !== null) ? 1 : 0;
}

async function runMany(seeds: number, from: number): Promise<SeedResult[]> {
  let done = 0;
  const results = await runSeeds({
    from,
    count: seeds,
    ...workers,
    onResult({ seed, violation }) {
      done += 1;
      if (done % PROGRESS_SEEDS === 0) note(`${done} of ${seeds} seeds`);
      if (violation !== null)
        note(`seed ${seed}: ${violation.rule}: ${violation.text}\n  scripts/simulate --seed ${seed} --shrink`);
      return 'go on';
    },
  });
  const sum = (of: (result: SeedResult) => number): number => results.reduce((total, each) => total + of(each), 0);
  const simulatedMs = sum((each) => each.simulatedMs);
  answer({
    seeds: results.length,
    simulated_hours: Math.round((simulatedMs / HOUR_MS) * 100) / 100,
    failovers: sum((each) => each.changes),
    acknowledged: sum((each) => each.acknowledged),
    violations: results.filter(({ violation }) => violation !== null).length,
    // As the last run of the gate left them: the tests hold them to it.
    mutants: MUTANTS.length,
    mutants_found: MUTANTS.filter(({ name }) => name in readFindings()).length,
    times_real_time: Math.round(simulatedMs / sum((each) => each.cpuMs)),
  });
  return results;
}

function answer(result: object): void {
  process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
}
