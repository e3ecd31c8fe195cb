import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Bench } from '../bench-types.ts';
import { AppConnection } from '../replication/app-connection.ts';
import { builtPackage } from '../replication/built-package.ts';
import { type DuoNode, HsctlDuo } from '../replication/hsctl-duo.ts';
import { type Load, redisBenchmark, VALUE_BYTES } from '../replication/load.ts';
import { residentMb } from '../replication/process-memory.ts';
import { inYard } from '../replication/yard.ts';

const USUAL_MINUTES = 30;
const SAMPLE_MS = 5000;
/** The disk is looked at as often as this, since compaction puts the new file beside the old ones for a moment. */
const DISK_MS = 100;
const MINUTE_MS = 60_000;
const MEBIBYTE = 2 ** 20;
/** What is overwritten, in runs of some seconds each. */
const LOAD: Load = { pipeline: 64, writes: 2_000_000 };
const USUAL_KEYS = 200_000;
/** Of a record in the log, once it is compacted: what stands before its key, its key and its value. */
const RECORD_BYTES = 12 + 16 + VALUE_BYTES;
const SEGMENT_MB = 64;
const NODES: readonly DuoNode[] = ['a', 'b'];

interface Sample {
  readonly rssMb: number;
  readonly heapMb: number;
}

interface Disk {
  readonly logMb: number;
  readonly hintsMb: number;
}

/** Overwrites a hot set (`records` keys) at full speed, and looks whether memory and disk stay as they are. */
export const soak: Bench = ({ minutes, records, note }) =>
  inYard(async (machine) => {
    const duo = await HsctlDuo.start(machine, { hsctl: await builtPackage(machine) });
    const keys = records ?? USUAL_KEYS;
    const untilMs = performance.now() + (minutes ?? USUAL_MINUTES) * MINUTE_MS;
    let writes = 0;
    const writing = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        await redisBenchmark(machine, duo.clientPort, { ...LOAD, keys });
        writes += LOAD.writes;
      }
    };
    let most: Disk = { logMb: 0, hintsMb: 0 };
    const watchingDisk = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        await pause(DISK_MS);
        most = NODES.map((node) => diskOf(duo.store(node))).reduce(larger, most);
      }
    };
    const samples: Sample[] = [];
    const sampling = async (): Promise<void> => {
      while (performance.now() < untilMs) {
        await pause(SAMPLE_MS);
        const sample = await sampleOf(duo);
        samples.push(sample);
        const { rssMb, heapMb } = sample;
        note(`${writes} writes: RSS ${rssMb} MiB, heap ${heapMb} MiB, at most ${most.logMb} MiB of log on disk`);
      }
    };
    await Promise.all([writing(), watchingDisk(), sampling()]);
    await duo.close();
    return { minutes: minutes ?? USUAL_MINUTES, writes, ...summary(samples), ...summaryOf(most, keys) };
  });

/** The larger one of both nodes in each. */
async function sampleOf(duo: HsctlDuo): Promise<Sample> {
  const heaps = await Promise.all(NODES.map((node) => heapOf(duo.socket(node))));
  return {
    rssMb: Math.max(...NODES.map((node) => residentMb(duo.pid(node), 'VmRSS'))),
    heapMb: Math.max(...heaps),
  };
}

async function heapOf(socket: string): Promise<number> {
  const connection = await AppConnection.open(socket);
  const info = await connection.ask('INFO', 'memory');
  connection.close();
  const [, bytes] = (info instanceof Uint8Array && /^heap_used:(\d+)/m.exec(Buffer.from(info).toString())) || [];
  if (bytes === undefined) throw new Error('INFO does not tell heap_used');
  return Math.round(Number(bytes) / MEBIBYTE);
}

function diskOf(store: string): Disk {
  const [log, hints] = ['.log', '.hint'].map((ending) => {
    // With those that are not finished yet. A file that compaction has just removed takes no room.
    const names = readdirSync(store).filter((name) => name.includes(ending));
    const sizes = names.map((name) => statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0);
    return Math.round(sizes.reduce((sum, size) => sum + size, 0) / MEBIBYTE);
  });
  return { logMb: log!, hintsMb: hints! };
}

function larger(one: Disk, other: Disk): Disk {
  return { logMb: Math.max(one.logMb, other.logMb), hintsMb: Math.max(one.hintsMb, other.hintsMb) };
}

/** The first minute, or the first half of less, is what it takes to fill the store and to compile the code. */
function summary(samples: readonly Sample[]): object {
  const settled = samples.slice(Math.min(Math.ceil(MINUTE_MS / SAMPLE_MS), Math.floor(samples.length / 2)));
  const first = settled[0];
  const last = settled.at(-1);
  return {
    rss_first_mb: first?.rssMb,
    rss_last_mb: last?.rssMb,
    rss_max_mb: Math.max(...samples.map(({ rssMb }) => rssMb)),
    heap_first_mb: first?.heapMb,
    heap_last_mb: last?.heapMb,
    heap_max_mb: Math.max(...samples.map(({ heapMb }) => heapMb)),
  };
}

function summaryOf({ logMb, hintsMb }: Disk, keys: number): object {
  const liveMb = (keys * RECORD_BYTES) / MEBIBYTE;
  return {
    log_max_mb: logMb,
    live_mb: Math.round(liveMb),
    log_limit_mb: Math.round(2 * liveMb + 2 * SEGMENT_MB),
    hints_max_mb: hintsMb,
  };
}
