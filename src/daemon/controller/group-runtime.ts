import type { Config, GroupConfig } from '../../config/config.ts';
import { GroupController } from '../../controller/group-controller.ts';
import type { DesiredTraffic, Records, TrafficDriver } from '../../controller/ports.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { run } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import type { GroupRecord } from '../../model/group-record.ts';
import type { LinkMessage } from '../../protocol/link/messages.ts';
import { makeDriver, type DirectorTraffic } from '../../traffic/make-driver.ts';
import { dialLink } from '../../transport/dial.ts';
import type { LinkSecurity } from '../../transport/security.ts';
import { groupSettings } from '../settings.ts';
import { AgentLink } from './agent-link.ts';
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

const COUNT_MS = 1_000;

export class GroupRuntime {
  readonly group: GroupConfig;
  readonly controller: GroupController;
  readonly drivers: readonly TrafficDriver[];
  /** Connections of clients to the drained nodes, as the drivers last counted them. */
  readonly connections = new Map<string, number>();
  readonly #parts: RuntimeParts;
  readonly #links: ReadonlyMap<string, AgentLink>;

  constructor(parts: RuntimeParts) {
    const { group, scheduler, logger } = parts;
    this.#parts = parts;
    this.group = group;
    const director = group.traffic.filter((traffic): traffic is DirectorTraffic => traffic.type !== 'vip');
    this.drivers = director.map((traffic) => makeDriver(traffic, group, { scheduler, logger, run }));
    this.controller = new GroupController(groupSettings(group), parts.record, {
      records: parts.records,
      scheduler,
      logger,
      assign: (node, assignment) => this.#links.get(node)?.send({ type: 'assign', assignment }),
      moveTraffic: (desired) => this.#moveTraffic(desired),
    });
    this.#links = new Map(group.nodes.map(({ id }) => [id, this.#makeLink(id)]));
  }

  /** Works until `signal` aborts; the traffic stays as it is. */
  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, logger } = this.#parts;
    const beat = scheduler.every(this.group.failover.heartbeatMs, () => this.controller.step());
    const count = scheduler.every(COUNT_MS, () => void this.#countConnections());
    const probes = new GroupProbes(this.group, this.#parts, (node, probe) => this.controller.onProbe(node, probe));
    logger.info('watching the group', { nodes: this.group.nodes.map(({ id }) => id) });
    await Promise.all([...[...this.#links.values()].map((link) => link.run(signal)), probes.run(signal)]);
    beat.cancel();
    count.cancel();
    await Promise.all(this.drivers.map((driver) => driver.close()));
  }

  /** Only where somebody waits for the number: counting costs a program a driver. */
  async #countConnections(): Promise<void> {
    const { drained } = this.controller.record;
    for (const node of this.connections.keys()) if (!drained.includes(node)) this.connections.delete(node);
    for (const node of drained) {
      const counts = await Promise.all(this.drivers.map((driver) => driver.connections(node).catch(() => null)));
      const known = counts.filter((each) => each !== null);
      if (known.length > 0)
        this.connections.set(
          node,
          known.reduce((sum, each) => sum + each, 0),
        );
    }
  }

  #makeLink(node: string): AgentLink {
    const { config, security, scheduler, random, instance, logger } = this.#parts;
    const { failover } = this.group;
    const settings = this.group.nodes.find(({ id }) => id === node);
    const endpoint = { host: settings?.address ?? '', port: settings?.control ?? 0 };
    const expected = { role: 'node', cluster: config.cluster, name: node } as const;
    const timeoutMs = Math.max(1000, failover.detectMs);
    return new AgentLink({
      cluster: config.cluster,
      group: this.group.name,
      node,
      instance,
      dial: (signal) => dialLink({ endpoint, security, expected, timeoutMs, signal, scheduler }),
      silenceLimitMs: 2 * failover.detectMs,
      scheduler,
      random,
      logger: logger.child({ node }),
      onLinked: () => this.controller.onLinked(node),
      onMessage: (message) => this.#onMessage(node, message),
      onUnlinked: () => this.controller.onUnlinked(node),
    });
  }

  #onMessage(node: string, message: LinkMessage): void {
    if (message.type === 'beat') this.#links.get(node)?.send(this.controller.onBeat(node, message));
    else if (message.type === 'report' && message.report.node === node) this.controller.onReport(node, message.report);
  }

  async #moveTraffic(desired: DesiredTraffic): Promise<void> {
    await Promise.all(this.drivers.map((driver) => driver.apply(desired)));
  }
}
