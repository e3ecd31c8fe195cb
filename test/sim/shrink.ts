import type { Fault } from './faults.ts';
import { Simulation, type SimulationResult } from './simulation.ts';

/**
 * Looks for fewer faults of a seed that still break the same invariant: those after the violation go at once, then
 * ever smaller stretches are left out (after Zeller's delta debugging).
 */
export async function shrink(
  failed: SimulationResult,
  run = (faults: readonly Fault[]) => new Simulation(failed.seed, { faults }).run(),
): Promise<SimulationResult> {
  const { violation } = failed;
  if (violation === null) return failed;
  let best = failed;
  let faults: readonly Fault[] = failed.faults.filter(({ atMs }) => atMs <= violation.atMs);
  const attempt = async (fewer: readonly Fault[]): Promise<boolean> => {
    const result = await run(fewer);
    if (result.violation?.rule !== violation.rule) return false;
    best = result;
    faults = fewer.filter(({ atMs }) => atMs <= result.violation!.atMs);
    return true;
  };
  if (!(await attempt(faults))) return failed;
  for (let size = Math.ceil(faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < faults.length;) {
      const without = [...faults.slice(0, at), ...faults.slice(at + size)];
      if (!(await attempt(without))) at += size;
    }
  }
  return best;
}
