/**
 * The virtual address of a group on its node, run by the agent. The kernel itself removes the address when the agent
 * stops renewing it, whatever happened to the agent; everything here is only quicker than that.
 */

import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { Timer } from '../../kit/clock.ts';
import { type Finding, type NodeTrafficDeps, TOOL_TIMEOUT_MS } from '../deps.ts';
import { OpenTool, type ToolAnswer } from '../open-tool.ts';
import { AddressRoutes } from './address-routes.ts';
import { Announcer, type AnnounceTiming } from './announcer.ts';
import { ipBatch } from './ip-batch.ts';
import { dropLine, kernelLifetimeS, showLine, shownPrefixLengths, takeLine, type VirtualAddress } from './plan.ts';

/** A renewal this soon after the last one changes nothing that the kernel would notice. */
const RENEWAL_SPACING_MS = 100;

export class VipHolder {
  readonly #vip: VirtualAddress;
  readonly #deps: NodeTrafficDeps;
  readonly #batch: OpenTool;
  readonly #announcer: Announcer;
  readonly #routes: AddressRoutes;
  /** Set while the address is wanted: when the lease behind it ends. */
  #lapse: Timer | null = null;
  /** Rises with each release: what was ordered before it no longer counts. */
  #term = 0;
  #held = false;
  #renewal: { readonly atMs: number; readonly lifetimeS: number; readonly outcome: Promise<void> } | null = null;

  constructor(vip: VirtualAddress, timing: AnnounceTiming, deps: NodeTrafficDeps) {
    this.#vip = vip;
    this.#deps = deps;
    this.#batch = new OpenTool(ipBatch(vip.family), deps);
    this.#announcer = new Announcer(vip, timing, deps);
    this.#routes = new AddressRoutes(vip, deps);
  }

  /** The address, for reports. */
  get address(): string {
    return this.#vip.address;
  }

  /** Whether the address is on the interface, as last read back. */
  get held(): boolean {
    return this.#held;
  }

  /** What is wrong while the address is held, in the operator's words; empty if all is well. */
  get warnings(): readonly string[] {
    if (!this.#held) return [];
    const { address } = this.#vip;
    const rivals = this.#announcer.rivals.map((hardware) => `${address} is used by the machine ${hardware} too`);
    const { fault } = this.#routes;
    return fault === '' ? rivals : [...rivals, `routes of ${address}: ${fault}`];
  }

  /**
   * Removes what a crashed agent left behind and gets ready to act quickly.
   * @throws HsctlError('failed') when `ip` cannot be started or a stale address cannot be removed.
   */
  async start(): Promise<void> {
    await Promise.all([this.#batch.start(), this.#routes.start(), this.#announcer.prepare()]);
    await this.release();
  }

  /**
   * Takes the address, or keeps it, for at most the rest of a lease; to be called at each renewal. Without another call
   * the address is released when the time is over, by this process or else by the kernel. Resolves when the address
   * was read back from the kernel.
   * @throws HsctlError('failed') when it could not be set, say because the interface is missing, or was released meanwhile.
   */
  hold(remainingLeaseMs: number): Promise<void> {
    if (remainingLeaseMs <= 0) return this.release();
    const nowMs = this.#deps.scheduler.monotonicMs();
    const lifetimeS = kernelLifetimeS(remainingLeaseMs);
    this.#lapse?.cancel();
    this.#lapse = this.#deps.scheduler.after(remainingLeaseMs, () => this.#lapsed());

    const last = this.#renewal;
    if (last !== null && last.lifetimeS === lifetimeS && nowMs - last.atMs < RENEWAL_SPACING_MS) return last.outcome;
    const outcome = this.#take(lifetimeS);
    this.#renewal = { atMs: nowMs, lifetimeS, outcome };
    return outcome;
  }

  /**
   * Gives the address up: `ip` has the order before this call returns. Resolves when the address was seen to be gone.
   * @throws HsctlError('failed') when it is still there.
   */
  async release(): Promise<void> {
    this.#term += 1;
    const term = this.#term;
    this.#lapse?.cancel();
    this.#lapse = null;
    this.#renewal = null;
    const dropped = this.#drop(term);
    const unset = this.#routes.unset();
    this.#announcer.stop();
    const complaint = await dropped;
    await unset;
    if (this.#held && this.#term === term && this.#lapse === null) {
      throw new HsctlError(
        'failed',
        `${this.#vip.address} cannot be removed: ${complaint}`,
        'remove it with "ip addr del"',
      );
    }
  }

  /** What on this machine keeps the address from being set or announced; empty if all is well. */
  async check(): Promise<readonly Finding[]> {
    const options = { timeoutMs: TOOL_TIMEOUT_MS, acceptExit: () => true };
    const link = await this.#deps
      .run(['ip', 'link', 'show', 'dev', this.#vip.interface], options)
      .catch((error: unknown) => ({ exitCode: 1, stderr: messageOf(error) }));
    const missing =
      link.exitCode === 0 ? [] : [{ what: link.stderr.trim(), hint: 'name an interface that "ip link" shows' }];
    return [...missing, ...(await this.#announcer.check())];
  }

  /** Releases the address and ends what was started. */
  async close(): Promise<void> {
    await this.release().catch((error: unknown) => this.#deps.logger.error(messageOf(error)));
    await Promise.all([this.#batch.close(), this.#routes.close(), this.#announcer.close()]);
  }

  async #take(lifetimeS: number): Promise<void> {
    const term = this.#term;
    const answer = await this.#batch
      .submit([takeLine(this.#vip, lifetimeS), showLine(this.#vip)])
      .catch((error: unknown) => {
        if (this.#term === term) this.#renewal = null;
        throw error;
      });
    this.#held = shownPrefixLengths(this.#vip, answer.stdout).includes(this.#vip.prefixLength);
    if (this.#term !== term) {
      throw new HsctlError('failed', `${this.#vip.address} was released while it was being set`);
    }
    if (!this.#held) {
      this.#renewal = null;
      throw new HsctlError(
        'failed',
        `cannot set ${this.#vip.address} on ${this.#vip.interface}: ${answer.complaints.join('; ') || 'it is not there afterwards'}`,
        'check that the interface exists and is up (ip link), and that the agent has CAP_NET_ADMIN',
      );
    }
    this.#announcer.start();
    await this.#routes.set();
  }

  /** Removes the address and reads back; returns what `ip` complained about. */
  async #drop(term: number): Promise<string> {
    const show = showLine(this.#vip);
    const answer = await this.#batch.submit([dropLine(this.#vip), show]).catch(() => this.#dropAfresh());
    const others = shownPrefixLengths(this.#vip, answer.stdout);
    this.#held = others.length > 0;
    if (!this.#held || this.#term !== term || this.#lapse !== null) return answer.complaints.join('; ');
    // Somebody added it by hand with another prefix length: the node would answer for the address all the same.
    const last = await this.#batch.submit([...others.map((length) => dropLine(this.#vip, length)), show]);
    this.#held = shownPrefixLengths(this.#vip, last.stdout).length > 0;
    return last.complaints.join('; ');
  }

  /** The same with a program of its own, for when the open one is not there or is stuck. */
  async #dropAfresh(): Promise<ToolAnswer> {
    const input = `${dropLine(this.#vip)}\n${showLine(this.#vip)}\n`;
    const options = { timeoutMs: TOOL_TIMEOUT_MS, input, acceptExit: () => true };
    const { stdout, stderr } = await this.#deps.run(ipBatch(this.#vip.family).command, options);
    return { stdout: stdout.split('\n'), complaints: stderr.trim().split('\n') };
  }

  #lapsed(): void {
    this.#deps.logger.warn('the lease ended without renewal: address released', { address: this.#vip.address });
    this.release().catch((error: unknown) => this.#deps.logger.error(messageOf(error)));
  }
}
