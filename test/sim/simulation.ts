import type { GroupConfig } from '../../src/config/config.ts';
import { Checkers } from './checkers.ts';
import { Clients } from './clients.ts';
import { FaultDriver, type Stage } from './fault-driver.ts';
import {
  type Fault,
  type FaultKind,
  type PlanSettings,
  planFaults,
  planReconfigurations,
  planStory,
  type Step,
} from './faults.ts';
import { Machine } from './machine.ts';
import { Network } from './network.ts';
import { repair } from './operators.ts';
import { notLinearizable } from './register-history.ts';
import { SeededRandom } from './seeded-random.ts';
import { randomGroup } from './settings.ts';
import { ControllerRun, RecordStore } from './sim-controller.ts';
import { Director } from './sim-director.ts';
import { SimNode } from './sim-node.ts';
import { RealStore } from './real-store.ts';
import { SimStore } from './sim-store.ts';
import { type Violation, World } from './world.ts';

export interface SimulationResult {
  readonly seed: number;
  readonly violation: Violation | null;
  /** Two runs with the same hash were the same. */
  readonly hash: number;
  readonly simulatedMs: number;
  readonly events: number;
  /** Changes of master that took place. */
  readonly changes: number;
  readonly acknowledged: number;
  readonly faults: readonly Fault[];
  readonly lines: readonly string[];
}

export interface SimulationOptions {
  readonly transcript?: boolean;
  /** Instead of those that the seed gives. */
  readonly faults?: readonly Fault[];
  /** Only faults of these kinds. */
  readonly only?: readonly FaultKind[];
  /** Only these faults, in this order, again and again. */
  readonly story?: readonly Step[];
}

/** So many runs use the real log; it takes more time than one that is simulated. */
const REAL_LOGS = 0.1;
/** Detection times that the faults go on for. */
const FAULTY_DETECTS = 100;

function planned(random: SeededRandom, window: PlanSettings, story: readonly Step[] | undefined): Fault[] {
  if (story !== undefined) return planStory(random.stream('story'), story, window);
  return [
    ...planFaults(random.stream('faults'), window),
    ...planReconfigurations(random.stream('reconfigurations'), window),
  ];
}

/** One run: a random group, random faults, clients all the while; then everything is mended and it must serve again. */
export class Simulation {
  readonly group: GroupConfig;
  /** The nodes keep their logs in `DiskLog`, on simulated disks. */
  readonly hasRealLogs: boolean;
  readonly #seed: number;
  readonly #world: World;
  readonly #stage: Stage;
  readonly #driver: FaultDriver;
  readonly #clients: Clients;
  readonly #checkers: Checkers;
  readonly #faults: readonly Fault[];
  readonly #faultsEndMs: number;
  #controller: ControllerRun | null = null;
  /** As the director's file has it. */
  #controllerGroup: GroupConfig;

  constructor(seed: number, options: SimulationOptions = {}) {
    const random = new SeededRandom(seed);
    this.#seed = seed;
    this.hasRealLogs = random.stream('disks').chance(REAL_LOGS);
    this.#world = new World(random.stream('world'), options.transcript === true, this.hasRealLogs);
    this.group = randomGroup(random.stream('settings'));
    this.#controllerGroup = this.group;
    this.#stage = this.#build(random);
    this.#checkers = this.#stage.checkers;
    this.#driver = new FaultDriver(this.#stage);
    this.#clients = this.#makeClients(random);
    const { detectMs, leaseMs } = this.group.failover;
    const fromMs = random.pick([0, 10 * detectMs]);
    this.#faultsEndMs = fromMs + FAULTY_DETECTS * detectMs;
    const window = { detectMs, leaseMs, fromMs, toMs: this.#faultsEndMs, only: options.only ?? null };
    this.#faults = options.faults ?? planned(random, window, options.story);
  }

  async run(): Promise<SimulationResult> {
    const world = this.#world;
    world.afterEvent = () => this.#checkers.look();
    world.tell(
      'settings',
      JSON.stringify({ ...this.group.failover, traffic: this.group.traffic[0]?.type, ...this.group.replication }),
    );
    for (const node of this.#stage.nodes) {
      this.#stage.startAgent(node);
      node.app.start();
    }
    this.#startController();
    this.#driver.plan(this.#faults);
    await world.run(this.#faultsEndMs);
    if (world.violation === null) await this.#mustRecover();
    if (world.violation === null) this.#checkHistory();
    return this.#result();
  }

  /** A promise that nobody waited for was rejected. */
  crashed(reason: unknown): void {
    const text = reason instanceof Error ? `${reason.stack} ${String(reason.cause)}` : String(reason);
    // The last gasp of a process that was killed while it used its disk.
    if (text.includes('KILLED')) return;
    this.#world.broken('crash', `unhandled rejection: ${text}`);
  }

  // --- phases

  /** I9: with everything mended the group serves again, with both nodes in sync. */
  async #mustRecover(): Promise<void> {
    const world = this.#world;
    const { failover, app } = this.group;
    this.#driver.heal();
    const limitMs =
      3 * (app.readyTimeoutMs + failover.holdDownMs + failover.switchoverTimeoutMs) + 40 * failover.detectMs + 30_000;
    const untilMs = world.nowMs + limitMs;
    const repairs = (): void => {
      repair(this.#stage);
      world.after(5 * failover.detectMs + 1000, repairs);
    };
    world.after(failover.detectMs, repairs);
    let sinceMs = Infinity;
    const acknowledged = (): number => this.#clients.acknowledged;
    let before = acknowledged();
    await world.run(untilMs, () => {
      if (this.#troubles().length > 0) {
        sinceMs = Infinity;
        before = acknowledged();
        return false;
      }
      sinceMs = Math.min(sinceMs, world.nowMs);
      return acknowledged() > before + 3 && world.nowMs > sinceMs + 2 * failover.detectMs;
    });
    if (world.violation !== null) return;
    const troubles = this.#troubles();
    if (troubles.length > 0 || acknowledged() <= before + 3)
      return world.broken('I9', `after ${limitMs} ms: ${troubles.join('; ') || 'no client is served'}`);
    this.#clients.writing = false;
    await world.run(world.nowMs + this.#clientTimeoutMs + 1000);
  }

  #troubles(): string[] {
    const troubles: string[] = [];
    const { record } = this.#stage.records;
    if (record?.stage !== 'serving') troubles.push(`the record is ${record?.stage ?? 'none'}`);
    if (record?.inSync.length !== 2) troubles.push(`in sync: ${record?.inSync.join() ?? 'nobody'}`);
    for (const { id, agent } of this.#stage.nodes) {
      if (agent === null) troubles.push(`no agent on ${id}`);
      else if (id === record?.master && !agent.node.core.posture().serves) troubles.push(`${id} does not serve`);
    }
    return troubles;
  }

  #checkHistory(): void {
    if (this.#checkers.lossAllowed) return;
    for (const [key, operations] of this.#clients.history) {
      const stuck = notLinearizable(operations, null);
      if (stuck !== null)
        return this.#world.broken('linearizability', `${key}: no order explains ${JSON.stringify(stuck)}`);
    }
  }

  #result(): SimulationResult {
    const world = this.#world;
    return {
      seed: this.#seed,
      violation: world.violation,
      hash: world.hash,
      simulatedMs: world.nowMs,
      events: world.events,
      changes: this.#checkers.changes,
      acknowledged: this.#clients.acknowledged,
      faults: this.#faults,
      lines: world.lines ?? [],
    };
  }

  // --- parts

  #build(random: SeededRandom): Stage {
    const world = this.#world;
    const group = this.group;
    const baseMs = group.profile === 'wan' ? random.spread(2, 40) : random.spread(0.05, 1);
    const network = new Network(world, random.stream('network'), baseMs);
    const machines = new Map(
      ['a', 'b', 'director', 'client'].map((name) => [
        name,
        new Machine(name, world, random.stream(`machine-${name}`)),
      ]),
    );
    const records = new RecordStore();
    const checkers = new Checkers(world, records);
    records.onDecided = (record, events) => checkers.onDecided(record, events);
    records.onSaved = (record) => checkers.onSaved(record);
    const director = new Director(group, machines.get('director')!, random.stream('director'));
    const nodes = group.nodes.map(({ id }) => {
      const store = new SimStore(id, group.replication.fsync === 'always', checkers);
      const realStore = this.hasRealLogs ? new RealStore(store, world, random.stream(`disk-${id}`)) : null;
      return new SimNode({
        id,
        group,
        machine: machines.get(id)!,
        store,
        realStore,
        network,
        random: random.stream(`node-${id}`),
      });
    });
    checkers.watch(nodes);
    return {
      world,
      network,
      nodes,
      director,
      machines,
      records,
      checkers,
      controllerGroup: () => this.#controllerGroup,
      reconfigureController: (changed) => {
        this.#controllerGroup = changed;
        this.#stage.controller()?.reconfigure(changed);
      },
      controller: () => (this.#controller?.process.alive === true ? this.#controller : null),
      startAgent: (node) => node.startAgent(machines.get(node.id === 'a' ? 'b' : 'a')!),
      startController: () => this.#startController(),
    };
  }

  #startController(): void {
    const { network, nodes, records, director, machines, controller, world } = this.#stage;
    const machine = machines.get('director')!;
    if (controller() !== null || !machine.up) return;
    if (machine.suspended) return void world.after(10, () => this.#startController());
    world.tell('controller', 'starts');
    this.#stage.checkers.controllerStarted();
    const random = this.#world.random;
    this.#controller = new ControllerRun({
      group: this.#controllerGroup,
      machine,
      nodes,
      network,
      records,
      director,
      random,
      fence: (node) => this.#driver.fence(node),
    });
  }

  get #clientTimeoutMs(): number {
    return 5 * this.group.failover.detectMs;
  }

  #makeClients(random: SeededRandom): Clients {
    const { world, network, nodes, director, machines } = this.#stage;
    const stream = random.stream('clients');
    return new Clients({
      world,
      network,
      machine: machines.get('client')!,
      director,
      nodes,
      random: stream,
      thinkMs: this.group.failover.heartbeatMs * stream.spread(0.5, 5),
      timeoutMs: this.#clientTimeoutMs,
      clients: 1 + stream.int(4),
      keys: 1 + stream.int(3),
    });
  }
}
