import type { DesiredTraffic } from '../../src/controller/ports.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import type { GroupConfig } from '../../src/config/config.ts';
import type { Machine } from './machine.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What leads clients to a node on the director: a proxy within the controller, or entries in the kernel. */
export class Director {
  readonly kind: 'vip' | 'proxy' | 'kernel';
  /** Node that takes new connections. */
  active: string | null = null;
  /** Its tools fail until mended. */
  broken = false;
  readonly #machine: Machine;
  readonly #random: SeededRandom;
  #last = 0;

  constructor(group: GroupConfig, machine: Machine, random: SeededRandom) {
    const [traffic] = group.traffic;
    this.kind = traffic?.type === 'vip' ? 'vip' : traffic?.type === 'proxy' ? 'proxy' : 'kernel';
    this.#machine = machine;
    this.#random = random;
    machine.onPowerLoss.push(() => (this.active = null));
  }

  apply(desired: DesiredTraffic, done: (error: Error | null) => void): void {
    this.#last += 1;
    const turn = this.#last;
    if (this.kind === 'vip') return done(null);
    this.#machine.world.after(this.#random.spread(0.1, 40), () => {
      // Newer calls supersede older ones.
      if (turn !== this.#last || !this.#machine.up) return;
      if (this.broken) return done(new HsctlError('failed', 'ipvsadm: memory allocation problem'));
      this.active = desired.active;
      done(null);
    });
  }

  /** The kernel's entries stay as they are; a proxy is gone with its process. */
  controllerGone(): void {
    this.#last += 1;
    if (this.kind === 'proxy') this.active = null;
  }
}
