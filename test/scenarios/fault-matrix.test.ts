import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Cluster, otherThan, USUAL_PORTS } from '../rig/cluster.ts';
import { HistoryRun } from '../rig/history-run.ts';
import { friendListIn, TRAFFIC, VIP } from '../rig/pair-kinds.ts';
import { Rig } from '../rig/rig.ts';
import { SmallDisk } from '../rig/small-disk.ts';
import { until } from '../rig/until.ts';
import { Witnesses } from '../rig/witnesses.ts';
import {
  befall,
  CATCH_UP_RATE,
  FAULTS,
  type MatrixFault,
  type MatrixScene,
  type Phase,
  PHASES,
  STEADY,
} from './fault-matrix.ts';

/**
 * Every fault in every phase, for two kinds of pairs. CI plays each fault in two of the phases, one with each pair; with
 * HSCTL_FAULT_MATRIX=whole in the environment all of it is played.
 */
const WHOLE = process.env['HSCTL_FAULT_MATRIX'] === 'whole';

const PAIRS = [
  { app: 'typescript', traffic: 'vip' },
  { app: 'cpp', traffic: 'proxy' },
] as const;
type Pair = (typeof PAIRS)[number];

interface Case {
  readonly fault: MatrixFault;
  readonly phase: Phase;
}

const LIMIT_MS = 15 * 60_000;
const DISK_MEBIBYTES = 96;

/** Cases that share a pair. */
function chaptersOf(pairNumber: number): { name: string; cases: Case[] }[] {
  if (WHOLE) return PHASES.map((phase) => ({ name: phase.name, cases: FAULTS.map((fault) => ({ fault, phase })) }));
  const cases = FAULTS.map((fault, index) => {
    const turn = index + Math.floor(index / PHASES.length) + pairNumber * 2;
    return { fault, phase: PHASES[turn % PHASES.length] ?? STEADY };
  });
  return [{ name: 'a selection', cases }];
}

async function startPair(rig: Rig, { app, traffic }: Pair): Promise<Omit<MatrixScene, 'master' | 'slave'>> {
  const mount = (node: 'a' | 'b'): Promise<SmallDisk> =>
    SmallDisk.mount(join(rig.host(node).dir, 'store'), DISK_MEBIBYTES);
  const disks = { a: await mount('a'), b: await mount('b') };
  const cluster = await Cluster.start({
    director: rig.host('director'),
    nodes: { a: rig.host('a'), b: rig.host('b') },
    dir: join(rig.dir, 'cluster'),
    ports: USUAL_PORTS,
    app: await friendListIn(app),
    traffic: [TRAFFIC[traffic].entry],
    failover: { holdDown: '0s', stallTimeout: '1s' },
    replication: { catchUpRate: CATCH_UP_RATE },
  });
  return { rig, cluster, disks };
}

/** One fault in one phase; afterwards one node serves, with both in sync, and holds all that was acknowledged. */
async function play(
  pair: Pair,
  parts: Omit<MatrixScene, 'master' | 'slave'>,
  { fault, phase }: Case,
  number: number,
): Promise<void> {
  const { rig, cluster } = parts;
  const { service } = TRAFFIC[pair.traffic];
  const master = await cluster.master();
  const { epoch } = await cluster.status();
  const history = await HistoryRun.start(rig.host('client'), { to: service, name: `case${number}-`, everyMs: 10 });
  await befall({ ...parts, master, slave: otherThan(master) }, fault, phase);
  await rig.healAll();
  await cluster.restartEnded();
  const status = await cluster.whole(60_000);
  await history.nextOk();
  await history.stop();
  assert.ok(status.epoch >= epoch, 'an epoch is never reused');
  if (phase === STEADY && !fault.moves) assert.equal(status.epoch, epoch, 'no failover without need');
  if (pair.traffic === 'vip') {
    await until('the master alone to hold the address', async () => {
      const holders = await rig.holders(VIP);
      return holders.length === 1 && holders[0] === (await cluster.master());
    });
  }
  const { lost, ghosts, duplicates } = await history.check(service);
  assert.deepEqual({ lost, ghosts, duplicates }, { lost: [], ghosts: [], duplicates: [] });
}

async function playChapter(t: TestContext, pair: Pair, cases: readonly Case[]): Promise<void> {
  await Rig.use(async (rig) => {
    const parts = await startPair(rig, pair);
    const witnesses = await Witnesses.start(rig, TRAFFIC[pair.traffic].service, VIP);
    for (const [number, one] of cases.entries()) {
      await t.test(`${one.fault.name}, ${one.phase.name}`, () => play(pair, parts, one, number));
    }
    const testimony = await witnesses.stop();
    assert.deepEqual(testimony, { violations: [], bothServed: [], bothHeld: [] });
  });
}

for (const [number, pair] of PAIRS.entries()) {
  describe(`faults of a pair with ${pair.traffic} and ${pair.app}`, () => {
    for (const { name, cases } of chaptersOf(number)) {
      it(name, { timeout: LIMIT_MS }, (t) => playChapter(t, pair, cases));
    }
  });
}
