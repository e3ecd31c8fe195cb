import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kit/errors.ts';
import type { Bench } from './bench-types.ts';
import { catchup } from './catchup/catchup.ts';
import { cli } from './cli/cli.ts';
import { failover } from './failover/failover.ts';
import { heartbeats } from './heartbeats/heartbeats.ts';
import { pacing } from './pacing/pacing.ts';
import { replication } from './replication/replication.ts';
import { scale } from './scale/scale.ts';
import { soak } from './soak/soak.ts';

const BENCHES: Readonly<Record<string, Bench>> = {
  failover,
  replication,
  catchup,
  pacing,
  heartbeats,
  cli,
  scale,
  soak,
};

const usage = `usage: scripts/bench NAME [--json] [--runs N] [--records N] [--minutes N]\nNAME is one of: ${Object.keys(BENCHES).join(', ')}\n`;

function wrong(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

function words() {
  try {
    const number = { type: 'string' } as const;
    const counts = { runs: number, rounds: number, records: number, minutes: number };
    return parseArgs({ allowPositionals: true, options: { json: { type: 'boolean', default: false }, ...counts } });
  } catch (error) {
    return wrong(messageOf(error));
  }
}

/** A count as it was given; null if it was not. */
function count(name: string, given: string | undefined): number | null {
  if (given === undefined) return null;
  const value = Number(given);
  if (!(Number.isInteger(value) && value > 0)) wrong(`--${name} ${given} is not a whole number above 0`);
  return value;
}

const { positionals, values } = words();
const [name = '', ...more] = positionals;
const bench = BENCHES[name];
if (!bench || more.length > 0) wrong(`no bench ${positionals.join(' ')}`);
const result = await bench({
  runs: count('runs', values.runs) ?? count('rounds', values.rounds),
  records: count('records', values.records),
  minutes: count('minutes', values.minutes),
  note: (line) => process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(result, null, values.json ? 0 : 2)}\n`);
