import type { Config, GroupConfig, NodeConfig } from '../../config/config.ts';
import { clusterDifferences } from '../../config/differences.ts';
import { groupDigest } from '../../config/digest.ts';
import { loadConfigAside } from '../../config/load-aside.ts';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { Logger } from '../../kit/logger.ts';
import { RELOAD_LINES_LIMIT, RELOAD_TEXT_LIMIT } from '../../protocol/link/schemas.ts';
import { planForAgent, type GroupPlan } from '../reload/effects.ts';
import { groupNamed } from '../settings.ts';
import type { ReloadOutcome } from './control-server.ts';

interface AgentConfigParts {
  readonly path: string;
  readonly config: Config;
  readonly group: GroupConfig;
  readonly node: string;
  readonly logger: Logger;
}

/** The configuration that an agent works by: what was read at its start, and what reloads have made of it. */
export class AgentConfig {
  readonly #parts: AgentConfigParts;
  #group: GroupConfig;
  #digest: string;
  /** Settles when no earlier reload is under way. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: AgentConfigParts) {
    this.#parts = parts;
    this.#group = parts.group;
    this.#digest = groupDigest(parts.config.cluster, parts.group);
  }

  /** What is in force. */
  get group(): GroupConfig {
    return this.#group;
  }

  get own(): NodeConfig {
    return nodeOf(this.#group, this.#parts.node);
  }

  get peer(): NodeConfig {
    const peer = this.#group.nodes.find(({ id }) => id !== this.#parts.node);
    if (peer === undefined) throw new HsctlError('config', `group ${this.#group.name} has no second node`);
    return peer;
  }

  /** Digest of the group in the file that was read last; what takes a restart may not be in force. */
  get digest(): string {
    return this.#digest;
  }

  /**
   * Reads the file again and, unless it is a dry run, takes over what can be changed while the agent runs; `apply` is told
   * of it. A file with errors changes nothing. Never rejects: what is wrong is in the answer.
   */
  reload(dryRun: boolean, apply: (before: GroupConfig) => void): Promise<ReloadOutcome> {
    const outcome = this.#last.then(() => this.#reload(dryRun, apply));
    this.#last = outcome;
    return outcome;
  }

  async #reload(dryRun: boolean, apply: (before: GroupConfig) => void): Promise<ReloadOutcome> {
    const { path, config, node, logger } = this.#parts;
    try {
      const { config: next } = await loadConfigAside(path);
      const group = groupNamed(next.groups, this.#group.name);
      nodeOf(group, node);
      const digest = groupDigest(next.cluster, group);
      const plan = withCluster(config, next, planForAgent(this.#group, group, node));
      if (!dryRun) {
        const before = this.#group;
        this.#group = plan.inForce;
        this.#digest = digest;
        for (const change of plan.changes) logger.info(`reload: ${change}`);
        for (const restart of plan.restarts) logger.warn(`reload: only after a restart of this agent: ${restart}`);
        apply(before);
      }
      return { error: '', digest, changes: bounded(plan.changes), restarts: bounded(plan.restarts) };
    } catch (error) {
      const hint = error instanceof HsctlError && error.hint !== '' ? ` (${error.hint})` : '';
      const text = `${messageOf(error)}${hint}`;
      logger.error(`the configuration was not reloaded: ${text}`);
      return { error: text.slice(0, RELOAD_TEXT_LIMIT), digest: '', changes: [], restarts: [] };
    }
  }
}

function nodeOf(group: GroupConfig, id: string): NodeConfig {
  const node = group.nodes.find((each) => each.id === id);
  if (node !== undefined) return node;
  const nodes = group.nodes.map((each) => each.id).join(', ');
  throw new HsctlError('config', `group ${group.name} has no node ${id} any more`, `it has: ${nodes}; stop this agent`);
}

/** What concerns all groups is never changed while a daemon runs; the controller's own part is none of the agent's. */
function withCluster(before: Config, after: Config, plan: GroupPlan): GroupPlan {
  const differences = clusterDifferences(before, after).filter(({ path }) => path[0] !== 'controller');
  const restarts = differences.map(({ key, before: one, after: other }) => `${key}: ${one} becomes ${other}`);
  return { ...plan, restarts: [...plan.restarts, ...restarts] };
}

function bounded(lines: readonly string[]): string[] {
  const shown = lines.slice(0, RELOAD_LINES_LIMIT - 1).map((line) => line.slice(0, RELOAD_TEXT_LIMIT));
  return lines.length > shown.length ? [...shown, `and ${lines.length - shown.length} more`] : shown;
}
