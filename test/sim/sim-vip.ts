import { HsctlError } from '../../src/kit/errors.ts';
import type { Machine } from './machine.ts';
import { SimProcess } from './sim-process.ts';
import type { SeededRandom } from './seeded-random.ts';
import { kernelLifetimeS } from '../../src/traffic/vip/plan.ts';
import type { Timer } from '../../src/kit/clock.ts';

/** How late the kernel may remove an address whose lifetime has run out. */
const KERNEL_LATE_MS = 250;

/** A virtual address in the kernel of one machine: it goes by itself when nobody renews it. */
export class KernelAddress {
  readonly machine: Machine;
  readonly #random: SeededRandom;
  /** On the machine's monotonic clock; null while the address is not there. */
  #untilMs: number | null = null;
  /** When it could last be changed again; Infinity while it cannot. */
  mendedAtMs = -Infinity;

  constructor(machine: Machine, random: SeededRandom) {
    this.machine = machine;
    this.#random = random;
    machine.onPowerLoss.push(() => this.remove());
  }

  /** Whether the machine answers for the address now. */
  get held(): boolean {
    return this.#untilMs !== null && this.machine.monotonicMs() < this.#untilMs && !this.machine.suspended;
  }

  get broken(): boolean {
    return this.mendedAtMs === Infinity;
  }

  set broken(broken: boolean) {
    if (broken !== this.broken) this.mendedAtMs = broken ? Infinity : this.machine.world.nowMs;
  }

  set(lifetimeS: number): void {
    this.machine.world.tell(`ip-${this.machine.name}`, `address for ${lifetimeS} s`);
    this.#untilMs = this.machine.monotonicMs() + lifetimeS * 1000 + this.#random.between(0, KERNEL_LATE_MS);
  }

  remove(): void {
    if (this.#untilMs !== null) this.machine.world.tell(`ip-${this.machine.name}`, 'address removed');
    this.#untilMs = null;
  }
}

/** How long `ip` takes for an order, at most. */
const ORDER_MS = 30;

/** What the agent does about the address, as `VipHolder` does it: orders go to `ip` one behind the other. */
export class SimVipHolder {
  readonly #process: SimProcess;
  /** Does what it was ordered even if the agent is stopped or killed meanwhile; then it ends. */
  readonly #ip: SimProcess;
  readonly #address: KernelAddress;
  readonly #random: SeededRandom;
  #lapse: Timer | null = null;
  #doneAtMs = 0;

  constructor(process: SimProcess, address: KernelAddress, random: SeededRandom) {
    this.#process = process;
    this.#ip = new SimProcess(`ip-${process.machine.name}`, process.machine);
    this.#address = address;
    this.#random = random;
    process.onDeath.push(() => {
      process.machine.world.after(ORDER_MS, () => this.#ip.run(() => this.#ip.kill('killed')));
    });
  }

  hold(remainingMs: number): Promise<void> {
    if (remainingMs <= 0) return this.release();
    const lifetimeS = kernelLifetimeS(remainingMs);
    this.#lapse?.cancel();
    this.#lapse = this.#process.after(remainingMs, () => void this.release().catch(() => undefined));
    return this.#order(() => this.#address.set(lifetimeS));
  }

  release(): Promise<void> {
    this.#lapse?.cancel();
    this.#lapse = null;
    return this.#order(() => this.#address.remove());
  }

  #order(change: () => void): Promise<void> {
    if (!this.#process.effect()) return new Promise(() => undefined);
    const { world } = this.#process.machine;
    this.#doneAtMs = Math.max(this.#doneAtMs, world.nowMs + this.#random.spread(0.5, ORDER_MS));
    return new Promise((resolve, reject) => {
      const act = (): void => {
        const { broken } = this.#address;
        if (!broken) change();
        const end = (): void => (broken ? reject(new HsctlError('failed', 'ip: no such device')) : resolve());
        this.#process.run(end);
      };
      world.at(this.#doneAtMs, () => this.#ip.run(act));
    });
  }
}
