import type { GroupConfig, NodeConfig } from '../../config/config.ts';
import { type Scheduler, sleep } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { run, startProgram } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { NodeTrafficDeps } from '../../traffic/deps.ts';
import { openConnections } from '../../traffic/connections/count.ts';
import { NodeGate } from '../../traffic/gate/node-gate.ts';
import { VipHolder } from '../../traffic/vip/holder.ts';
import { parseVirtualAddress } from '../../traffic/vip/plan.ts';

/** Pause between two counts of the connections of a node that is being quiesced. */
const COUNT_PAUSE_MS = 2;
/** With very many sockets on the machine a count takes long: then the pause is this many times as long. */
const PAUSE_TO_COUNT = 4;

/** What the agent does about traffic on its own node: virtual addresses, and the gate that keeps new work out. */
export class NodeTraffic {
  readonly #vips: readonly VipHolder[];
  readonly #gate: NodeGate | null;
  readonly #port: number | null;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  /** Rises with each wish to open or close: what an older one waited for does not count any more. */
  #wishes = 0;
  /** Resolves when the latest release of the addresses is over. */
  #released: Promise<unknown> = Promise.resolve();

  constructor(
    group: GroupConfig,
    node: NodeConfig,
    deps: { readonly scheduler: Scheduler; readonly logger: Logger },
    programs: Pick<NodeTrafficDeps, 'run' | 'startProgram'> = { run, startProgram },
  ) {
    const { scheduler, logger } = deps;
    this.#scheduler = scheduler;
    this.#logger = logger;
    this.#port = node.appPort;
    const tools = { scheduler, logger, ...programs };
    this.#vips = group.traffic.flatMap((traffic) =>
      traffic.type === 'vip'
        ? [new VipHolder(parseVirtualAddress(traffic.address, traffic.interface), traffic.announce, tools)]
        : [],
    );
    // The proxy holds new connections itself; all other traffic reaches the node without asking anyone.
    const gated = node.appPort !== null && group.traffic.some(({ type }) => type !== 'proxy');
    this.#gate = gated && node.appPort !== null ? new NodeGate(group.name, node.id, node.appPort, tools) : null;
  }

  /** Removes what a crashed agent left: addresses and a closed gate. @throws HsctlError('failed') */
  async start(): Promise<void> {
    await Promise.all([...this.#vips.map((vip) => vip.start()), this.#gate?.start().catch(this.#warn)]);
  }

  async hold(remainingMs: number): Promise<void> {
    await Promise.all(this.#vips.map((vip) => vip.hold(remainingMs)));
  }

  async release(): Promise<void> {
    const released = Promise.all(this.#vips.map((vip) => vip.release()));
    this.#released = released.catch(() => undefined);
    await released;
  }

  addresses(): readonly string[] {
    return this.#vips.filter((vip) => vip.held).map((vip) => vip.address);
  }

  /** Keeps new connections waiting, and calls `onIdle` when the present ones have ended. */
  async closeGate(onIdle: () => void): Promise<void> {
    const wish = ++this.#wishes;
    await this.#gate?.close().catch(this.#warn);
    while (wish === this.#wishes) {
      const beganMs = this.#scheduler.monotonicMs();
      const count = this.#port === null ? 0 : await openConnections(this.#port);
      if (count === 0) {
        if (wish === this.#wishes) onIdle();
        return;
      }
      const tookMs = this.#scheduler.monotonicMs() - beganMs;
      await sleep(this.#scheduler, Math.max(COUNT_PAUSE_MS, PAUSE_TO_COUNT * tookMs));
    }
  }

  /** Lets new connections in; on a node that gives its addresses up not before they are gone. */
  async openGate(): Promise<void> {
    const wish = ++this.#wishes;
    await this.#released;
    if (wish === this.#wishes) await this.#gate?.open().catch(this.#warn);
  }

  async close(): Promise<void> {
    await this.openGate();
    await Promise.all([...this.#vips.map((vip) => vip.close()), this.#gate?.end()]);
  }

  readonly #warn = (error: unknown): void => {
    this.#logger.warn(`the gate for new connections: ${messageOf(error)}`);
  };
}
