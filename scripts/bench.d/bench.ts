import { parseArgs } from 'node:util';
import { messageOf } from '../../src/kit/errors.ts';
import type { Bench } from './bench-types.ts';
import { failover } from './failover/failover.ts';

const BENCHES: Readonly<Record<string, Bench>> = { failover };

const usage = `usage: scripts/bench NAME [--json] [--runs N]\nNAME is one of: ${Object.keys(BENCHES).join(', ')}\n`;

function wrong(message: string): never {
  process.stderr.write(`${message}\n${usage}`);
  process.exit(2);
}

function words(): { positionals: string[]; json: boolean; runs: string | undefined } {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, runs: { type: 'string' } },
    });
    return { positionals, json: values.json, runs: values.runs };
  } catch (error) {
    return wrong(messageOf(error));
  }
}

function parse(): { bench: Bench; json: boolean; runs: number | null } {
  const { positionals, json, runs: given } = words();
  const [name = '', ...more] = positionals;
  const bench = BENCHES[name];
  if (!bench || more.length > 0) wrong(`no bench ${positionals.join(' ')}`);
  const runs = given === undefined ? null : Number(given);
  if (runs !== null && !(Number.isInteger(runs) && runs > 0)) wrong(`--runs ${given} is not a whole number above 0`);
  return { bench, json, runs };
}

const { bench, json, runs } = parse();
const result = await bench({ runs, note: (line) => process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify(result, null, json ? 0 : 2)}\n`);
