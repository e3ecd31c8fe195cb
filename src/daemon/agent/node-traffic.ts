import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import type { Scheduler, Timer } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { run, startProgram } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import { openConnections } from '../../traffic/connections/count.ts';
import { makeNodeGate, type NodeGate } from '../../traffic/gate/node-gate.ts';
import { VipHolder } from '../../traffic/vip/holder.ts';
import { parseVirtualAddress } from '../../traffic/vip/plan.ts';

/** How often the connections of a node that is being quiesced are counted. */
const COUNT_MS = 5;

/** What the agent does about traffic on its own node: virtual addresses, and the gate that keeps new work out. */
export class NodeTraffic {
  readonly #vips: readonly VipHolder[];
  readonly #gate: NodeGate | null;
  readonly #port: number | null;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  #counting: Timer | null = null;
  /** Rises with each wish to open or close: what an older one waited for does not count any more. */
  #wishes = 0;

  constructor(group: GroupConfig, node: NodeConfig, deps: { readonly scheduler: Scheduler; readonly logger: Logger }) {
    const { scheduler, logger } = deps;
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#port = node.appPort;
    const tools = { scheduler, logger, run, startProgram };
    this.#vips = group.traffic.flatMap((traffic) =>
      traffic.type === 'vip'
        ? [new VipHolder(parseVirtualAddress(traffic.address, traffic.interface), traffic.announce, tools)]
        : [],
    );
    // The proxy holds new connections itself; all other traffic reaches the node without asking anyone.
    const gated = node.appPort !== null && group.traffic.some(({ type }) => type !== 'proxy');
    this.#gate = gated && node.appPort !== null ? makeNodeGate(group.name, node.id, node.appPort, tools) : null;
  }

  /** Removes what a crashed agent left: addresses and a closed gate. @throws HsctlError('failed') */
  async start(): Promise<void> {
    await Promise.all([...this.#vips.map((vip) => vip.start()), this.#gate?.start().catch(this.#warn)]);
  }

  async hold(remainingMs: number): Promise<void> {
    await Promise.all(this.#vips.map((vip) => vip.hold(remainingMs)));
  }

  async release(): Promise<void> {
    await Promise.all(this.#vips.map((vip) => vip.release()));
  }

  addresses(): readonly string[] {
    return this.#vips.filter((vip) => vip.held).map((vip) => vip.address);
  }

  /** Keeps new connections waiting, and calls `onIdle` when the present ones have ended. */
  async closeGate(onIdle: () => void): Promise<void> {
    this.#stopCounting();
    const wish = ++this.#wishes;
    await this.#gate?.close().catch(this.#warn);
    const port = this.#port;
    if (wish !== this.#wishes) return;
    if (port === null) return onIdle();
    const count = async (): Promise<void> => {
      if ((await openConnections(port)) > 0 || this.#counting === null) return;
      this.#stopCounting();
      onIdle();
    };
    this.#counting = this.#scheduler.every(COUNT_MS, () => void count(), 0);
  }

  async openGate(): Promise<void> {
    this.#wishes += 1;
    this.#stopCounting();
    await this.#gate?.open().catch(this.#warn);
  }

  async close(): Promise<void> {
    this.#stopCounting();
    await this.#gate?.open().catch(this.#warn);
    await Promise.all(this.#vips.map((vip) => vip.close()));
  }

  /** Stops counting; the gate stays as it is. */
  #stopCounting(): void {
    this.#counting?.cancel();
    this.#counting = null;
  }

  readonly #warn = (error: unknown): void => {
    this.#logger.warn(`the gate for new connections: ${messageOf(error)}`);
  };
}
