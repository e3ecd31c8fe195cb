import type { Bench } from '../bench-types.ts';
import { fill } from '../catchup/fill.ts';
import { builtPackage } from '../replication/built-package.ts';
import { HsctlDuo } from '../replication/hsctl-duo.ts';
import { inYard } from '../replication/yard.ts';
import { receivedByWindow } from './receiver.ts';

const RATES_MIB = [20, 100, 400] as const;
const MEBIBYTE = 2 ** 20;
const WINDOW_MS = 100;
const SECONDS = 10;
const VALUE_BYTES = 256;
/** A little more than the fastest rate takes from the store in that time. */
const USUAL_RECORDS = 16_500_000;
/** Of a record in the log: its header, its key and its value. */
const RECORD_BYTES = 8 + 19 + VALUE_BYTES;

/** How evenly a catch-up keeps its rate: bytes that arrive at the slave in each 100 ms but the first, in percent of it. */
export const pacing: Bench = ({ records: given, note }) =>
  inYard(async (machine) => {
    const records = given ?? USUAL_RECORDS;
    const duo = await HsctlDuo.start(machine, { hsctl: await builtPackage(machine) });
    await duo.stopAgent('b');
    await duo.alone();
    await fill(duo.clientPort, records, VALUE_BYTES);
    note(`${records} records written`);
    const results: Record<string, object> = {};
    for (const rate of RATES_MIB) {
      await duo.stopAgent('a');
      duo.configure({ catchUpRate: `${rate}MiB/s` });
      await duo.startAgent('a');
      await duo.serve();
      const windows = windowsFor(records, rate);
      const found = deviation(await receivedByWindow(duo.replicationPort, WINDOW_MS, windows), rate);
      note(`${rate} MiB/s for ${windows * WINDOW_MS} ms: at most ${found.worst_percent} % off in any ${WINDOW_MS} ms`);
      results[`mib${rate}`] = { windows, ...found };
    }
    await duo.close();
    return results;
  });

/** As many as there is enough to send for. */
function windowsFor(records: number, rateMib: number): number {
  const seconds = Math.min(SECONDS, (0.95 * records * RECORD_BYTES) / (rateMib * MEBIBYTE));
  return Math.floor((seconds * 1000) / WINDOW_MS);
}

function deviation(bytes: readonly number[], rateMib: number): { worst_percent: number; mean_percent: number } {
  const due = (rateMib * MEBIBYTE * WINDOW_MS) / 1000;
  const percents = bytes.slice(1).map((each) => (100 * (each - due)) / due);
  const round = (percent: number): number => Math.round(100 * percent) / 100;
  return {
    worst_percent: round(percents.reduce((worst, percent) => Math.max(worst, Math.abs(percent)), 0)),
    mean_percent: round(percents.reduce((sum, percent) => sum + percent, 0) / percents.length),
  };
}
