import type { GroupConfig } from '../../src/config/config.ts';
import type { FenceOutcome } from '../../src/controller/ports.ts';
import type { Checkers } from './checkers.ts';
import type { Fault } from './faults.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import { drain, pause, promote, undrain } from './operators.ts';
import type { ControllerRun, RecordStore } from './sim-controller.ts';
import type { Director } from './sim-director.ts';
import type { SimProcess } from './sim-process.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** The machines and programs that faults strike. */
export interface Stage {
  readonly world: World;
  readonly network: Network;
  readonly nodes: readonly SimNode[];
  readonly director: Director;
  readonly machines: ReadonlyMap<string, Machine>;
  readonly records: RecordStore;
  readonly checkers: Checkers;
  readonly controller: () => ControllerRun | null;
  /** As the director's file has it. */
  readonly controllerGroup: () => GroupConfig;
  /** Writes the director's file anew, and has the controller read it. */
  reconfigureController(group: GroupConfig): void;
  startAgent(node: SimNode): void;
  startController(): void;
}

/** So many fences fail; so many, these among them, leave it unknown. */
const FENCE_FAILS = 0.2;
const FENCE_UNKNOWN = 0.35;
/** A machine that was fenced is off for so long at most. */
const FENCED_MS = 20_000;

/** A program takes so long to start again at least. */
const RESTART_MS = 60;
/** Of the disk of the controller that refuses records: so often the controller is killed when it takes them again. */
const KILLED_AFTER_FAILED_SAVES = 0.5;

/** Makes a fault happen, and end. */
export class FaultDriver {
  readonly #stage: Stage;
  /** Set when the run heals: what would end later has ended. */
  #healed = false;
  readonly #original: GroupConfig;
  /** What the operator wants last: all machines have it in the end. */
  #newest: GroupConfig;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#original = stage.controllerGroup();
    this.#newest = this.#original;
  }

  plan(faults: readonly Fault[]): void {
    for (const fault of faults) this.#stage.world.at(fault.atMs, () => this.#strike(fault));
  }

  /** Everything that is broken is mended, everything that is down is started. */
  heal(): void {
    const { world, network, nodes, director, machines, records } = this.#stage;
    this.#healed = true;
    world.tell('faults', 'healed');
    this.#stage.reconfigureController(this.#newest);
    for (const node of nodes) node.reconfigure(this.#newest);
    network.healAll();
    records.broken = false;
    records.slowness = 1;
    director.broken = false;
    for (const machine of machines.values()) {
      if (!machine.up) machine.boot();
      if (machine.suspended) this.#wake(machine);
      for (const process of machine.processes) if (process.stopped) this.#goOn(process);
    }
    for (const node of nodes) {
      node.store.slowness = 1;
      node.address.broken = false;
      if (node.agent !== null) node.agent.process.dieAfterEffects = Infinity;
      node.app.start();
      this.#mendDisk(node);
      this.#stage.world.after(RESTART_MS, () => this.#stage.startAgent(node));
    }
    this.#stage.startController();
    const controller = this.#stage.controller();
    if (controller !== null) controller.process.dieAfterEffects = Infinity;
  }

  /** The power switch of a node's machine: it does not always work, and does not always tell that it did. */
  fence(id: string): FenceOutcome {
    const { world, nodes } = this.#stage;
    const machine = nodes.find((node) => node.id === id)!.machine;
    const draw = world.random.next();
    world.tell('fence', `${id} (${draw.toFixed(3)})`);
    if (draw < FENCE_FAILS) return { state: 'failed', detail: 'no answer' };
    // It comes back by a person's hand.
    const offMs = world.random.spread(RESTART_MS, FENCED_MS);
    this.#losePower(machine, (start) => void world.after(offMs, () => (machine.up ? undefined : start())));
    return draw < FENCE_UNKNOWN ? { state: 'unknown', detail: 'timed out' } : { state: 'confirmed', detail: 'off' };
  }

  #strike(fault: Fault): void {
    if (this.#healed) return;
    const { world, network, machines, records, director } = this.#stage;
    const { kind, forMs, amount } = fault;
    const where = this.#named(fault.where);
    const later = (end: () => void): void => void world.after(forMs, () => (this.#healed ? undefined : end()));
    const restart = (start: () => void): void =>
      void world.after(Math.max(forMs, RESTART_MS), () => (this.#healed ? undefined : start()));
    const node = this.#node(where, amount);
    const machine = machines.get(where) ?? node.machine;
    world.tell('fault', `${kind} ${where} for ${forMs.toFixed(0)} ms (${amount.toFixed(3)})`);
    switch (kind) {
      case 'cut':
        return this.#cutWays([where, where.split('>').toReversed().join('>')], later);
      case 'cut one way':
        return this.#cutWays([where], later);
      case 'isolate':
        return this.#cutWays(
          [...machines.keys()].flatMap((other) => (other === where ? [] : [`${where}>${other}`, `${other}>${where}`])),
          later,
        );
      case 'clog': {
        for (const other of machines.values()) network.clog(machine, other, 1 + 200 * amount);
        return later(() => {
          for (const other of machines.values()) network.clog(machine, other, 1);
        });
      }
      case 'break links':
      case 'half-open links': {
        const other = [...machines.values()].filter((each) => each !== machine)[Math.floor(amount * 3)]!;
        return network.breakConnections(machine, other, kind === 'half-open links');
      }
      case 'kill agent':
        if (!node.machine.suspended) node.agent?.process.kill('killed');
        return restart(() => this.#stage.startAgent(node));
      case 'end agent':
        node.agent?.end();
        return restart(() => this.#stage.startAgent(node));
      case 'kill agent at an effect':
        if (node.agent !== null) node.agent.process.dieAfterEffects = 1 + Math.floor(amount * 30);
        return restart(() => this.#stage.startAgent(node));
      case 'stop agent': {
        const process = node.agent?.process;
        process?.stop();
        return later(() => process !== undefined && this.#goOn(process));
      }
      case 'crash app':
        return node.app.crash();
      case 'hang app':
        node.app.hang();
        return later(() => node.app.recover());
      case 'kill controller':
        this.#stage.controller()?.process.kill('killed');
        return later(() => this.#stage.startController());
      case 'kill controller at an effect': {
        const controller = this.#stage.controller();
        if (controller !== null) controller.process.dieAfterEffects = 1 + Math.floor(amount * 30);
        return later(() => this.#stage.startController());
      }
      case 'stop controller': {
        const process = this.#stage.controller()?.process;
        process?.stop();
        return later(() => process !== undefined && this.#goOn(process));
      }
      case 'power':
        this.#losePower(machine, later);
        return;
      case 'power of both':
        for (const each of this.#stage.nodes) this.#losePower(each.machine, later);
        return;
      case 'suspend':
        if (!machine.up || machine.suspended || this.#hasSetClock(machine)) return;
        machine.suspend();
        return later(() => this.#wake(machine));
      case 'set clock':
        return this.#setClock(machine, amount);
      case 'slow disk':
        node.store.slowness = 1 + 500 * amount;
        return later(() => (node.store.slowness = 1));
      case 'disk fails':
        node.breakDisk(true);
        return later(() => this.#mendDisk(node));
      case 'records fail':
        records.broken = true;
        return later(() => {
          records.broken = false;
          // What a failed save has left is found by the next start only.
          if (amount < KILLED_AFTER_FAILED_SAVES && records.left !== null) {
            this.#stage.controller()?.process.kill('killed');
            restart(() => this.#stage.startController());
          }
        });
      case 'slow records':
        records.slowness = 1 + 400 * amount;
        return later(() => (records.slowness = 1));
      case 'lose records':
        this.#stage.controller()?.process.kill('killed');
        records.record = null;
        records.left = null;
        records.longestGrantMs = 0;
        return restart(() => this.#stage.startController());
      case 'old orders': {
        const told = records.told.filter((each) => each.node === node.id);
        const again = told[Math.floor(amount * told.length)];
        if (again !== undefined) node.agent?.order(again.assignment);
        return;
      }
      case 'traffic fails': {
        director.broken = true;
        node.address.broken = true;
        return later(() => {
          director.broken = false;
          node.address.broken = false;
        });
      }
      case 'promote':
      case 'promote by force':
      case 'promote with loss':
        return promote(this.#stage, node.id, kind === 'promote by force', kind === 'promote with loss');
      case 'drain':
        drain(this.#stage, node.id);
        return later(() => undrain(this.#stage, node.id));
      case 'pause':
        return this.#pause(later);
      case 'reconfigure':
        return this.#reconfigure(forMs, amount);
    }
  }

  /** The names of who is master and who is not, by the record of the moment. */
  #named(where: string): string {
    const { nodes, records } = this.#stage;
    const master = records.record?.master ?? nodes[0]!.id;
    const slave = nodes.find(({ id }) => id !== master)!.id;
    return where.replace('master', master).replace('slave', slave);
  }

  #node(where: string, amount: number): SimNode {
    const { nodes } = this.#stage;
    return nodes.find(({ id }) => id === where) ?? nodes[Math.floor(amount * 1000) % 2]!;
  }

  #cutWays(ways: readonly string[], later: (end: () => void) => void): void {
    const { machines, network } = this.#stage;
    const ends = ways.map((way) => way.split('>').map((name) => machines.get(name)!));
    for (const [from, to] of ends) network.cut(from!, to!);
    later(() => {
      for (const [from, to] of ends) network.heal(from!, to!);
    });
  }

  #losePower(machine: Machine, later: (end: () => void) => void): void {
    const { nodes, world } = this.#stage;
    if (!machine.up) return;
    machine.losePower();
    later(() => {
      machine.boot();
      world.after(1, () => {
        const node = nodes.find((each) => each.machine === machine);
        if (node === undefined) return this.#stage.startController();
        this.#stage.startAgent(node);
        node.app.start();
      });
    });
  }

  #wake(machine: Machine): void {
    if (!machine.suspended) return;
    if (this.#stage.controller()?.process.machine === machine) this.#doubt(machine.haltedSinceMs);
    machine.resume();
  }

  #goOn(process: SimProcess): void {
    if (!process.stopped) return;
    if (process === this.#stage.controller()?.process) this.#doubt(process.stoppedSinceMs);
    process.resume();
  }

  #setClock(machine: Machine, amount: number): void {
    // That nobody sees a clock is set that stands still is a fault too many: see kit/lease-clock.ts.
    if (machine.suspended || this.#hasSetClock(machine)) return;
    const byMs = (amount - 0.5) * 20_000;
    machine.setWallClock(byMs);
    const controller = this.#stage.controller();
    if (controller?.process.machine === machine) this.#doubt(this.#stage.world.nowMs - Math.abs(byMs));
  }

  /**
   * The machine's clock was set so lately that nobody has looked since: set again, or after a suspension, it may stand where it
   * would have stood, and nobody can see that.
   */
  #hasSetClock(machine: Machine): boolean {
    const heartbeatMs = this.#stage.controller()?.controller.settings.heartbeatMs ?? 0;
    return this.#stage.world.nowMs - machine.clockSetAtMs <= 4 * heartbeatMs;
  }

  /** The controller has stood still since then, or its clocks have come apart as much: it has to keep quiet for a while. */
  #doubt(sinceMs: number): void {
    const { checkers, world } = this.#stage;
    // By what it goes now: of a newer file it does not know while it stands still.
    const settings = this.#stage.controller()?.controller.settings;
    if (settings === undefined) return;
    const { heartbeatMs, detectMs } = settings;
    const toleratedMs = 1.01 * Math.max(2 * heartbeatMs, 50);
    if (world.nowMs - sinceMs > toleratedMs) checkers.controllerInDoubt(world.nowMs + 0.99 * detectMs);
  }

  #mendDisk(node: SimNode): void {
    if (!node.store.broken) return;
    node.breakDisk(false);
    // An agent whose disk failed serves no more until it is restarted.
    node.agent?.process.kill('killed');
    this.#stage.world.after(RESTART_MS, () => this.#stage.startAgent(node));
  }

  /** Each machine gets the new file at another time, in any order; who reads it late, or not at all, goes by the old one. */
  #reconfigure(forMs: number, amount: number): void {
    const { world, nodes } = this.#stage;
    const group = otherNumbers(this.#original, amount);
    this.#newest = group;
    const delayMs = (factor: number): number => forMs * ((amount * factor) % 1);
    const apply = (what: () => void): void => (this.#newest === group && !this.#healed ? what() : undefined);
    world.after(delayMs(7919), () => apply(() => this.#stage.reconfigureController(group)));
    for (const [index, node] of nodes.entries())
      world.after(delayMs(104_729 + 1_000 * index), () => apply(() => node.reconfigure(group)));
  }

  #pause(later: (end: () => void) => void): void {
    pause(this.#stage, 600_000);
    later(() => pause(this.#stage, null));
  }
}

/** Shorter or longer times, and perhaps another answer to the loss of the controller. */
function otherNumbers(group: GroupConfig, amount: number): GroupConfig {
  const { leaseMs, heartbeatMs, detectMs, stallTimeoutMs, onControllerLoss } = group.failover;
  const by = [0.5, 1, 2, 3][Math.floor(amount * 997) % 4]!;
  const other = onControllerLoss === 'serve' ? 'stop' : 'serve';
  const failover = {
    ...group.failover,
    leaseMs: leaseMs * by,
    heartbeatMs: heartbeatMs * by,
    detectMs: detectMs * by,
    stallTimeoutMs: stallTimeoutMs * by,
    onControllerLoss: amount < 0.5 ? onControllerLoss : other,
  };
  return { ...group, failover };
}
