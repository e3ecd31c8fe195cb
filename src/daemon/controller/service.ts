import type {
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
import { groupDigest } from '../../config/digest.ts';
import type { Config } from '../../config/config.ts';
import { loadConfig } from '../../config/load.ts';
import { planPromotion, type PromotePlan } from '../../controller/preflight.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import { formatDuration } from '../../kit/units.ts';
import { VERSION } from '../../kit/version.ts';
import type { Action, Explanation, Promotion, PromotionPlan, Reload } from '../../model/answers.ts';
import { assessCluster } from '../../model/assessment.ts';
import type { GroupEvent } from '../../model/event.ts';
import { API_VERSION, type ClusterStatus } from '../../model/status.ts';
import type { GroupRuntime } from './group-runtime.ts';
import { groupStatus } from './group-status.ts';
import type { WatchedRecords } from './watched-records.ts';

/** The controller as its API sees it. */
export class RunningController implements ControllerService {
  readonly #config: Config;
  readonly #configPath: string;
  readonly #records: Records & Pick<WatchedRecords, 'onEvent'>;
  readonly #groups: ReadonlyMap<string, GroupRuntime>;
  readonly #scheduler: Scheduler;
  readonly #startedAtWallMs: number;
  readonly #startedAtMs: number;

  constructor(parts: {
    readonly config: Config;
    readonly configPath: string;
    readonly records: WatchedRecords;
    readonly groups: ReadonlyMap<string, GroupRuntime>;
    readonly scheduler: Scheduler;
  }) {
    this.#config = parts.config;
    this.#configPath = parts.configPath;
    this.#records = parts.records;
    this.#groups = parts.groups;
    this.#scheduler = parts.scheduler;
    this.#startedAtWallMs = parts.scheduler.wallMs();
    this.#startedAtMs = parts.scheduler.monotonicMs();
  }

  status(group?: string): ClusterStatus {
    const wallMs = this.#scheduler.wallMs();
    const runtimes = group === undefined ? [...this.#groups.values()] : [this.#group(group)];
    const groups = runtimes.map(({ controller, drivers, connections }) => {
      const [lastEvent = null] = this.#records.events({ group: controller.record.group, limit: 1 });
      return groupStatus({ controller, drivers, connections, lastEvent, wallMs });
    });
    const tilt = runtimes.map(({ controller }) => controller.tilt).find((why) => why !== null) ?? null;
    return {
      apiVersion: API_VERSION,
      cluster: this.#config.cluster,
      source: 'controller',
      ...assessCluster(groups, 'controller', tilt),
      wallMs,
      controller: {
        version: VERSION,
        startedAtWallMs: this.#startedAtWallMs,
        uptimeMs: this.#scheduler.monotonicMs() - this.#startedAtMs,
        tilt,
      },
      groups,
    };
  }

  explain(group: string): Explanation {
    const explained = this.#group(group).controller.explain();
    const first = explained.find((rule) => rule.holds);
    return {
      apiVersion: API_VERSION,
      group,
      wouldDo: first?.id ?? null,
      rules: explained.map(({ id, title, why, protects, holds, guards }) => ({
        id,
        why: `${title}: ${why}`,
        protects: [...protects],
        holds,
        guards: [...guards],
      })),
    };
  }

  async promote(request: PromoteRequest): Promise<Promotion> {
    const { controller } = this.#group(request.group);
    if (request.node !== null) this.#checkNode(request.group, request.node);
    const wish = { to: request.node, force: request.force, allowDataLoss: request.allowDataLoss };
    const plan = controller.promote(wish, request.operator, request.dryRun);
    const answer = { apiVersion: API_VERSION, plan: planAnswer(request.group, plan) } as const;
    if (request.dryRun) return { ...answer, started: false };
    if (plan.refusals.length > 0)
      throw new HsctlError('refused', plan.refusals.join('; '), 'hsctl explain shows every guard; --dry-run the plan');
    return { ...answer, started: true };
  }

  async drain(request: DrainRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    this.#checkNode(request.group, request.node);
    const { record } = controller;
    const isMaster = record.master === request.node;
    if (isMaster) {
      const { refusals } = planPromotion(controller.view(), { to: null, force: false, allowDataLoss: false });
      if (refusals.length > 0)
        throw new HsctlError(
          'refused',
          `${request.node} is master and nobody can take over: ${refusals.join('; ')}`,
          'bring the other node back first',
        );
    }
    const drained = [...new Set([...record.drained, request.node])];
    controller.change({ drained }, request.operator, `drain ${request.node}`);
    if (isMaster) controller.promote({ to: null, force: false, allowDataLoss: false }, request.operator, false);
    const { timeoutMs, node } = request;
    if (timeoutMs !== null) this.#scheduler.after(timeoutMs, () => controller.cutOff(node));
    return done(isMaster ? `${request.node} is being drained: its peer takes over` : `${request.node} is drained`);
  }

  async undrain(request: NodeRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    this.#checkNode(request.group, request.node);
    const drained = controller.record.drained.filter((node) => node !== request.node);
    controller.change({ drained }, request.operator, `undrain ${request.node}`);
    return done(`${request.node} may be promoted again`);
  }

  async pause(request: PauseRequest): Promise<Action> {
    const { controller } = this.#group(request.group);
    const pausedUntilWallMs = this.#scheduler.wallMs() + request.forMs;
    controller.change({ pausedUntilWallMs }, request.operator, `pause for ${formatDuration(request.forMs)}`);
    return done(`no failover of ${request.group} for ${formatDuration(request.forMs)}`);
  }

  async resume(request: GroupRequest): Promise<Action> {
    this.#group(request.group).controller.change({ pausedUntilWallMs: null }, request.operator, 'resume');
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
    return Object.fromEntries(
      this.#config.groups.map((group) => [group.name, groupDigest(this.#config.cluster, group)]),
    );
  }

  async reload(request: ReloadRequest): Promise<Reload> {
    const { config } = loadConfig(this.#configPath);
    const running = this.configDigests();
    const restarts = config.groups
      .filter((group) => running[group.name] !== groupDigest(config.cluster, group))
      .map(
        (group) =>
          `group ${group.name} ${running[group.name] === undefined ? 'is new' : 'differs'}: restart the controller`,
      );
    const gone = Object.keys(running).filter((name) => !config.groups.some((group) => group.name === name));
    restarts.push(...gone.map((name) => `group ${name} is gone: restart the controller`));
    if (!request.dryRun && restarts.length > 0) {
      throw new HsctlError(
        'refused',
        `this version applies changes at a restart only: ${restarts.join('; ')}`,
        'systemctl restart hsctl-controller: leases and traffic go on meanwhile',
      );
    }
    return { apiVersion: API_VERSION, applied: false, changes: [], restarts };
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
      `this controller has: ${[...this.#groups.keys()].join(', ')}`,
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
