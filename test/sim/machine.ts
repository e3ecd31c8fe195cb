import type { SeededRandom } from './seeded-random.ts';
import type { SimProcess } from './sim-process.ts';
import type { World } from './world.ts';

/** Slightly less than what the leases allow for (see CLOCK_DRIFT). */
const DRIFT = 0.0019;

/**
 * A machine with its own clocks: they run a little fast or slow, the wall clock can be set, and a suspension stops the
 * monotonic one. It can lose its power, with all that is not on stable storage.
 */
export class Machine {
  readonly name: string;
  readonly world: World;
  readonly processes = new Set<SimProcess>();
  up = true;
  suspended = false;
  /** What its disks and its kernel do when the power goes. */
  readonly onPowerLoss: (() => void)[] = [];
  /** When it was last suspended, and when it was last resumed, in true time. */
  haltedSinceMs = -Infinity;
  resumedAtMs = -Infinity;
  bootedAtMs = 0;
  /** When its wall clock was last set, in true time. */
  clockSetAtMs = -Infinity;
  /** Called once, when it is up again. */
  readonly onBoot: (() => void)[] = [];
  readonly #rate: number;
  #sinceMs = 0;
  #monotonicMs: number;
  #wallOffsetMs: number;

  constructor(name: string, world: World, random: SeededRandom) {
    this.name = name;
    this.world = world;
    this.#rate = 1 + random.between(-DRIFT, DRIFT);
    this.#monotonicMs = random.between(1_000, 10_000_000);
    this.#wallOffsetMs = 1_750_000_000_000 + random.between(-100, 100);
  }

  monotonicMs(): number {
    if (this.suspended) return this.#monotonicMs;
    return this.#monotonicMs + (this.world.nowMs - this.#sinceMs) * this.#rate;
  }

  wallMs(): number {
    return this.world.nowMs * this.#rate + this.#wallOffsetMs;
  }

  /** True time at which the monotonic clock will show this, if nothing stops it. */
  trueMs(monotonicMs: number): number {
    return this.world.nowMs + (monotonicMs - this.monotonicMs()) / this.#rate;
  }

  setWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.clockSetAtMs = this.world.nowMs;
  }

  suspend(): void {
    this.#hold();
    this.haltedSinceMs = this.world.nowMs;
    this.suspended = true;
  }

  resume(): void {
    this.suspended = false;
    this.#sinceMs = this.world.nowMs;
    this.resumedAtMs = this.world.nowMs;
    for (const process of this.processes) process.goOn();
  }

  /** Everything stops at once: no connection is closed, nothing more is written. */
  losePower(): void {
    for (const process of this.processes) process.kill('power');
    this.up = false;
    this.suspended = false;
    for (const lose of this.onPowerLoss) lose();
  }

  boot(): void {
    this.#hold();
    // A new start of the machine: its monotonic clock begins anew.
    this.#monotonicMs = this.world.random.between(5_000, 20_000);
    this.#sinceMs = this.world.nowMs;
    this.bootedAtMs = this.world.nowMs;
    this.up = true;
    for (const listener of this.onBoot.splice(0)) listener();
  }

  #hold(): void {
    this.#monotonicMs = this.monotonicMs();
    this.#sinceMs = this.world.nowMs;
  }
}
