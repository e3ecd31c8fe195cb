import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { PROFILES } from '../../../src/config/profiles.ts';
import type { LocalMachine } from '../../../test/rig/machine.ts';
import { freePorts } from '../../../test/rig/free-ports.ts';
import { UNIT_PRIORITY } from '../../../test/rig/unit-priority.ts';
import type { Bench } from '../bench-types.ts';
import { firstServed } from '../catchup/first-served.ts';
import { percentile } from '../percentile.ts';
import { builtPackage } from '../replication/built-package.ts';
import { type DuoNode, HsctlDuo } from '../replication/hsctl-duo.ts';
import { redisBenchmark } from '../replication/load.ts';
import { inYard } from '../replication/yard.ts';
import { BeatTap, type Gap } from './beat-tap.ts';

const USUAL_RECORDS = 4_000_000;
const IDLE_MS = 20_000;
/** In runs of so many writes, as long as it takes. */
const LOAD_MS = 20_000;
const LOAD = { pipeline: 16, writes: 500_000 } as const;
/** The store is compacted when it has not changed for so long. */
const SETTLED_MS = 3_000;
const NODES: readonly DuoNode[] = ['a', 'b'];

interface Gaps {
  readonly beats: number;
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly max_ms: number | null;
  /** The longest without the time for which the agent waited for a processor that others had. */
  readonly max_own_ms: number | null;
}

type Taps = Readonly<Record<DuoNode, BeatTap>>;

/**
 * How far apart an agent's heartbeats arrive, while the pair idles, under as many writes as it takes, while the whole
 * store is overwritten and compacted, and while a late slave catches up without a pace.
 */
export const heartbeats: Bench = ({ records, note }) =>
  inYard((machine) =>
    // Nothing is measured of how long this process, which does little, waits for a processor.
    firstServed([process.pid], () => measureAll(machine, records ?? USUAL_RECORDS, note)),
  );

async function measureAll(machine: LocalMachine, records: number, note: (line: string) => void): Promise<object> {
  const { duo, taps } = await start(machine);
  const write = (writes: number): Promise<unknown> =>
    redisBenchmark(machine, duo.clientPort, { pipeline: 64, writes, keys: records });
  const measure = async (name: string, work: () => Promise<unknown>): Promise<Record<DuoNode, Gaps>> => {
    for (const node of NODES) taps[node].take();
    await work();
    const found = { a: gapsOf(taps.a.take()), b: gapsOf(taps.b.take()) };
    note(`${name}: master ${describe(found.a)}; slave ${describe(found.b)}`);
    return found;
  };
  try {
    const idle = await measure('idle', () => pause(IDLE_MS));
    const load = await measure('load', async () => {
      const endMs = performance.now() + LOAD_MS;
      while (performance.now() < endMs) await redisBenchmark(machine, duo.clientPort, LOAD);
    });
    await write(2 * records);
    const compaction = await measure('compaction', async () => {
      await write(2 * records);
      await settled(duo);
    });
    await duo.stopAgent('b');
    await duo.alone();
    duo.emptyStore('b');
    const catchup = await measure('catch-up', async () => {
      await duo.startAgent('b');
      taps.b.watch(duo.pid('b'));
      await duo.inSync();
    });
    const cases = { load, compaction, catchup };
    const worst = (of: (gaps: Gaps) => number | null): number =>
      Math.max(...Object.values(cases).flatMap((found) => NODES.map((node) => of(found[node]) ?? 0)));
    const { heartbeatMs, detectMs } = PROFILES.balanced;
    return {
      records,
      heartbeat_ms: heartbeatMs,
      detect_ms: detectMs,
      idle,
      ...cases,
      worst_p99_ms: worst(({ p99_ms }) => p99_ms),
      worst_max_ms: worst(({ max_ms }) => max_ms),
      worst_own_ms: worst(({ max_own_ms }) => max_own_ms),
      p99_ratio_to_idle: ratio(
        worst(({ p99_ms }) => p99_ms),
        Math.max(idle.a.p99_ms ?? 0, idle.b.p99_ms ?? 0),
      ),
    };
  } finally {
    await duo.close();
    for (const node of NODES) taps[node].close();
  }
}

/** A pair whose controller reaches the agents through the taps. */
async function start(machine: LocalMachine): Promise<{ duo: HsctlDuo; taps: Taps }> {
  const [a = 0, b = 0] = await freePorts(2);
  const taps = { a: await BeatTap.open(a), b: await BeatTap.open(b) };
  const duo = await HsctlDuo.start(machine, {
    hsctl: await builtPackage(machine),
    replication: { catchUpRate: 'unlimited' },
    ...(process.getuid?.() === 0 ? { wrap: UNIT_PRIORITY } : {}),
    controlPorts: { agents: { a, b }, controller: { a: taps.a.port, b: taps.b.port } },
  });
  for (const node of NODES) taps[node].watch(duo.pid(node));
  return { duo, taps };
}

function gapsOf(gaps: readonly Gap[]): Gaps {
  const all = gaps.map(({ ms }) => ms);
  const own = gaps.map(({ ownMs }) => ownMs);
  return {
    beats: gaps.length,
    p50_ms: percentile(all, 0.5),
    p99_ms: percentile(all, 0.99),
    max_ms: percentile(all, 1),
    max_own_ms: percentile(own, 1),
  };
}

function describe({ beats, p50_ms, p99_ms, max_ms, max_own_ms }: Gaps): string {
  return `${beats} gaps, p50 ${p50_ms} ms, p99 ${p99_ms} ms, longest ${max_ms} ms (${max_own_ms} ms of its own making)`;
}

function ratio(one: number, other: number): number {
  return Math.round((100 * one) / other) / 100;
}

async function settled(duo: HsctlDuo): Promise<void> {
  const bytes = (): string => NODES.map((node) => diskOf(duo.store(node))).join();
  for (let before = ''; before !== bytes();) {
    before = bytes();
    await pause(SETTLED_MS);
  }
}

function diskOf(store: string): number {
  // A file that compaction has just removed takes no room.
  const sizes = readdirSync(store).map((name) => statSync(join(store, name), { throwIfNoEntry: false })?.size ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}
