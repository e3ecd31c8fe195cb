import type {
  AuditEntry,
  ControllerService,
  DrainRequest,
  EventQuery,
  GroupRequest,
  NodeRequest,
  PauseRequest,
  PromoteRequest,
  ReloadRequest,
} from '../../api/controller-service.ts';
import type { Records } from '../../controller/ports.ts';
import type { Config } from '../../config/config.ts';
import type { PromotePlan } from '../../controller/preflight.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { formatDuration } from '../../kit/units.ts';
import { VERSION } from '../../kit/version.ts';
import type { Action, Explanation, Promotion, PromotionPlan, Reload } from '../../model/answers.ts';
import { assessCluster } from '../../model/assessment.ts';
import type { GroupEvent } from '../../model/event.ts';
import { API_VERSION, type ClusterStatus } from '../../model/status.ts';
import { AuditTrail } from './audit-trail.ts';
import type { GroupRuntime } from './group-runtime.ts';
import { groupStatus } from './group-status.ts';
import type { Reloader } from './reloader.ts';
import type { RunningGroups } from './running-groups.ts';
import type { WatchedRecords } from './watched-records.ts';

/** The controller as its API sees it. */
export class RunningController implements ControllerService {
  readonly #config: Config;
  readonly #reloader: Reloader;
  readonly #records: Records & Pick<WatchedRecords, 'onEvent' | 'lastEvent'>;
  readonly #groups: RunningGroups;
  readonly #scheduler: Scheduler;
  readonly #audits: AuditTrail;
  readonly #certificateEndsWallMs: () => number | null;
  readonly #recordsFault: () => string | null;
  readonly #startedAtWallMs: number;
  readonly #startedAtMs: number;

  constructor(parts: {
    readonly config: Config;
    readonly reloader: Reloader;
    readonly records: WatchedRecords;
    readonly groups: RunningGroups;
    readonly scheduler: Scheduler;
    readonly logger: Logger;
    /** End of the controller's certificate; null without one. */
    certificateEndsWallMs(): number | null;
    /** What keeps decisions from being saved; null if nothing does. */
    recordsFault(): string | null;
  }) {
    this.#config = parts.config;
    this.#reloader = parts.reloader;
    this.#records = parts.records;
    this.#groups = parts.groups;
    this.#scheduler = parts.scheduler;
    this.#certificateEndsWallMs = () => parts.certificateEndsWallMs();
    this.#recordsFault = () => parts.recordsFault();
    this.#audits = new AuditTrail(parts.records, parts.scheduler, parts.logger);
    this.#startedAtWallMs = parts.scheduler.wallMs();
    this.#startedAtMs = parts.scheduler.monotonicMs();
  }

  status(group?: string): ClusterStatus {
    const wallMs = this.#scheduler.wallMs();
    const runtimes = group === undefined ? this.#groups.runtimes : [this.#group(group)];
    const groups = runtimes.map((runtime) => {
      const { controller, drivers, connections } = runtime;
      const differs = (node: string): boolean => runtime.differs(node);
      const lastEvent = this.#records.lastEvent(controller.record.group);
      return groupStatus({ controller, drivers, connections, differs, lastEvent, wallMs });
    });
    const tilt = runtimes.map(({ controller }) => controller.tilt).find((why) => why !== null) ?? null;
    const certificateEndsWallMs = this.#certificateEndsWallMs();
    const recordsFault = this.#recordsFault();
    return {
      apiVersion: API_VERSION,
      cluster: this.#config.cluster,
      source: 'controller',
      ...assessCluster(groups, 'controller', { tilt, certificateEndsWallMs, recordsFault }, wallMs),
      wallMs,
      controller: {
        version: VERSION,
        startedAtWallMs: this.#startedAtWallMs,
        uptimeMs: this.#scheduler.monotonicMs() - this.#startedAtMs,
        tilt,
        certificateEndsWallMs,
        recordsFault,
      },
      groups,
    };
  }

  explain(group: string): Explanation {
    const explained = this.#group(group).controller.explain();
    const deciding = explained.find((rule) => rule.holds);
    return {
      apiVersion: API_VERSION,
      group,
      wouldDo: deciding?.id ?? null,
      rules: explained.map(({ id, title, why, protects, holds, reached, guards }) => ({
        id,
        why: `${title}: ${why}`,
        protects: [...protects],
        holds,
        reached,
        guards: [...guards],
      })),
    };
  }

  async promote(request: PromoteRequest): Promise<Promotion> {
    const { controller } = this.#group(request.group);
    if (request.node !== null) this.#checkNode(request.group, request.node);
    const wish = { to: request.node, force: request.force, allowDataLoss: request.allowDataLoss };
    const plan = await controller.promote(wish, request.operator, request.dryRun);
    const answer = { apiVersion: API_VERSION, plan: planAnswer(request.group, plan) } as const;
    if (request.dryRun) return { ...answer, started: false };
    if (plan.refusals.length > 0)
      throw new HsctlError('refused', plan.refusals.join('; '), 'hsctl explain shows every guard; --dry-run the plan');
    return { ...answer, started: true };
  }

  async drain(request: DrainRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    const { group, node, timeoutMs, operator } = request;
    this.#checkNode(group, node);
    const isMaster = controller.record.master === node;
    await controller.drain(node, timeoutMs, operator);
    return done(isMaster ? `${node} is being drained: its peer takes over` : `${node} is drained`);
  }

  async undrain(request: NodeRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    this.#checkNode(request.group, request.node);
    await controller.undrain(request.node, request.operator);
    return done(`${request.node} may be promoted again`);
  }

  async fenced(request: NodeRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    this.#checkNode(request.group, request.node);
    await controller.fenced(request.node, request.operator);
    return done(`${request.node} counts as off: it never serves again under a reign that it had`);
  }

  async pause(request: PauseRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    const pausedUntilWallMs = this.#scheduler.wallMs() + request.forMs;
    await controller.change({ pausedUntilWallMs }, request.operator, `pause for ${formatDuration(request.forMs)}`);
    return done(`no failover of ${request.group} for ${formatDuration(request.forMs)}`);
  }

  async resume(request: GroupRequest): Promise<Action> {
    await this.#group(request.group).controller.change({ pausedUntilWallMs: null }, request.operator, 'resume');
    return done(`${request.group} fails over again`);
  }

  events(query: EventQuery): readonly GroupEvent[] {
    if (query.group !== undefined) this.#group(query.group);
    return this.#records.events(query);
  }

  onEvent(listener: () => void): () => void {
    return this.#records.onEvent(listener);
  }

  configDigests(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#groups.runtimes.map(({ group, digest }) => [group.name, digest]));
  }

  reload(request: ReloadRequest): Promise<Reload> {
    return this.#reloader.reload(request);
  }

  audit(entry: AuditEntry): void {
    const group = this.#groups.get(entry.group);
    // A group that does not exist has no events.
    this.#audits.note({ ...entry, group: group === undefined ? '' : entry.group }, group?.controller.record.epoch ?? 0);
  }

  /** Prometheus text. */
  metrics(): string {
    const lines = ['# TYPE hsctl_epoch gauge', '# TYPE hsctl_serving gauge', '# TYPE hsctl_in_sync gauge'];
    for (const status of this.status().groups) {
      const group = `group="${status.group}"`;
      lines.push(`hsctl_epoch{${group}} ${status.epoch}`, `hsctl_serving{${group}} ${Number(status.serving)}`);
      for (const node of status.nodes) lines.push(`hsctl_in_sync{${group},node="${node.id}"} ${Number(node.inSync)}`);
    }
    return `${lines.join('\n')}\n`;
  }

  #group(name: string): GroupRuntime {
    const group = this.#groups.get(name);
    if (group !== undefined) return group;
    throw new HsctlError(
      'usage',
      `there is no group ${name}`,
      `this controller has: ${this.#groups.runtimes.map((runtime) => runtime.group.name).join(', ')}`,
    );
  }

  #checkNode(group: string, node: string): void {
    const nodes = this.#group(group).group.nodes.map(({ id }) => id);
    if (!nodes.includes(node))
      throw new HsctlError('usage', `group ${group} has no node ${node}`, `it has: ${nodes.join(', ')}`);
  }
}

function done(message: string): Action {
  return { apiVersion: API_VERSION, message };
}

function planAnswer(group: string, plan: PromotePlan): PromotionPlan {
  const { from, to, refusals, steps, atStake } = plan;
  return { group, from, to, refusals: [...refusals], steps: [...steps], seqsAtStake: atStake };
}
