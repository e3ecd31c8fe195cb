import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { messageOf } from '../../src/kit/errors.ts';
import { Cluster, GROUP, NODES, USUAL_PORTS } from '../../test/rig/cluster.ts';
import { longestGapMs, type Verdict } from '../../test/rig/history.ts';
import { HistoryRun } from '../../test/rig/history-run.ts';
import { machineMs } from '../../test/rig/machine-clock.ts';
import { totalMs } from '../../test/rig/register-entries.ts';
import { MachineClocks } from '../../test/rig/machine-clocks.ts';
import { type AppKind, friendListIn, TRAFFIC, type TrafficKind, VIP } from '../../test/rig/pair-kinds.ts';
import type { Rig } from '../../test/rig/rig.ts';
import { SmallDisk } from '../../test/rig/small-disk.ts';
import { until } from '../../test/rig/until.ts';
import { Witnesses } from '../../test/rig/witnesses.ts';
import type { SeededRandom } from '../../test/sim/seeded-random.ts';
import { type ChaosScene, drawEpisode, type TimedFault } from './draw-faults.ts';

/** Rule of the controller by which it fails over. */
const FAIL_OVER = 'R640';
/** The most that the API gives. */
const EVENTS_AT_ONCE = 1000;
const DISK_MEBIBYTES = 96;
/** How long a pair may take to be whole after the end of all faults: far more than it needs, for slow machines. */
const WHOLE_LIMIT_MS = 90_000;

export interface RoundOptions {
  readonly app: AppKind;
  readonly traffic: TrafficKind;
  /** No new episode begins after this long. */
  readonly forMs: number;
}

/** What one pair went through, and what is wrong with it. */
export interface RoundResult {
  readonly faults: number;
  readonly failovers: number;
  readonly verdict: Verdict;
  readonly dualServingMs: number;
  readonly violations: readonly string[];
  readonly longestOutageMs: number;
  /** Why the pair did not serve again after the faults; null if it did. */
  readonly stuck: string | null;
}

/** Plays random faults on a pair in `rig` under clients that write and read, one episode after the other. */
export class Round {
  readonly #rig: Rig;
  readonly #random: SeededRandom;
  readonly #options: RoundOptions;
  readonly #note: (line: string) => void;
  #faults = 0;

  constructor(rig: Rig, random: SeededRandom, options: RoundOptions, note: (line: string) => void) {
    this.#rig = rig;
    this.#random = random;
    this.#options = options;
    this.#note = note;
  }

  async play(): Promise<RoundResult> {
    const rig = this.#rig;
    const scene = await this.#start();
    const { service } = TRAFFIC[this.#options.traffic];
    const client = rig.host('client');
    const history = await HistoryRun.start(client, { to: service, everyMs: 20 });
    const witnesses = await Witnesses.start(rig, service, VIP);
    const beganMs = machineMs();
    let stuck: string | null = null;
    while (stuck === null && machineMs() - beganMs < this.#options.forMs) {
      stuck = await this.#episode(scene, history).then(() => null, messageOf);
    }
    const endedMs = machineMs();
    if (stuck !== null) await this.#tellState(scene);
    const attempts = await history.stop();
    const { violations, bothServed, bothHeld } = await witnesses.stop();
    for (const { fromMs, toMs } of bothServed) this.#log(`both served from ${fromMs} to ${toMs}`);
    for (const { fromMs, toMs } of bothHeld) this.#log(`both held the address from ${fromMs} to ${toMs}`);
    const nothing = {
      outcomes: { ok: 0, refused: 0, unknown: 0, unconnected: 0 },
      lost: [],
      ghosts: [],
      duplicates: [],
    };
    return {
      faults: this.#faults,
      failovers: stuck === null ? await this.#failovers(scene) : 0,
      verdict: stuck === null ? await history.check(service) : nothing,
      dualServingMs: totalMs(bothServed) + totalMs(bothHeld),
      violations,
      longestOutageMs: longestGapMs(attempts, beganMs, endedMs),
      stuck,
    };
  }

  async #start(): Promise<ChaosScene> {
    const rig = this.#rig;
    const { app, traffic } = this.#options;
    const mount = (node: 'a' | 'b'): Promise<SmallDisk> =>
      SmallDisk.mount(join(rig.host(node).dir, 'store'), DISK_MEBIBYTES);
    const disks = { a: await mount('a'), b: await mount('b') };
    const clocks = await MachineClocks.make(rig.dir, rig.hosts);
    const cluster = await Cluster.start({
      director: rig.host('director'),
      nodes: { a: rig.host('a'), b: rig.host('b') },
      dir: join(rig.dir, 'cluster'),
      ports: USUAL_PORTS,
      app: await friendListIn(app),
      traffic: [TRAFFIC[traffic].entry],
      // The kernel counts an address' life in whole seconds, so a fast profile needs another way for the traffic.
      profile: traffic === 'proxy' ? this.#random.pick(['balanced', 'fast']) : 'balanced',
      failover: {
        holdDown: this.#random.pick(['0s', '0s', '2s']),
        onControllerLoss: this.#random.pick(['serve', 'serve', 'stop']),
      },
      replication: { fsync: this.#random.pick(['100ms', 'always']) },
      env: (machine) => ({ ...clocks.env(machine), HSCTL_LOG: 'debug' }),
    });
    return { rig, cluster, disks, clocks };
  }

  // --- one episode

  async #episode(scene: ChaosScene, history: HistoryRun): Promise<void> {
    const episode = drawEpisode(this.#random, scene, await scene.cluster.master());
    this.#faults += episode.length;
    const what = episode.map(
      ({ fault, afterMs, forMs }) => `${fault.name} (${Math.round(afterMs)}+${Math.round(forMs)})`,
    );
    this.#note(`  ${what.join(', ')}`);
    this.#log(`episode: ${what.join(', ')}`);
    await Promise.all(episode.map((timed) => this.#befall(timed)));
    const endedMs = machineMs();
    await this.#heal(scene, history);
    this.#note(`    whole after ${((machineMs() - endedMs) / 1000).toFixed(1)} s`);
  }

  async #befall({ fault, afterMs, forMs }: TimedFault): Promise<void> {
    await pause(afterMs);
    this.#log(`begin: ${fault.name}`);
    await fault.begin();
    await pause(forMs);
    await fault.end();
    this.#log(`end: ${fault.name}`);
  }

  /** What is left to do for an operator who comes afterwards; then the pair has to be whole again by itself. */
  async #heal({ rig, cluster }: ChaosScene, history: HistoryRun): Promise<void> {
    await rig.healAll();
    await cluster.restartEnded();
    const by = { group: GROUP, operator: 'rig' };
    await until('the controller to take orders', async () => {
      try {
        await cluster.api.resume(by);
        for (const node of NODES) await cluster.api.undrain({ ...by, node });
        return true;
      } catch (error) {
        this.#log(messageOf(error));
        return false;
      }
    });
    const status = await cluster.whole(WHOLE_LIMIT_MS);
    await history.nextOk(WHOLE_LIMIT_MS);
    this.#log(`whole: ${status.summary}`);
    if (this.#options.traffic !== 'vip') return;
    await until('one holder of the address', async () => {
      const holders = await rig.holders(VIP);
      return holders.length === 1 && holders[0] === (await cluster.master());
    });
  }

  // --- what is told

  async #failovers({ cluster }: ChaosScene): Promise<number> {
    let failovers = 0;
    for (let afterId = 0; ;) {
      const events = await cluster.api.events({ group: GROUP, afterId, limit: EVENTS_AT_ONCE });
      failovers += events.filter(({ kind, rule }) => kind === 'decision' && rule === FAIL_OVER).length;
      if (events.length < EVENTS_AT_ONCE) return failovers;
      afterId = events.at(-1)?.id ?? afterId;
    }
  }

  async #tellState({ cluster }: ChaosScene): Promise<void> {
    const ask = async (what: () => Promise<unknown>): Promise<void> =>
      this.#log(await what().then((answer) => JSON.stringify(answer, null, 1), messageOf));
    await ask(() => cluster.api.status(GROUP));
    await ask(() => cluster.api.explain(GROUP));
    await ask(() => cluster.api.events({ group: GROUP, limit: 200 }));
  }

  /** With the time of the daemons' logs and that of the clients' notes. */
  #log(line: string): void {
    const times = `${new Date().toISOString()} ${machineMs().toFixed(1)}`;
    appendFileSync(join(this.#rig.dir, 'timeline.log'), `${times} ${line}\n`);
  }
}
