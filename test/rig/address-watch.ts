import { readFileSync } from 'node:fs';
import type { Host } from './host.ts';
import { machineMs } from './machine-clock.ts';
import type { Stretch } from './register-entries.ts';
import type { RigProcess } from './rig-process.ts';

const EVERY_MS = 10;
/** Nothing is concluded from two looks that lie further apart. */
const STEADY_MS = 100;

/**
 * Looks all the time which hosts hold an address, without starting programs: the kernel shows the addresses of a
 * process' namespace under /proc.
 */
export class AddressWatch {
  readonly #address: string;
  readonly #anchors: readonly [RigProcess, RigProcess];
  readonly #common: Stretch[] = [];
  readonly #timer: NodeJS.Timeout;
  #bothAtMs: number | null = null;
  /** How often it has looked. */
  looks = 0;

  private constructor(address: string, anchors: readonly [RigProcess, RigProcess]) {
    this.#address = address;
    this.#anchors = anchors;
    this.#timer = setInterval(() => this.#look(), EVERY_MS);
  }

  /** Begins to watch an IPv4 address on two hosts. */
  static async start(address: string, one: Host, other: Host): Promise<AddressWatch> {
    const anchor = (host: Host): Promise<RigProcess> => host.spawn(['sleep', 'infinity'], { name: 'anchor' });
    return new AddressWatch(address, [await anchor(one), await anchor(other)]);
  }

  /** Ends the watch; gives the times at which both held it. */
  stop(): readonly Stretch[] {
    clearInterval(this.#timer);
    return this.#common;
  }

  #look(): void {
    const [one, other] = this.#anchors;
    this.looks += 1;
    // Held by the one, by the other, and still by the one: at the look at the other both held it.
    const fromMs = this.#holds(one) ? machineMs() : null;
    const both = fromMs !== null && this.#holds(other) && this.#holds(one);
    const nowMs = machineMs();
    if (!both) {
      this.#bothAtMs = null;
      return;
    }
    const since = this.#bothAtMs;
    this.#common.push({ fromMs: since !== null && nowMs - since <= STEADY_MS ? since : fromMs, toMs: nowMs });
    this.#bothAtMs = nowMs;
  }

  #holds(anchor: RigProcess): boolean {
    const trie = readFileSync(`/proc/${anchor.pid}/net/fib_trie`, 'latin1');
    const at = trie.indexOf(`|-- ${this.#address}\n`);
    return at >= 0 && /^\s*\/32 host LOCAL/.test(trie.slice(at).split('\n')[1] ?? '');
  }
}
