import { setTimeout as pause } from 'node:timers/promises';
import type { LocalMachine } from '../../../test/rig/machine.ts';
import { until } from '../../../test/rig/until.ts';
import type { Bench } from '../bench-types.ts';
import { AppConnection } from '../replication/app-connection.ts';
import { builtPackage } from '../replication/built-package.ts';
import { HsctlDuo } from '../replication/hsctl-duo.ts';
import { median } from '../replication/median.ts';
import { residentMb } from '../replication/process-memory.ts';
import { RedisDuo } from '../replication/redis-duo.ts';
import { inYard } from '../replication/yard.ts';
import { fill, keyOf } from './fill.ts';
import { firstServed } from './first-served.ts';
import { Foreground } from './foreground.ts';

const USUAL_RECORDS = 16_000_000;
const USUAL_RUNS = 3;
const VALUE_BYTES = 256;
const PACE = '200MiB/s';
const FOREGROUND_RATE = 2000;
const IDLE_MS = 10_000;
/** Where the master is asked for its report while it is watched: to answer is work of its own. */
const SELDOM_MS = 500;

interface Settings {
  readonly records: number;
  readonly runs: number;
  readonly note: (line: string) => void;
}

interface Ours {
  readonly ours_s: number;
  readonly ours_each_s: readonly number[];
  readonly rss_mb: number;
  readonly rss_master_mb: number;
  readonly rss_slave_mb: number;
  readonly foreground_p99_idle_ms: number;
  readonly foreground_p99_syncing_ms: number;
  readonly paced_s: number;
  readonly restart_s: number;
  readonly restart_open_s: number;
}

/** A slave that comes late to a full store, of hsctl and of Redis, several times each; what it does to the master. */
export const catchup: Bench = async ({ records: given, runs: often, note }) => {
  const records = given ?? USUAL_RECORDS;
  const runs = often ?? USUAL_RUNS;
  const ours = await inYard((machine) => hsctlCatchUp(machine, { records, runs, note }));
  const redis = await inYard((machine) => redisSync(machine, { records, runs, note }));
  return { records, ...ours, ...redis, ratio: Math.round((1000 * ours.ours_s) / redis.redis_s) / 1000 };
};

async function hsctlCatchUp(machine: LocalMachine, { records, runs, note }: Settings): Promise<Ours> {
  const hsctl = await builtPackage(machine);
  const duo = await HsctlDuo.start(machine, { hsctl, replication: { catchUpRate: PACE } });
  await duo.stopAgent('b');
  await duo.alone();
  const fillS = await seconds(() => fill(duo.clientPort, records, VALUE_BYTES));
  note(`hsctl: ${records} records written in ${fillS} s`);

  const idle = await foreground(duo, records, () => pause(IDLE_MS));
  note(`hsctl: 99 of 100 writes within ${idle.p99Ms} ms, without a slave`);
  duo.emptyStore('b');
  const syncing = await foreground(duo, records, async () => {
    await duo.startAgent('b');
    await duo.inSync(SELDOM_MS);
  });
  note(`hsctl: within ${syncing.p99Ms} ms beside a catch-up at ${PACE}, which took ${syncing.seconds} s`);
  let master = residentMb(duo.pid('a'), 'VmHWM');
  let slave = residentMb(duo.pid('b'), 'VmHWM');

  await duo.stopAgent('b');
  await duo.alone();
  await duo.stopAgent('a');
  duo.configure({ catchUpRate: 'unlimited' });
  const restarts: Restart[] = [];
  const oursS: number[] = [];
  for (let run = 0; run < runs; run++) {
    const restart = await restarted(duo);
    note(`hsctl: store opened after ${restart.openS} s, first write acknowledged after ${restart.servingS} s`);
    restarts.push(restart);
    duo.emptyStore('b');
    oursS.push(
      await seconds(async () => {
        await duo.startAgent('b');
        await duo.inSync();
      }),
    );
    note(`hsctl: late slave in sync after ${oursS[run]} s`);
    master = Math.max(master, residentMb(duo.pid('a'), 'VmHWM'));
    slave = Math.max(slave, residentMb(duo.pid('b'), 'VmHWM'));
    await duo.stopAgent('b');
    await duo.alone();
    await duo.stopAgent('a');
  }
  await duo.close();
  return {
    ours_s: median(oursS),
    ours_each_s: oursS,
    rss_mb: Math.max(master, slave),
    rss_master_mb: master,
    rss_slave_mb: slave,
    foreground_p99_idle_ms: idle.p99Ms,
    foreground_p99_syncing_ms: syncing.p99Ms,
    paced_s: syncing.seconds,
    restart_s: median(restarts.map(({ servingS }) => servingS)),
    restart_open_s: median(restarts.map(({ openS }) => openS)),
  };
}

interface Restart {
  readonly openS: number;
  readonly servingS: number;
}

/** Starts node a's agent again: seconds until it answers, and until it has acknowledged a write as master. */
async function restarted(duo: HsctlDuo): Promise<Restart> {
  const beganMs = performance.now();
  await duo.startAgent('a');
  const answered = until(
    'the agent to answer',
    () => AppConnection.open(duo.socket('a')).catch(() => null),
    120_000,
    5,
  );
  const openS = answered.then((connection) => {
    connection.close();
    return sinceS(beganMs);
  });
  await duo.serve();
  const app = await AppConnection.open(duo.socket('a'));
  await app.ask('SET', keyOf(0), 'after the restart');
  const servingS = sinceS(beganMs);
  app.close();
  return { openS: await openS, servingS };
}

/** Writes in the foreground while `work` goes on. */
async function foreground(
  duo: HsctlDuo,
  records: number,
  work: () => Promise<unknown>,
): Promise<{ p99Ms: number; seconds: number }> {
  return firstServed([process.pid, duo.pid('a')], async () => {
    const writer = new Foreground(duo.clientPort, records, VALUE_BYTES, FOREGROUND_RATE);
    const took = await seconds(work);
    return { p99Ms: Math.round(100 * (await writer.stop())) / 100, seconds: took };
  });
}

async function redisSync(
  machine: LocalMachine,
  { records, runs, note }: Settings,
): Promise<{ redis_s: number; redis_each_s: readonly number[]; redis_rss_mb: number }> {
  const duo = await RedisDuo.startMaster(machine);
  await fill(duo.clientPort, records, VALUE_BYTES);
  const redisS: number[] = [];
  let redisRss = 0;
  for (let run = 0; run < runs; run++) {
    redisS.push(
      await seconds(async () => {
        await duo.startReplica();
        await duo.inSync();
      }),
    );
    note(`Redis: replica synchronised after ${redisS[run]} s`);
    redisRss = Math.max(redisRss, residentMb(duo.pid('a'), 'VmHWM'), residentMb(duo.pid('b'), 'VmHWM'));
    await duo.stopReplica();
  }
  await duo.close();
  return { redis_s: median(redisS), redis_each_s: redisS, redis_rss_mb: redisRss };
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now();
  await work();
  return sinceS(beganMs);
}

function sinceS(beganMs: number): number {
  return Math.round((performance.now() - beganMs) / 10) / 100;
}
