import { messageOf } from '../../kit/errors.ts';
import type { Timer } from '../../kit/clock.ts';
import type { Finding, TrafficDeps } from '../deps.ts';
import {
  announceCommand,
  ARPING_VERSION,
  isAnnounced,
  NDPTOOL_VERSION,
  recognizeArping,
  type Announcers,
} from './announce.ts';
import type { VirtualAddress } from './plan.ts';

/** Habets' arping takes a second for a packet; whatever takes longer has failed. */
const ANNOUNCE_TIMEOUT_MS = 3000;
const DETECT_TIMEOUT_MS = 2000;
/** Announcing programs that run at once; a slow machine must not pile them up. */
const MAX_RUNNING = 4;

export interface AnnounceTiming {
  readonly count: number;
  readonly intervalMs: number;
  readonly refreshMs: number;
}

/** Tells the neighbours, again and again, which machine has the address, with programs in the background. */
export class Announcer {
  readonly #vip: VirtualAddress;
  readonly #timing: AnnounceTiming;
  readonly #deps: TrafficDeps;
  #tools: Announcers = { arping: null, ndptool: false };
  #timer: Timer | null = null;
  #running = new Set<AbortController>();

  constructor(vip: VirtualAddress, timing: AnnounceTiming, deps: TrafficDeps) {
    this.#vip = vip;
    this.#timing = timing;
    this.#deps = deps;
  }

  /** Finds out which programs this machine has. */
  async detect(): Promise<void> {
    const [arping, ndptool] = await Promise.all([this.#output(ARPING_VERSION), this.#output(NDPTOOL_VERSION)]);
    this.#tools = { arping: recognizeArping(arping), ndptool: ndptool.includes('send') };
  }

  /** Announces at once and `count` times in all, then once in every `refreshMs`, until `stop`. Goes on if it does so already. */
  start(): void {
    if (this.#timer === null && isAnnounced(this.#vip)) this.#announce(1);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    for (const call of this.#running) call.abort();
  }

  check(): readonly Finding[] {
    if (!isAnnounced(this.#vip) || announceCommand(this.#vip, this.#tools) !== null) return [];
    return [
      this.#vip.family === 4
        ? { what: `nothing to announce ${this.#vip.address} with`, hint: 'apt-get install arping (or iputils-arping)' }
        : { what: `nothing to announce ${this.#vip.address} with`, hint: 'apt-get install libndp-tools' },
    ];
  }

  #announce(number: number): void {
    const { count, intervalMs, refreshMs } = this.#timing;
    this.#timer = this.#deps.scheduler.after(number < count ? intervalMs : refreshMs, () => this.#announce(number + 1));
    const command = announceCommand(this.#vip, this.#tools);
    if (command === null || this.#running.size >= MAX_RUNNING) return;
    const call = new AbortController();
    this.#running.add(call);
    void this.#deps
      .run(command, { timeoutMs: ANNOUNCE_TIMEOUT_MS, acceptExit: () => true, cutOutput: true, signal: call.signal })
      .catch((error: unknown) => {
        if (!call.signal.aborted) this.#deps.logger.debug('announcement failed', { error: messageOf(error) });
      })
      .finally(() => this.#running.delete(call));
  }

  async #output(command: readonly string[]): Promise<string> {
    const options = { timeoutMs: DETECT_TIMEOUT_MS, acceptExit: () => true, cutOutput: true };
    const { stdout, stderr } = await this.#deps.run(command, options).catch(() => ({ stdout: '', stderr: '' }));
    return stdout + stderr;
  }
}
