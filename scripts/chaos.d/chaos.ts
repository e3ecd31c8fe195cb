import { cpSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kit/errors.ts';
import { machineMs } from '../../test/rig/machine-clock.ts';
import { Rig } from '../../test/rig/rig.ts';
import { SeededRandom } from '../../test/sim/seeded-random.ts';
import { playWithoutFaults } from './calm.ts';
import { Round, type RoundResult } from './round.ts';

const MINUTE_MS = 60_000;
const ROUND_MS = 90_000;
const USAGE = 'usage: scripts/chaos [--minutes N] [--seed S] [--calm] [--json]\n';

/** The pairs take turns. */
const PAIRS = [
  { traffic: 'vip', app: 'typescript' },
  { traffic: 'proxy', app: 'cpp' },
  { traffic: 'vip', app: 'cpp' },
  { traffic: 'proxy', app: 'typescript' },
] as const;

function wrong(message: string): never {
  process.stderr.write(`scripts/chaos: ${message}\n${USAGE}`);
  process.exit(2);
}

function flags(): { minutes: number; seed: number; calm: boolean; json: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '3' },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        calm: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    });
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    if (!(minutes > 0)) wrong(`--minutes ${values.minutes} is not a number above 0`);
    if (!Number.isSafeInteger(seed)) wrong(`--seed ${values.seed} is not a whole number`);
    return { minutes, seed, calm: values.calm, json: values.json };
  } catch (error) {
    return wrong(messageOf(error));
  }
}

const { minutes, seed, calm, json } = flags();

function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What speaks against a round, one line each. */
function complaints({ verdict, violations, dualServingMs, stuck }: RoundResult): string[] {
  const { lost, ghosts, duplicates } = verdict;
  return [
    ...(stuck === null ? [] : [stuck]),
    ...(dualServingMs > 0 ? [`two nodes served for ${dualServingMs.toFixed(1)} ms`] : []),
    ...lost.map((entry) => `lost: ${entry}`),
    ...ghosts.map((entry) => `there although it was not done: ${entry}`),
    ...duplicates.map((entry) => `there twice: ${entry}`),
    ...violations.map((violation) => `not linearizable: ${violation}`),
  ];
}

/** Plays one round on a pair of its own; keeps all that it left if something was wrong. */
async function playRound(number: number, forMs: number): Promise<RoundResult> {
  const pair = PAIRS[number % PAIRS.length]!;
  note(`round ${number}: ${pair.traffic}, ${pair.app}`);
  return Rig.use(async (rig) => {
    const random = new SeededRandom(seed).stream(`round ${number}`);
    const result = await new Round(rig, random, { ...pair, forMs }, note).play();
    const wrongs = complaints(result);
    if (wrongs.length === 0) return result;
    const kept = join(tmpdir(), `hsctl-chaos-${seed}-${number}`);
    cpSync(rig.dir, kept, { recursive: true, filter: (path) => !path.endsWith('.sock') });
    for (const line of wrongs) note(`  WRONG: ${line}`);
    note(`  logs and stores are in ${kept}`);
    return result;
  });
}

/** Rounds until the time is over. */
async function playRounds(): Promise<{ summary: object; good: boolean }> {
  const endMs = machineMs() + minutes * MINUTE_MS;
  const results: RoundResult[] = [];
  note(`seed ${seed}`);
  for (let number = 0; number === 0 || machineMs() < endMs; number += 1) {
    results.push(await playRound(number, Math.min(ROUND_MS, endMs - machineMs())));
  }
  const sum = (of: (result: RoundResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const summary = {
    faults: sum(({ faults }) => faults),
    failovers: sum(({ failovers }) => failovers),
    acked: sum(({ verdict }) => verdict.outcomes.ok),
    lost_acked: sum(({ verdict }) => verdict.lost.length + verdict.ghosts.length + verdict.duplicates.length),
    dual_serving_ms: Math.round(sum(({ dualServingMs }) => dualServingMs)),
    linearizable: results.every(({ violations }) => violations.length === 0),
    longest_outage_ms: Math.round(Math.max(...results.map(({ longestOutageMs }) => longestOutageMs))),
    stuck: results.filter(({ stuck }) => stuck !== null).length,
    seed,
  };
  return { summary, good: results.every((result) => complaints(result).length === 0) };
}

async function playCalm(): Promise<{ summary: object; good: boolean }> {
  const summary = await playWithoutFaults(minutes * MINUTE_MS, note);
  return { summary, good: summary.failovers === 0 };
}

const { summary, good } = await (calm ? playCalm() : playRounds());
process.stdout.write(`${JSON.stringify(summary, null, json ? 0 : 2)}\n`);
process.exitCode = good ? 0 : 1;
