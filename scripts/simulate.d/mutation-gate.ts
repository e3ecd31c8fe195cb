import { availableParallelism } from 'node:os';
import type { Mutant } from '../../test/sim/mutant.ts';
import { runSeeds } from '../../test/sim/run-seeds.ts';

/** A seed that notices a mutant, and the invariant that it breaks. */
interface Finding {
  readonly seed: number;
  readonly rule: string;
}

/** By the mutants' names. */
export type Findings = Readonly<Record<string, Finding>>;

interface GateResult {
  readonly found: Findings;
  /** Names of those that no seed noticed. */
  readonly missed: readonly string[];
}

interface GateOptions {
  /** How many seeds are tried for each mutant that is not found at once. */
  readonly seeds: number;
  /** Where each was found before: tried first. */
  readonly known: Findings;
  readonly workers?: number;
  readonly note: (line: string) => void;
  /** Told of each finding as it comes. */
  readonly onFound?: (name: string, finding: Finding) => void;
}

/** Switches each guard off in turn: the seed that is known to notice it, or else another one, has to break an invariant. */
export async function mutationGate(mutants: readonly Mutant[], options: GateOptions): Promise<GateResult> {
  const { seeds, known, workers = availableParallelism(), note, onFound } = options;
  const found: Record<string, Finding> = {};
  const missed: string[] = [];
  const look = async (mutant: Mutant, from: number, count: number, lanes: number): Promise<boolean> => {
    const results = await runSeeds({
      from,
      count,
      workers: lanes,
      mutant,
      onResult: ({ violation }) => (violation === null ? 'go on' : 'stop'),
    });
    const first = results.find(({ violation }) => violation !== null);
    if (!first?.violation) return false;
    const { rule, text } = first.violation;
    await mustPassWithTheGuard(mutant, first.seed);
    const finding = { seed: first.seed, rule };
    found[mutant.name] = finding;
    onFound?.(mutant.name, finding);
    note(`found  ${mutant.name}: seed ${first.seed}, ${rule}: ${text.split('\n')[0]}`);
    return true;
  };
  const waiting = [...mutants];
  const others: Mutant[] = [];
  const replay = async (): Promise<void> => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const finding = known[mutant.name];
      if (finding === undefined || !(await look(mutant, finding.seed, 1, 1))) others.push(mutant);
    }
  };
  await Promise.all(Array.from({ length: workers }, replay));
  for (const mutant of others) {
    if (await look(mutant, 1, seeds, workers)) continue;
    missed.push(mutant.name);
    note(`MISSED ${mutant.name}: ${seeds} seeds noticed nothing`);
  }
  return { found, missed };
}

/** The same run of the code as it is: otherwise the seed tells nothing of the guard. */
async function mustPassWithTheGuard(mutant: Mutant, seed: number): Promise<void> {
  const [sound] = await runSeeds({ from: seed, count: 1, mutant: { ...mutant, replace: mutant.find } });
  const violation = sound?.violation ?? null;
  if (violation !== null)
    throw new Error(`${mutant.name}: seed ${seed} breaks ${violation.rule} with the guard too: ${violation.text}`);
}
