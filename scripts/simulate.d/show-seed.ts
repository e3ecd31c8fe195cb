import { shrink } from '../../test/sim/shrink.ts';
import { Simulation } from '../../test/sim/simulation.ts';

const LINES_SHOWN = 60;

/** Runs one seed and tells what happened. Returns the exit code. */
export async function showSeed(seed: number, transcript: boolean, shrinks: boolean): Promise<number> {
  let present = new Simulation(seed, { transcript: true });
  process.on('unhandledRejection', (reason) => present.crashed(reason));
  let result = await present.run();
  if (result.violation !== null && shrinks) {
    const { faults } = await shrink(result);
    present = new Simulation(seed, { transcript: true, faults });
    result = await present.run();
  }
  const lines = transcript ? result.lines : result.lines.slice(-LINES_SHOWN);
  process.stdout.write(`${lines.join('\n')}\n\n`);
  if (result.violation !== null && shrinks) {
    process.stdout.write('The faults that it takes:\n');
    for (const fault of result.faults) process.stdout.write(`${JSON.stringify(fault)}\n`);
  }
  const { violation, hash, simulatedMs, changes, acknowledged } = result;
  const outcome =
    violation === null ? 'no violation' : `${violation.rule} at ${violation.atMs.toFixed(3)} ms: ${violation.text}`;
  const seconds = (simulatedMs / 1000).toFixed(1);
  process.stdout.write(
    `seed ${seed}: ${outcome}\ntrace ${hash.toString(16)}, ${seconds} s, ${changes} changes of master, ${acknowledged} acknowledged\n`,
  );
  return violation === null ? 0 : 1;
}
