import type { GroupConfig, NodeConfig, TrafficConfig } from '../../config/config.ts';
import { isSame } from '../../config/differences.ts';
import { type Scheduler, sleep, type Timer } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { run, startProgram } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { NodeTrafficDeps } from '../../traffic/deps.ts';
import { openConnections } from '../../traffic/connections/count.ts';
import { NodeGate } from '../../traffic/gate/node-gate.ts';
import { VipHolder } from '../../traffic/vip/holder.ts';
import { checkArpSettings } from '../../traffic/vip/arp-settings.ts';
import { parseVirtualAddress } from '../../traffic/vip/plan.ts';
import { WatchdogKeeper } from '../../traffic/watchdog/keeper.ts';

/** Pause between two counts of the connections of a node that is being quiesced. */
const COUNT_PAUSE_MS = 2;
/** With very many sockets on the machine a count takes long: then the pause is this many times as long. */
const PAUSE_TO_COUNT = 4;
/** An operator who sets a setting right sees the warning go within this. */
const SETTINGS_PERIOD_MS = 10_000;

type VipConfig = Extract<TrafficConfig, { readonly type: 'vip' }>;

interface OwnAddress {
  readonly entry: VipConfig;
  readonly holder: VipHolder;
}

/**
 * What the agent does about traffic on its own node: virtual addresses, the gate that keeps new work out, and the watchdog
 * of the machine that sees to it that they are given up.
 */
export class NodeTraffic {
  #vips: readonly OwnAddress[];
  /** Addresses that the configuration no longer has, until they are surely off the node. */
  readonly #leaving = new Set<VipHolder>();
  #gate: NodeGate | null;
  readonly #watchdog: WatchdogKeeper | null;
  /** Orders to take the traffic, so far. */
  #holds = 0;
  readonly #node: { readonly id: string; readonly group: string };
  readonly #tools: NodeTrafficDeps;
  readonly #port: number | null;
  readonly #scheduler: Scheduler;
  readonly #logger: Logger;
  /** Behind a director that routes directly, the node has an address that it must not answer for. */
  #isDirectlyRouted: boolean;
  #settingsTimer: Timer | null = null;
  /** Settings of the machine that are wrong for its part, as last read. */
  #wrongSettings: readonly string[] = [];
  /** Settles when no earlier reconfiguration is under way. */
  #reconfigured: Promise<void> = Promise.resolve();
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
    this.#node = { id: node.id, group: group.name };
    this.#tools = { scheduler, logger, ...programs };
    this.#vips = addressesOf(group).map((entry) => this.#makeAddress(entry));
    const { watchdog } = node;
    const { heartbeatMs: periodMs } = group.failover;
    this.#watchdog = watchdog === null ? null : new WatchdogKeeper({ ...watchdog, periodMs }, this.#tools);
    this.#isDirectlyRouted = isDirectlyRouted(group);
    this.#gate = this.#makeGate(group);
  }

  /** Removes what a crashed agent left: addresses and a closed gate. @throws HsctlError('failed') */
  async start(): Promise<void> {
    await this.#watchdog?.start();
    await Promise.all([
      ...this.#holders.map((vip) => vip.start()),
      this.#gate?.start().catch(this.#warn),
      this.#checkSettings(),
    ]);
    if (this.#isDirectlyRouted) {
      this.#settingsTimer = this.#scheduler.every(SETTINGS_PERIOD_MS, () => void this.#checkSettings());
    }
  }

  async hold(remainingMs: number): Promise<void> {
    this.#holds += 1;
    this.#watchdog?.renewed();
    await Promise.all(this.#vips.map(({ holder }) => holder.hold(remainingMs)));
  }

  async release(): Promise<void> {
    const released = Promise.all([...this.#holders, ...this.#leaving].map((vip) => vip.release()));
    this.#released = released.catch(() => undefined);
    const holds = this.#holds;
    await released;
    // What was taken again meanwhile is under a lease again.
    if (holds === this.#holds) this.#watchdog?.released();
  }

  addresses(): readonly string[] {
    return [...this.#holders, ...this.#leaving].filter((vip) => vip.held).map((vip) => vip.address);
  }

  /** Addresses that are not on this node now: what connections they had here lead nowhere. */
  lostAddresses(): readonly string[] {
    return this.#holders.filter((vip) => !vip.held).map((vip) => vip.address);
  }

  /** What an operator should see to, though the node does its work. */
  warnings(): readonly string[] {
    return [...this.#wrongSettings, ...this.#holders.flatMap((vip) => vip.warnings)];
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
    this.#settingsTimer?.cancel();
    await this.openGate();
    await Promise.all([...this.#holders.map((vip) => vip.close()), this.#gate?.end()]);
    await this.#watchdog?.close();
  }

  async #checkSettings(): Promise<void> {
    if (!this.#isDirectlyRouted) return;
    const findings = await checkArpSettings();
    const wrong = findings.map(({ what, hint }) => `${what} (${hint})`);
    for (const text of wrong) if (!this.#wrongSettings.includes(text)) this.#logger.warn(text);
    this.#wrongSettings = wrong;
  }

  /**
   * Takes another configuration of the group: addresses that it does not have any more are given up, those that it has in
   * the same form are left alone, new ones are taken with the next lease. Never rejects.
   */
  reconfigure(group: GroupConfig): Promise<void> {
    this.#reconfigured = this.#reconfigured.then(() => this.#reconfigure(group));
    return this.#reconfigured;
  }

  async #reconfigure(group: GroupConfig): Promise<void> {
    const entries = addressesOf(group);
    const gone = this.#vips.filter(({ entry }) => !entries.some((each) => isSame(each, entry)));
    const added = entries.filter((entry) => !this.#vips.some((each) => isSame(each.entry, entry)));
    this.#vips = this.#vips.filter((vip) => !gone.includes(vip));
    this.#isDirectlyRouted = isDirectlyRouted(group);
    for (const { holder } of gone) this.#leaving.add(holder);
    await Promise.all(gone.map(({ holder }) => this.#giveUp(holder)));
    if (this.#gate === null) {
      this.#gate = this.#makeGate(group);
      await this.#gate?.start().catch(this.#warn);
    }
    for (const entry of added) {
      const address = this.#makeAddress(entry);
      await address.holder.start().catch((error: unknown) => this.#logger.error(messageOf(error)));
      this.#vips = [...this.#vips, address];
    }
  }

  /** A holder that cannot remove its address stays among those that are leaving: a release tries again. */
  async #giveUp(holder: VipHolder): Promise<void> {
    try {
      await holder.release();
      await holder.close();
      this.#leaving.delete(holder);
    } catch (error) {
      this.#logger.error(messageOf(error));
    }
  }

  get #holders(): readonly VipHolder[] {
    return this.#vips.map(({ holder }) => holder);
  }

  #makeAddress(entry: VipConfig): OwnAddress {
    const address = parseVirtualAddress(entry.address, entry.interface, entry);
    return { entry, holder: new VipHolder(address, entry.announce, this.#tools) };
  }

  /** The proxy holds new connections itself; all other traffic reaches the node without asking anyone. */
  #makeGate({ traffic }: GroupConfig): NodeGate | null {
    if (this.#port === null || traffic.every(({ type }) => type === 'proxy')) return null;
    return new NodeGate(this.#node.group, this.#node.id, this.#port, this.#tools);
  }

  readonly #warn = (error: unknown): void => {
    this.#logger.warn(`the gate for new connections: ${messageOf(error)}`);
  };
}

function addressesOf({ traffic }: GroupConfig): VipConfig[] {
  return traffic.filter((entry) => entry.type === 'vip');
}

function isDirectlyRouted({ traffic }: GroupConfig): boolean {
  return traffic.some(
    (entry) =>
      (entry.type === 'ipvs' && entry.forwarding === 'dr') || (entry.type === 'vip' && entry.interface === 'lo'),
  );
}
