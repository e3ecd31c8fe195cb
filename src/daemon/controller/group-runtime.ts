import type { Config, GroupConfig } from '../../config/config.ts';
import { isSame } from '../../config/differences.ts';
import { groupDigest } from '../../config/digest.ts';
import type { FenceOrder } from '../../controller/fencing.ts';
import { GroupController } from '../../controller/group-controller.ts';
import type { FenceOutcome, Records, TrafficDriver } from '../../controller/ports.ts';
import type { Scheduler, Timer } from '../../kit/clock.ts';
import { run } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import type { GroupRecord } from '../../model/group-record.ts';
import type { LinkMessage, ReloadAnswer } from '../../protocol/link/messages.ts';
import { dialLink } from '../../transport/dial.ts';
import type { LinkSecurity } from '../../transport/security.ts';
import { groupSettings, lenientSettings } from '../settings.ts';
import { AgentLink } from './agent-link.ts';
import { GroupTraffic } from './group-traffic.ts';
import { GroupNotify } from './group-notify.ts';
import { fenceByCommands } from './fence-commands.ts';
import { GroupProbes } from './group-probes.ts';

/** One group of a running controller: its decisions, its links to the agents, its probes and its traffic drivers. */
export interface RuntimeParts {
  readonly config: Config;
  readonly group: GroupConfig;
  readonly record: GroupRecord | null;
  readonly records: Records;
  readonly security: LinkSecurity;
  readonly instance: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** See PERIOD_MS of agent/node-drain.ts. */
const COUNT_MS = 500;
/** What somebody changed by hand is mended within this. It costs each driver a program or a question. */
const REPAIR_MS = 10_000;
/** An agent needs a moment to read a large file; the operator waits. */
const RELOAD_TIMEOUT_MS = 10_000;

export class GroupRuntime {
  #group: GroupConfig;
  /** Digest of the group in the file that was read last; what takes a restart may not be in force. */
  #digest: string;
  readonly controller: GroupController;
  readonly #traffic: GroupTraffic;
  readonly #notify: GroupNotify;
  /** Connections of clients to the drained nodes, as the drivers last counted them. */
  readonly connections = new Map<string, number>();
  readonly #parts: RuntimeParts;
  readonly #links: ReadonlyMap<string, AgentLink>;
  readonly #questions = new Map<number, (answer: ReloadAnswer | null) => void>();
  #asked = 0;
  /** Agents may still work by the former numbers. */
  #isLenient = false;
  #beat: Timer | null = null;
  #probes = new AbortController();
  #isRunning = false;

  constructor(parts: RuntimeParts) {
    const { config, group, scheduler, logger } = parts;
    this.#parts = parts;
    this.#group = group;
    this.#digest = groupDigest(parts.config.cluster, group);
    this.#traffic = new GroupTraffic(group, { scheduler, logger, run, state: config.controller.state });
    this.#notify = new GroupNotify({ records: parts.records, scheduler, logger, run, group: () => this.#group });
    this.controller = new GroupController(groupSettings(group), parts.record, {
      records: parts.records,
      scheduler,
      logger,
      assign: (node, assignment) => this.#links.get(node)?.send({ type: 'assign', assignment }),
      recorded: (record) => this.#notify.recorded(record),
      moveTraffic: (desired) => this.#traffic.apply(desired),
      fence: (order, signal) => this.#fence(order, signal),
    });
    this.#links = new Map(group.nodes.map(({ id }) => [id, this.#makeLink(id)]));
  }

  /** Works until `signal` aborts; the traffic stays as it is. */
  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, random, logger } = this.#parts;
    this.#isRunning = true;
    this.#notify.recorded(this.controller.record);
    this.#startBeat();
    this.#startProbes();
    const count = scheduler.every(COUNT_MS, () => {
      if (this.controller.record.drained.length > 0 || this.connections.size > 0) void this.#countConnections();
    });
    const repair = scheduler.every(REPAIR_MS, () => this.controller.repairTraffic(), random() * REPAIR_MS);
    logger.info('watching the group', { nodes: this.#group.nodes.map(({ id }) => id) });
    await Promise.all([...this.#links.values()].map((link) => link.run(signal)));
    this.#isRunning = false;
    this.#probes.abort();
    this.#beat?.cancel();
    count.cancel();
    repair.cancel();
    await this.#notify.settled();
    await this.#traffic.close();
  }

  get group(): GroupConfig {
    return this.#group;
  }

  get digest(): string {
    return this.#digest;
  }

  get drivers(): readonly TrafficDriver[] {
    return this.#traffic.drivers;
  }

  /**
   * Works by another configuration of the group, whose nodes are the same. Until every agent that is there says that it
   * has read the same file, the longer of former and new times hold: nobody is given up for keeping to the former ones.
   * Resolves when the traffic drivers have been exchanged. `digest`: of the group in the file.
   */
  async reconfigure(group: GroupConfig, digest: string): Promise<void> {
    const former = this.#group;
    this.#group = group;
    this.#digest = digest;
    this.#isLenient = true;
    this.controller.reconfigure(lenientSettings(this.controller.settings, groupSettings(group)));
    this.#startBeat();
    const target = (each: GroupConfig): unknown => [
      each.app.probe,
      each.nodes.map((node) => [node.address, node.appPort]),
    ];
    if (!isSame(target(former), target(group))) this.#startProbes();
    if (await this.#traffic.reconfigure(group)) this.controller.driversChanged();
    this.#settle();
  }

  /** Gives the traffic up for good: the group is no longer this controller's. Call before `run` ends. */
  giveTrafficUp(): Promise<void> {
    return this.#traffic.giveUp();
  }

  /** Has the agent of a node read its configuration again; null if there is none, or no answer in time. */
  askReload(node: string, dryRun: boolean): Promise<ReloadAnswer | null> {
    if (!this.isLinked(node)) return Promise.resolve(null);
    const id = ++this.#asked;
    return new Promise((resolve) => {
      const finish = (answer: ReloadAnswer | null): void => {
        timer.cancel();
        this.#questions.delete(id);
        resolve(answer);
      };
      const timer = this.#parts.scheduler.after(RELOAD_TIMEOUT_MS, () => finish(null));
      this.#questions.set(id, finish);
      this.#links.get(node)?.send({ type: 'reload', id, dryRun });
    });
  }

  /** Whether the agent of a node is there. */
  isLinked(node: string): boolean {
    return this.controller.view().nodes.some(({ id, linked }) => id === node && linked);
  }

  /** Whether an agent that is there works by another file than this controller. */
  differs(node: string): boolean {
    const { linked, report } = this.controller.view().nodes.find(({ id }) => id === node) ?? {};
    const digest = report?.configDigest ?? '';
    return linked === true && digest !== '' && digest !== this.#digest;
  }

  #settle(): void {
    if (!this.#isLenient || this.#group.nodes.some(({ id }) => this.differs(id))) return;
    this.#isLenient = false;
    this.controller.reconfigure(groupSettings(this.#group));
  }

  #startBeat(): void {
    this.#beat?.cancel();
    if (!this.#isRunning) return;
    const { heartbeatMs } = this.#group.failover;
    this.#beat = this.#parts.scheduler.every(heartbeatMs, () => this.controller.step());
  }

  /** Each node is judged anew. */
  #startProbes(): void {
    this.#probes.abort();
    if (!this.#isRunning) return;
    this.#probes = new AbortController();
    for (const { id } of this.#group.nodes) this.controller.onProbe(id, { verdict: 'unknown', detail: 'no probe yet' });
    const probes = new GroupProbes(this.#group, this.#parts, (node, probe) => this.controller.onProbe(node, probe));
    void probes.run(this.#probes.signal);
  }

  /** Only where somebody waits for the number: counting costs a program a driver. */
  async #countConnections(): Promise<void> {
    const { drained } = this.controller.record;
    for (const node of this.connections.keys()) if (!drained.includes(node)) this.connections.delete(node);
    for (const node of drained) {
      const count = await this.#countOf(node);
      if (count === null) this.connections.delete(node);
      else this.connections.set(node, count);
    }
  }

  /**
   * Where every connection passes this machine it is counted here; else on the node, which sees them all but cannot tell
   * clients from others who connect to the app. Null if nobody can.
   */
  async #countOf(node: string): Promise<number | null> {
    const counts = await Promise.all(this.drivers.map((driver) => driver.connections(node).catch(() => null)));
    const known = counts.filter((each) => each !== null);
    const passHere = counts.length > 0 && this.#group.traffic.every(({ type }) => type !== 'vip');
    if (passHere && known.length === counts.length) return known.reduce((sum, each) => sum + each, 0);
    const view = this.controller.view().nodes.find(({ id }) => id === node);
    return view?.linked ? (view.report?.connections ?? null) : null;
  }

  #makeLink(node: string): AgentLink {
    const { config, security, scheduler, random, instance, logger } = this.#parts;
    const group = (): GroupConfig => this.#group;
    const expected = { role: 'node', cluster: config.cluster, name: node } as const;
    return new AgentLink({
      cluster: config.cluster,
      group: this.#group.name,
      node,
      instance,
      dial: (signal) => {
        const { nodes, failover } = group();
        const { address = '', control = 0 } = nodes.find(({ id }) => id === node) ?? {};
        const timeoutMs = Math.max(1000, failover.detectMs);
        return dialLink({
          endpoint: { host: address, port: control },
          security,
          expected,
          timeoutMs,
          signal,
          scheduler,
        });
      },
      get silenceLimitMs() {
        return 2 * group().failover.detectMs;
      },
      scheduler,
      random,
      logger: logger.child({ node }),
      onLinked: () => this.controller.onLinked(node),
      onMessage: (message) => this.#onMessage(node, message),
      onUnlinked: () => this.controller.onUnlinked(node),
    });
  }

  #onMessage(node: string, message: LinkMessage): void {
    if (message.type === 'beat') {
      const grant = this.controller.onBeat(node, message);
      // Whoever asked for nothing is told nothing: half of all messages, where there are many groups.
      if (message.wantsLease) this.#links.get(node)?.send(grant);
    } else if (message.type === 'reloaded') this.#questions.get(message.id)?.(message);
    else if (message.type === 'report' && message.report.node === node) {
      this.controller.onReport(node, message.report);
      this.#notify.reported(node, message.report.hooks);
      this.#settle();
    }
  }

  async #fence(order: FenceOrder, signal: AbortSignal): Promise<FenceOutcome> {
    const node = this.#group.nodes.find(({ id }) => id === order.node);
    if (node === undefined) return { state: 'failed', detail: `there is no node ${order.node}` };
    return fenceByCommands(this.#group, node, order, { run, logger: this.#parts.logger, signal });
  }
}
