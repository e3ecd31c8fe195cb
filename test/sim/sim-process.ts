import type { Scheduler, Timer } from '../../src/kit/clock.ts';
import { messageOf } from '../../src/kit/errors.ts';
import type { LogFields, Logger } from '../../src/kit/logger.ts';
import type { SimEvent } from './event-queue.ts';
import type { Machine } from './machine.ts';

/** Why a process ended: killed (the kernel closes its connections) or with its machine. */
export type Death = 'killed' | 'power';

/** How late a timer may fire, in milliseconds. */
const LATENESS_MS = 0.8;

/**
 * One run of a process: its timers and everything that is delivered to it. While it is stopped (SIGSTOP, a stall, a
 * suspended machine) all of that queues up. Once dead it does nothing any more: whatever its code still says goes nowhere.
 */
export class SimProcess implements Scheduler {
  readonly name: string;
  readonly machine: Machine;
  alive = true;
  stopped = false;
  /** When it was last stopped, in true time. */
  stoppedSinceMs = -Infinity;
  /** When it began, or went on after it was last stopped, in true time. */
  goesSinceMs: number;
  readonly onDeath: ((death: Death) => void)[] = [];
  /** Dies after this many more effects: between any two steps. */
  dieAfterEffects = Infinity;
  #backlog: (() => void)[] = [];
  #overdue: (() => void)[] = [];
  #draining = false;

  constructor(name: string, machine: Machine) {
    this.name = name;
    this.machine = machine;
    this.goesSinceMs = machine.world.nowMs;
    machine.processes.add(this);
  }

  // --- Scheduler

  monotonicMs(): number {
    return this.machine.monotonicMs();
  }

  wallMs(): number {
    return this.machine.wallMs();
  }

  after(delayMs: number, task: () => void): Timer {
    const timer = new SimTimer();
    this.#arm(this.monotonicMs() + Math.max(0, delayMs), timer, task);
    return timer;
  }

  every(periodMs: number, task: () => void, firstDelayMs = periodMs): Timer {
    const timer = new SimTimer();
    const tick = (): void => {
      this.#arm(this.monotonicMs() + periodMs, timer, tick);
      task();
    };
    this.#arm(this.monotonicMs() + Math.max(0, firstDelayMs), timer, tick);
    return timer;
  }

  // --- life

  /** Delivers something: runs it now, or when the process goes on. */
  run(task: () => void): void {
    if (!this.alive) return;
    if (this.#halted || this.#backlog.length > 0 || this.#draining) this.#backlog.push(task);
    else this.#execute(task);
  }

  /** Counts an effect. False if the process is dead, or died just now before it: then the effect must not happen. */
  effect(): boolean {
    if (!this.alive) return false;
    this.dieAfterEffects -= 1;
    if (this.dieAfterEffects > 0) return true;
    this.kill('killed');
    return false;
  }

  kill(death: Death): void {
    if (!this.alive) return;
    this.alive = false;
    this.machine.processes.delete(this);
    this.machine.world.tell(this.name, death === 'power' ? 'lost its machine' : 'killed');
    this.#backlog = [];
    this.#overdue = [];
    for (const listener of this.onDeath) listener(death);
  }

  /** SIGSTOP, or a stall. */
  stop(): void {
    if (!this.stopped) this.stoppedSinceMs = this.machine.world.nowMs;
    this.stopped = true;
  }

  /** SIGCONT. */
  resume(): void {
    this.stopped = false;
    this.goesSinceMs = this.machine.world.nowMs;
    this.goOn();
  }

  /** Takes up what has queued up, if nothing stops it: what came in first or overdue timers first, both are possible. */
  goOn(): void {
    if (this.#halted || !this.alive || this.#draining) return;
    const timersFirst = this.machine.world.random.chance(0.5);
    this.#backlog = timersFirst ? [...this.#overdue, ...this.#backlog] : [...this.#backlog, ...this.#overdue];
    this.#overdue = [];
    this.#drain();
  }

  /** A logger whose lines go to the transcript. */
  logger(): Logger {
    const line = (level: string) => (message: string, fields?: LogFields) => {
      if (this.alive && this.machine.world.lines !== null)
        this.machine.world.tell(
          this.name,
          `${level}${message}${fields === undefined ? '' : ` ${JSON.stringify(fields)}`}`,
        );
    };
    const logger: Logger = {
      debug: line('. '),
      info: line(''),
      warn: line('! '),
      error: line('!! '),
      child: () => logger,
    };
    return logger;
  }

  get #halted(): boolean {
    return this.stopped || this.machine.suspended;
  }

  #drain(): void {
    if (this.#backlog.length === 0) {
      this.#draining = false;
      return;
    }
    this.#draining = true;
    this.machine.world.after(0.01, () => {
      this.#draining = false;
      if (this.#halted || !this.alive) return;
      const task = this.#backlog.shift();
      if (task !== undefined) this.#execute(task);
      this.#drain();
    });
  }

  #arm(dueMs: number, timer: SimTimer, task: () => void): void {
    if (!this.alive) return;
    const { machine } = this;
    const { world } = machine;
    const atMs = machine.trueMs(dueMs) + world.random.next() * LATENESS_MS;
    timer.event = world.at(atMs, () => this.#due(dueMs, timer, task));
  }

  #due(dueMs: number, timer: SimTimer, task: () => void): void {
    if (!this.alive || timer.cancelled) return;
    if (this.#halted) {
      this.#overdue.push(() => this.#due(dueMs, timer, task));
      return;
    }
    // The clock stood still meanwhile.
    if (this.machine.monotonicMs() < dueMs - 0.001) return this.#arm(dueMs, timer, task);
    this.run(() => {
      if (!timer.cancelled) task();
    });
  }

  #execute(task: () => void): void {
    try {
      task();
    } catch (error) {
      if (this.alive) this.machine.world.broken('crash', `${this.name}: ${describe(error)}`);
    }
  }
}

class SimTimer implements Timer {
  cancelled = false;
  event: SimEvent | null = null;

  cancel(): void {
    this.cancelled = true;
    if (this.event !== null) this.event.task = null;
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
