import type { Mutant } from '../../test/sim/mutant.ts';
import { runSeeds } from '../../test/sim/run-seeds.ts';

export interface GateResult {
  readonly mutants: number;
  readonly found: number;
  /** Names of those that no seed noticed. */
  readonly missed: readonly string[];
}

/** Switches each guard off in turn: within so many seeds one has to break an invariant. */
export async function mutationGate(
  mutants: readonly Mutant[],
  options: { readonly seeds: number; readonly workers?: number; readonly note: (line: string) => void },
): Promise<GateResult> {
  const { seeds, note, ...rest } = options;
  const missed: string[] = [];
  for (const mutant of mutants) {
    const results = await runSeeds({
      ...rest,
      from: 1,
      count: seeds,
      mutant,
      onResult: ({ violation }) => (violation === null ? 'go on' : 'stop'),
    });
    const first = results.find(({ violation }) => violation !== null);
    if (first?.violation)
      note(
        `found  ${mutant.name}: seed ${first.seed}, ${first.violation.rule}: ${first.violation.text.split('\n')[0]}`,
      );
    else missed.push(mutant.name);
    if (!first) note(`MISSED ${mutant.name}: ${results.length} seeds noticed nothing`);
  }
  return { mutants: mutants.length, found: mutants.length - missed.length, missed };
}
