import type { GroupConfig } from '../../src/config/config.ts';
import { GroupController } from '../../src/controller/group-controller.ts';
import type { DesiredTraffic, FenceOutcome, NewEvent, Records, Saved } from '../../src/controller/ports.ts';
import { AgentLink } from '../../src/daemon/controller/agent-link.ts';
import { groupSettings } from '../../src/daemon/settings.ts';
import type { Timer } from '../../src/kit/clock.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';
import type { LinkMessage } from '../../src/protocol/link/messages.ts';
import type { ProbeResult } from '../../src/probes/probe.ts';
import { ProbeRunner } from '../../src/probes/runner.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { CONTROL_PORT } from './ports.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { Director } from './sim-director.ts';
import type { SimNode } from './sim-node.ts';
import { SimProcess } from './sim-process.ts';

/** A save takes so long at most, mostly far less. */
const LONGEST_SAVE_MS = 60;
/** A failed save is found after a restart so often. */
const FAILED_BUT_LEFT = 0.7;
/** So often it takes the place of what another one has left. */
const OVERWRITTEN = 0.5;

/** What the controller has on its disk. */
export class RecordStore {
  record: GroupRecord | null = null;
  longestGrantMs = 0;
  /** What agents were told, by whatever run: a network, or a stopped process, may bring it again much later. */
  readonly told: { readonly node: string; readonly assignment: Assignment }[] = [];
  /** The disk refuses everything until it is mended. */
  broken = false;
  /**
   * A save that failed, and is all there all the same: only its fsync was refused. The next start finds it, unless another
   * save has taken its place.
   */
  left: GroupRecord | null = null;
  /** How many times longer than usual a save takes. */
  slowness = 1;
  /** Told of each decision, of which nothing may follow yet. */
  onDecided: (record: GroupRecord, events: readonly NewEvent[]) => void = () => undefined;
  /** Told of each record that is durable now. */
  onSaved: (record: GroupRecord) => void = () => undefined;
}

class SimRecords implements Records {
  readonly #store: RecordStore;
  readonly #process: SimProcess;
  readonly #random: SeededRandom;

  constructor(store: RecordStore, process: SimProcess, random: SeededRandom) {
    this.#store = store;
    this.#process = process;
    this.#random = random;
  }

  load(): Map<string, GroupRecord> {
    const { left } = this.#store;
    if (left !== null) this.#kept(left);
    const { record } = this.#store;
    return new Map(record === null ? [] : [[record.group, record]]);
  }

  /** It takes its time, in which the controller goes on. The process may die before it is durable, and after. */
  save(record: GroupRecord, events: readonly NewEvent[], onSaved: Saved): void {
    this.#store.onDecided(record, events);
    this.#written(() => {
      if (this.#store.broken) {
        if (this.#store.left === null || this.#random.chance(OVERWRITTEN))
          this.#store.left = this.#random.chance(FAILED_BUT_LEFT) ? record : null;
        return onSaved(new HsctlError('disk', 'database or disk is full'), []);
      }
      this.#kept(record);
      if (this.#process.effect()) onSaved(null, []);
    });
  }

  settle(onSettled: (error: HsctlError | null) => void): void {
    this.#written(() => {
      if (this.#store.broken) return onSettled(new HsctlError('disk', 'database or disk is full'));
      this.#store.left = null;
      if (this.#process.effect()) onSettled(null);
    });
  }

  /** What comes of a write, once the disk has had its time. */
  #written(then: () => void): void {
    this.#process.after(this.#random.spread(0.1, LONGEST_SAVE_MS) * this.#store.slowness, () => {
      if (this.#process.effect()) then();
    });
  }

  #kept(record: GroupRecord): void {
    this.#store.left = null;
    this.#store.record = record;
    this.#store.onSaved(record);
  }

  append(): void {}

  events(): readonly GroupEvent[] {
    return [];
  }

  longestGrantMs(): number {
    return this.#store.longestGrantMs;
  }

  saveLongestGrantMs(durationMs: number): void {
    if (this.#process.effect()) this.#store.longestGrantMs = durationMs;
  }

  close(): void {}
}

export interface ControllerParts {
  readonly group: GroupConfig;
  readonly machine: Machine;
  readonly nodes: readonly SimNode[];
  readonly network: Network;
  readonly records: RecordStore;
  readonly director: Director;
  readonly random: SeededRandom;
  /** Uses the power switch of a node's machine. */
  readonly fence: (node: string) => FenceOutcome;
}

/** A fence command takes so long at most. */
const FENCE_MS = 2_000;

/** One run of the controller: the real decisions, control links and probes over simulated time, network and disk. */
export class ControllerRun {
  readonly process: SimProcess;
  readonly controller: GroupController;
  readonly #links: ReadonlyMap<string, AgentLink>;
  readonly #records: SimRecords;
  #beat: Timer | null = null;

  constructor({ group, machine, nodes, network, records: store, director, random, fence }: ControllerParts) {
    const process = new SimProcess('controller', machine);
    const logger = process.logger();
    const records = new SimRecords(store, process, random);
    const settings = groupSettings(group);
    this.process = process;
    this.#records = records;
    records.saveLongestGrantMs(Math.max(records.longestGrantMs(), settings.grantMs));
    this.controller = new GroupController(settings, records.load().get(group.name) ?? null, {
      records,
      scheduler: process,
      logger,
      assign: (node, assignment) => {
        if (process.alive) store.told.push({ node, assignment });
        this.#links.get(node)?.send({ type: 'assign', assignment });
      },
      moveTraffic: (desired) => moveTraffic(process, director, desired),
      fence: ({ node }) =>
        new Promise((resolve) => {
          process.after(random.spread(10, FENCE_MS), () => process.effect() && resolve(fence(node)));
        }),
    });
    const never = new AbortController().signal;
    const instance = `controller-${random.int(1e9)}`;
    this.#links = new Map(
      nodes.map(({ id, machine: to }) => {
        const link = new AgentLink({
          cluster: 'sim',
          group: group.name,
          node: id,
          instance,
          dial: (signal) => {
            const timeoutMs = Math.max(1000, group.failover.detectMs);
            return network.dial({ from: process, to, port: CONTROL_PORT, timeoutMs, signal });
          },
          silenceLimitMs: 2 * group.failover.detectMs,
          scheduler: process,
          random: random.next,
          logger,
          onLinked: () => this.controller.onLinked(id),
          onMessage: (message) => this.#onMessage(id, message),
          onUnlinked: () => this.controller.onUnlinked(id),
        });
        return [id, link];
      }),
    );
    process.run(() => {
      this.#startBeat(group);
      for (const link of this.#links.values()) void link.run(never);
      for (const node of nodes) this.#probe(node, network, random);
    });
    process.onDeath.push(() => director.controllerGone());
  }

  /** The controller reads another file. What makes it patient meanwhile is left out: safety must not depend on that. */
  reconfigure(group: GroupConfig): void {
    const { process } = this;
    process.run(() => {
      const settings = groupSettings(group);
      this.#records.saveLongestGrantMs(Math.max(this.#records.longestGrantMs(), settings.grantMs));
      if (!process.alive) return;
      this.controller.reconfigure(settings);
      this.#startBeat(group);
    });
  }

  #startBeat({ failover }: GroupConfig): void {
    this.#beat?.cancel();
    this.#beat = this.process.every(failover.heartbeatMs, () => this.controller.step());
  }

  #onMessage(node: string, message: LinkMessage): void {
    if (message.type === 'beat') this.#links.get(node)?.send(this.controller.onBeat(node, message));
    else if (message.type === 'report' && message.report.node === node) this.controller.onReport(node, message.report);
  }

  #probe(node: SimNode, network: Network, random: SeededRandom): void {
    const timing = node.group.app.probe?.of[0];
    if (timing === undefined) return;
    const runner = new ProbeRunner({
      probe: { look: (_target, signal) => this.#look(node, network, signal) },
      target: { host: node.id, port: 9000 },
      timing,
      scheduler: this.process,
      random: random.next,
      onChange: (verdict) => this.controller.onProbe(node.id, verdict),
    });
    void runner.run(new AbortController().signal);
  }

  /** Connects to the app, as the tcp probe does. */
  #look(node: SimNode, network: Network, signal: AbortSignal): Promise<ProbeResult> {
    const { process } = this;
    return new Promise((resolve) => {
      const bad = (detail: string): void => resolve({ good: false, detail });
      signal.addEventListener('abort', () => bad('no answer in time'), { once: true });
      const there = network.delayMs(process.machine, node.machine);
      const back = network.delayMs(node.machine, process.machine);
      process.machine.world.after(there + back, () => {
        const passes = network.passes(process.machine, node.machine) && network.passes(node.machine, process.machine);
        // A process that is stopped still has its kernel accept connections.
        if (!passes || !node.machine.up || node.machine.suspended) return;
        process.run(() => (node.app.alive ? resolve({ good: true, detail: 'connected' }) : bad('connection refused')));
      });
    });
  }
}

function moveTraffic(process: SimProcess, director: Director, desired: DesiredTraffic): Promise<void> {
  if (!process.effect()) return new Promise(() => undefined);
  return new Promise((resolve, reject) => {
    director.apply(desired, (error) => process.run(() => (error === null ? resolve() : reject(error))));
  });
}
