import { openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from './machine.ts';
import { tool } from './tool.ts';

const SOURCE = fileURLToPath(new URL('fixtures/moved-clock.c', import.meta.url));
const NANOSECONDS = 1e6;

/** The clocks of one machine, which can be moved apart from those of all others. */
export class MachineClock {
  readonly file: string;
  readonly #handle: number;
  readonly #shifts = new BigInt64Array(2);

  constructor(machine: Machine) {
    this.file = join(machine.dir, 'clock');
    this.#handle = openSync(this.file, 'w');
    this.#save();
  }

  /** Sets the wall clock forward, or back for less than 0. */
  setWall(byMs: number): void {
    this.#shifts[0] = BigInt(Math.round(byMs * NANOSECONDS)) + (this.#shifts[0] ?? 0n);
    this.#save();
  }

  /** The machine was suspended for so long: its monotonic clock did not count that. */
  slept(forMs: number): void {
    this.#shifts[1] = (this.#shifts[1] ?? 0n) - BigInt(Math.round(forMs * NANOSECONDS));
    this.#save();
  }

  #save(): void {
    writeSync(this.#handle, new Uint8Array(this.#shifts.buffer), 0, this.#shifts.byteLength, 0); // it is mapped
  }
}

/** A clock for each machine, for programs that are started with what `env` gives. */
export class MachineClocks {
  readonly #library: string;
  readonly #clocks = new Map<Machine, MachineClock>();

  private constructor(library: string) {
    this.#library = library;
  }

  /** @param dir for what is compiled */
  static async make(dir: string, machines: readonly Machine[]): Promise<MachineClocks> {
    const library = join(dir, 'moved-clock.so');
    await tool(['gcc', '-O2', '-shared', '-fPIC', '-o', library, SOURCE, '-ldl']);
    const clocks = new MachineClocks(library);
    for (const machine of machines) clocks.#clocks.set(machine, new MachineClock(machine));
    return clocks;
  }

  of(machine: Machine): MachineClock {
    const clock = this.#clocks.get(machine);
    if (!clock) throw new Error(`${machine.name} has no clock of its own`);
    return clock;
  }

  /** Environment of programs on `machine`. */
  env(machine: Machine): Record<string, string> {
    return { LD_PRELOAD: this.#library, HSRIG_CLOCK: this.of(machine).file };
  }
}
