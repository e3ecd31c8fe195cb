import type { ReloadRequest } from '../../api/controller-service.ts';
import type { Config, GroupConfig } from '../../config/config.ts';
import { clusterDifferences } from '../../config/differences.ts';
import { groupDigest } from '../../config/digest.ts';
import { loadConfigAside } from '../../config/load-aside.ts';
import { hasRenounced, isLive, masterOf } from '../../controller/view.ts';
import type { Scheduler } from '../../kit/clock.ts';
import { HsctlError } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Reload } from '../../model/answers.ts';
import { API_VERSION } from '../../model/status.ts';
import { planForController } from '../reload/effects.ts';
import { groupSettings } from '../settings.ts';
import { askAgents, type AgentAnswers } from './ask-agents.ts';
import type { GroupRuntime } from './group-runtime.ts';
import type { RunningGroups } from './running-groups.ts';
import type { WatchedRecords } from './watched-records.ts';

interface ReloaderParts {
  readonly path: string;
  /** As it was when the controller started; what concerns all groups is never changed while it runs. */
  readonly config: Config;
  readonly groups: RunningGroups;
  readonly records: WatchedRecords;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** A group that is new, ready to be run. */
  makeRuntime(group: GroupConfig): GroupRuntime;
}

interface Change {
  readonly runtime: GroupRuntime;
  readonly group: GroupConfig;
  readonly digest: string;
}

/** Everything that one file changes, and why it may not. */
interface Plan {
  readonly lines: readonly string[];
  readonly restarts: readonly string[];
  readonly refusals: readonly string[];
  readonly changed: readonly Change[];
  readonly added: readonly GroupConfig[];
  readonly removed: readonly GroupRuntime[];
}

/**
 * Applies a changed file to a running controller and its agents. Groups that did not change are not touched. Safety does not
 * rest on any order: what may be served and for how long is in every grant and assignment, and is waited for as granted.
 * The order here spares the pairs a false alarm: first this controller becomes patient, then the agents change, and only
 * when all of them have is it as impatient as the file says.
 */
export class Reloader {
  readonly #parts: ReloaderParts;
  #isBusy = false;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /**
   * @throws HsctlError('config') with every error of the file; ('refused') with what stands against it. In both cases nothing
   * has changed.
   */
  async reload(request: ReloadRequest): Promise<Reload> {
    if (this.#isBusy) throw new HsctlError('refused', 'a reload is under way', 'wait for its end');
    this.#isBusy = true;
    try {
      return await this.#reload(request);
    } finally {
      this.#isBusy = false;
    }
  }

  async #reload(request: ReloadRequest): Promise<Reload> {
    const { config } = await loadConfigAside(this.#parts.path);
    const plan = this.#plan(config, request.force);
    const concerned = this.#concerned(plan);
    const tried = await askAgents(concerned, true);
    const refusals = [...plan.refusals, ...tried.errors];
    const answer: Pick<Reload, 'apiVersion' | 'restarts'> = {
      apiVersion: API_VERSION,
      restarts: [...plan.restarts, ...tried.restarts],
    };
    const preview = [...plan.lines, ...newIn(tried, plan.lines)];
    if (request.dryRun) return { ...answer, applied: false, changes: preview, notes: [...tried.notes], refusals };
    if (refusals.length > 0)
      throw new HsctlError(
        'refused',
        refusals.join('\n'),
        'nothing was changed; "hsctl config reload --dry-run" shows all',
      );
    await this.#apply(plan, request.operator);
    const done = await askAgents(concerned, false);
    const changes = [...plan.lines, ...newIn(done, plan.lines)];
    return { ...answer, applied: changes.length > 0, changes, notes: [...done.notes, ...done.errors], refusals: [] };
  }

  #plan(config: Config, force: boolean): Plan {
    const { groups } = this.#parts;
    const lines: string[] = [];
    const restarts = clusterRestarts(this.#parts.config, config);
    const refusals: string[] = [];
    const changed: Change[] = [];
    const added: GroupConfig[] = [];
    for (const group of config.groups) {
      const runtime = groups.get(group.name);
      const digest = groupDigest(config.cluster, group);
      if (runtime === undefined) {
        added.push(group);
        lines.push(`${group.name}: a new group: the controller watches it and leads its traffic`);
      } else if (runtime.digest !== digest) {
        const { changes, restarts: later, inForce } = planForController(runtime.group, group);
        lines.push(...changes);
        restarts.push(...later);
        changed.push({ runtime, group: inForce, digest });
      }
    }
    const removed = groups.runtimes.filter(({ group }) => config.groups.every(({ name }) => name !== group.name));
    for (const runtime of removed) {
      const { name } = runtime.group;
      lines.push(`${name}: is not in the file any more: its traffic is given up, and nobody fails it over`);
      const serving = servingNode(runtime);
      if (serving !== null && !force)
        refusals.push(`${name}: ${serving} serves it: stop its agents first, or take it out all the same with --force`);
    }
    return { lines, restarts, refusals, changed, added, removed };
  }

  /** Groups that change, and agents that work by another file than the controller. */
  #concerned({ changed, removed }: Plan): readonly { readonly runtime: GroupRuntime; readonly digest: string }[] {
    const unchanged = this.#parts.groups.runtimes.filter(
      (runtime) => !removed.includes(runtime) && changed.every((change) => change.runtime !== runtime),
    );
    const behind = unchanged.filter((runtime) => runtime.group.nodes.some(({ id }) => runtime.differs(id)));
    return [...changed, ...behind.map((runtime) => ({ runtime, digest: runtime.digest }))];
  }

  async #apply({ changed, added, removed, lines }: Plan, operator: string): Promise<void> {
    const { groups, records, logger } = this.#parts;
    // Before the first grant: whoever restarts after this has to wait for the longest one.
    const grants = [...changed.map(({ group }) => group), ...added].map((group) => groupSettings(group).grantMs);
    const longestMs = records.longestGrantMs();
    if (grants.some((grantMs) => grantMs > longestMs)) records.saveLongestGrantMs(Math.max(...grants));
    this.#tell(lines, operator);
    for (const line of lines) logger.info(`reload: ${line}`);
    await Promise.all(removed.map(({ group }) => groups.remove(group.name)));
    await Promise.all(changed.map(({ runtime, group, digest }) => runtime.reconfigure(group, digest)));
    for (const group of added) groups.add(this.#parts.makeRuntime(group));
  }

  #tell(lines: readonly string[], operator: string): void {
    const { records, scheduler, groups } = this.#parts;
    const events = lines.map((line) => {
      const [group = '', ...words] = line.split(': ');
      const epoch = groups.get(group)?.controller.record.epoch ?? 0;
      const message = `${operator}: reload: ${words.join(': ')}`;
      const kind = 'operator' as const;
      return { group, wallMs: scheduler.wallMs(), kind, rule: 'reload', epoch, node: null, message, phasesMs: null };
    });
    if (events.length > 0) records.append(events);
  }
}

/** Node that serves as far as anybody knows; null if none does. */
function servingNode({ controller }: GroupRuntime): string | null {
  const view = controller.view();
  const master = masterOf(view);
  if (master === null || hasRenounced(view, master)) return null;
  return isLive(view, master) || view.record.masterNeedsNoLease || master.grantRunsMs > 0 ? master.id : null;
}

/** What the agents will do beyond what is said of the group already: they had another file than the controller. */
function newIn({ changes }: AgentAnswers, lines: readonly string[]): string[] {
  return changes.filter(({ group, text }) => !lines.includes(`${group}: ${text}`)).map(({ line }) => line);
}

/** What concerns all groups takes a restart. */
function clusterRestarts(before: Config, after: Config): string[] {
  return clusterDifferences(before, after).map(({ path, key, before: one, after: other }) => {
    const who = path[0] === 'controller' ? 'the controller is restarted' : 'every daemon is stopped and started again';
    return `${key}: ${one} becomes ${other} when ${who}`;
  });
}
