import { messageOf } from '../../kit/errors.ts';
import type { Timer } from '../../kit/clock.ts';
import type { Finding, NodeTrafficDeps } from '../deps.ts';
import {
  announceCommand,
  ARPING_VERSION,
  isAnnounced,
  NDPTOOL_VERSION,
  recognizeArping,
  type Announcers,
} from './announce.ts';
import { FrameSender } from './frame-sender.ts';
import type { VirtualAddress } from './plan.ts';

/** Habets' arping takes a second for a packet; whatever takes longer has failed. */
const ANNOUNCE_TIMEOUT_MS = 3000;
const DETECT_TIMEOUT_MS = 2000;
/** Announcing programs that run at once; a slow machine must not pile them up. */
const MAX_RUNNING = 4;

/** Announcements in a row that nobody contradicted, after which a conflict is over. */
const CALM_ANNOUNCEMENTS = 3;

export interface AnnounceTiming {
  readonly count: number;
  readonly intervalMs: number;
  readonly refreshMs: number;
}

/**
 * Tells the neighbours, again and again, which machine has the address: by frames of our own, within a millisecond, or
 * where that cannot be by a program that is started each time.
 */
export class Announcer {
  readonly #vip: VirtualAddress;
  readonly #timing: AnnounceTiming;
  readonly #deps: NodeTrafficDeps;
  readonly #frames: FrameSender;
  #tools: Announcers = { arping: null, ndptool: false };
  #timer: Timer | null = null;
  #running = new Set<AbortController>();
  /** Hardware addresses of the machines that claim the address too, and for how many announcements none did. */
  #rivals: readonly string[] = [];
  #calm = 0;

  constructor(vip: VirtualAddress, timing: AnnounceTiming, deps: NodeTrafficDeps) {
    this.#vip = vip;
    this.#timing = timing;
    this.#deps = deps;
    this.#frames = new FrameSender(vip, deps);
  }

  /** Finds out what this machine can announce with, and gets ready to do so quickly. Never rejects. */
  async prepare(): Promise<void> {
    if (!isAnnounced(this.#vip)) return;
    const [fault] = await Promise.all([this.#frames.fault(), this.#detect()]);
    try {
      if (fault === null) await this.#frames.start();
    } catch (error) {
      this.#deps.logger.warn('announcements are slow', { error: messageOf(error) });
    }
    for (const { what, hint } of this.#findings(fault)) this.#deps.logger.warn(what, { hint });
  }

  /** Announces at once and `count` times in all, then once in every `refreshMs`, until `stop`. Goes on if it does so already. */
  start(): void {
    if (this.#timer === null && isAnnounced(this.#vip)) this.#announce(1);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#rivals = [];
    for (const call of this.#running) call.abort();
  }

  /** Hardware addresses of other machines that use the address while we announce it; none if all is well. */
  get rivals(): readonly string[] {
    return this.#rivals;
  }

  /** What on this machine keeps the address from being announced (at once); empty if all is well. */
  async check(): Promise<readonly Finding[]> {
    if (!isAnnounced(this.#vip)) return [];
    const [fault] = await Promise.all([this.#frames.fault(), this.#detect()]);
    return this.#findings(fault);
  }

  async close(): Promise<void> {
    this.stop();
    await this.#frames.close();
  }

  #announce(number: number): void {
    const { count, intervalMs, refreshMs } = this.#timing;
    this.#timer = this.#deps.scheduler.after(number < count ? intervalMs : refreshMs, () => this.#announce(number + 1));
    const isWanted = (): boolean => this.#timer !== null;
    // Whoever claimed the address before we took it (the former master) was right to, and a last claim may have been on its way.
    const onClaims = (claims: readonly string[]): void => (number <= 2 ? undefined : this.#heard(claims));
    if (this.#frames.announce(isWanted, onClaims)) return;
    // Starting a program takes milliseconds: whoever waits for the address goes first.
    setImmediate(() => {
      if (this.#timer !== null) this.#runTool();
    });
  }

  /** The lease says that the address is ours, so it is kept and announced on: all that helps is an operator who knows. */
  #heard(claims: readonly string[]): void {
    const { address } = this.#vip;
    this.#calm = claims.length > 0 ? 0 : this.#calm + 1;
    if (claims.length > 0) {
      const rivals = claims.map((hardware) => hardware.replaceAll(/..(?!$)/g, '$&:'));
      if (this.#rivals.length === 0) {
        this.#deps.logger.error(`another machine uses ${address} as well`, { hardware: rivals.join(', ') });
      }
      this.#rivals = rivals;
    } else if (this.#rivals.length > 0 && this.#calm >= CALM_ANNOUNCEMENTS) {
      this.#rivals = [];
      this.#deps.logger.info(`no other machine uses ${address} any more`);
    }
  }

  #runTool(): void {
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

  #findings(fault: string | null): readonly Finding[] {
    if (fault === null) return [];
    const { address, family } = this.#vip;
    if (announceCommand(this.#vip, this.#tools) !== null) {
      const what = `${address} is announced late, by a program that is started each time: ${fault}`;
      return [{ what, hint: 'the agent needs perl (apt-get install perl-base) and CAP_NET_RAW' }];
    }
    const other = family === 4 ? 'arping or iputils-arping' : 'libndp-tools';
    const hint = `the agent needs CAP_NET_RAW and perl (apt-get install perl-base), or else ${other}`;
    return [{ what: `nothing to announce ${address} with: ${fault}`, hint }];
  }

  async #detect(): Promise<void> {
    const [arping, ndptool] = await Promise.all([this.#output(ARPING_VERSION), this.#output(NDPTOOL_VERSION)]);
    this.#tools = { arping: recognizeArping(arping), ndptool: ndptool.includes('send') };
  }

  async #output(command: readonly string[]): Promise<string> {
    const options = { timeoutMs: DETECT_TIMEOUT_MS, acceptExit: () => true, cutOutput: true };
    const { stdout, stderr } = await this.#deps.run(command, options).catch(() => ({ stdout: '', stderr: '' }));
    return stdout + stderr;
  }
}
