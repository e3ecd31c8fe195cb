import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { GroupStatus } from '../../src/model/status.ts';
import { Cluster, GROUP, type NodeName, NODES, otherThan, USUAL_PORTS } from '../../test/rig/cluster.ts';
import { longestGapMs } from '../../test/rig/history.ts';
import { HistoryRun } from '../../test/rig/history-run.ts';
import { machineMs } from '../../test/rig/machine-clock.ts';
import { friendListIn, TRAFFIC } from '../../test/rig/pair-kinds.ts';
import { Rig } from '../../test/rig/rig.ts';
import { until } from '../../test/rig/until.ts';

/** Between the end of one catch-up and the beginning of the next. */
const BREATHER_MS = 5_000;
const CATCH_UP_LIMIT_MS = 300_000;
const HOGS = 2;
const KEYS = '1000000';

export interface CalmResult {
  readonly minutes: number;
  /** Reigns that ended although nothing had failed. */
  readonly failovers: number;
  /** Records that the load wrote, each held by the slave, or by the master alone while the slave was away. */
  readonly records: number;
  readonly catch_ups: number;
  /** Of a client beside the load. */
  readonly longest_outage_ms: number;
}

/**
 * Nothing fails: a pair under as many writes as it takes, beside programs that want every processor, with a slave that
 * loses its disk and catches up over and over. There must be no failover.
 */
export function playWithoutFaults(forMs: number, note: (line: string) => void): Promise<CalmResult> {
  return Rig.use(async (rig) => {
    const { service, entry } = TRAFFIC.vip;
    const cluster = await Cluster.start({
      director: rig.host('director'),
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: await friendListIn('cpp'),
      traffic: [entry],
      failover: { holdDown: '0s' },
    });
    const master = await cluster.master();
    const before = await cluster.status();
    const history = await HistoryRun.start(rig.host('client'), { to: service, everyMs: 20 });
    const hog = [process.execPath, '-e', 'for (;;);'];
    for (let count = 0; count < HOGS; count += 1) await rig.host('client').spawn(hog, { name: 'hog' });
    const load = ['redis-benchmark', '-s', cluster.socket(master), '-t', 'set', '-d', '100', '-r', KEYS];
    await rig.host(master).spawn([...load, '-c', '50', '-P', '16', '-n', '2000000000', '-q'], { name: 'load' });
    const beganMs = machineMs();
    let catchUps = 0;
    while (machineMs() - beganMs < forMs) {
      const slave = otherThan(await cluster.master());
      await cluster.agent(slave).stop();
      const store = cluster.store(slave);
      for (const name of readdirSync(store)) rmSync(join(store, name), { recursive: true });
      const toSeq = endOf(await cluster.status(), master);
      await cluster.startAgent(slave);
      const startedMs = machineMs();
      await until(
        'the slave to be in sync again',
        async () => {
          const status = await cluster.status();
          return endOf(status, slave) >= toSeq && status.inSync.length === NODES.length;
        },
        CATCH_UP_LIMIT_MS,
        200,
      );
      catchUps += 1;
      note(`  catch-up ${catchUps}: ${((machineMs() - startedMs) / 1000).toFixed(1)} s`);
      await pause(BREATHER_MS);
    }
    const endedMs = machineMs();
    const after = await cluster.status();
    const attempts = await history.stop();
    for (const { message, rule } of await cluster.api.events({ group: GROUP, limit: 1000 })) {
      if (rule !== 'R500') note(`  ${rule} ${message}`);
    }
    return {
      minutes: Math.round((endedMs - beganMs) / 6000) / 10,
      failovers: after.epoch - before.epoch,
      records: endOf(after, master),
      catch_ups: catchUps,
      longest_outage_ms: Math.round(longestGapMs(attempts, beganMs, endedMs)),
    };
  });
}

function endOf({ nodes }: GroupStatus, node: NodeName): number {
  return nodes.find(({ id }) => id === node)?.logEnd?.seq ?? 0;
}
