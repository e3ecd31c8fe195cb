import { parseArgs } from 'node:util';
import type { Bench } from './bench-types.ts';
import { failover } from './failover/failover.ts';

const BENCHES: Readonly<Record<string, Bench>> = { failover };

const usage = `usage: scripts/bench NAME [--json] [--runs N]\nNAME is one of: ${Object.keys(BENCHES).join(', ')}\n`;

function wrong(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

function parse(): { bench: Bench; json: boolean; runs: number | null } {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, runs: { type: 'string' } },
  });
  const [name = '', ...more] = positionals;
  const bench = BENCHES[name];
  if (!bench || more.length > 0) wrong(`no bench ${positionals.join(' ')}`);
  const runs = values.runs === undefined ? null : Number(values.runs);
  if (runs !== null && !(Number.isInteger(runs) && runs > 0))
    wrong(`--runs ${values.runs} is not a whole number above 0`);
  return { bench, json: values.json, runs };
}

const { bench, json, runs } = parse();
const result = await bench({ runs, note: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify(result, null, json ? 0 : 2)}\n`);
