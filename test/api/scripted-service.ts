import type { AuditEntry, ControllerService, EventQuery } from '../../src/api/controller-service.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import type { Action, Explanation, Promotion, Reload } from '../../src/model/answers.ts';
import type { GroupEvent } from '../../src/model/event.ts';
import { API_VERSION, type ClusterStatus } from '../../src/model/status.ts';
import { clusterOf, groupOf, lastEvent } from '../model/statuses.ts';

/** A controller that answers what a test tells it to, and notes what it was asked. */
export class ScriptedService implements ControllerService {
  /** Actions in the order in which they came, with everything that was asked. */
  readonly calls: { readonly action: string; readonly request: object }[] = [];
  cluster: ClusterStatus = clusterOf([groupOf()]);
  /** Thrown by the next actions, if set. */
  failure: Error | null = null;
  /** What runs when an action comes, to change what `status` says then. */
  onAction: (action: string) => void = () => {};
  refusals: string[] = [];
  readonly audits: AuditEntry[] = [];
  readonly log: GroupEvent[] = [];
  readonly #listeners = new Set<() => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Adds an event and tells whoever listens. */
  emit(message: string, change: Partial<GroupEvent> = {}): void {
    this.log.push({ ...lastEvent, id: this.log.length + 1, message, phasesMs: null, ...change });
    for (const listener of this.#listeners) listener();
  }

  status(group?: string): ClusterStatus {
    if (this.failure !== null) throw this.failure;
    const groups = this.cluster.groups.filter((each) => group === undefined || each.group === group);
    if (groups.length === 0 && group !== undefined) {
      throw new HsctlError('usage', `there is no group ${group}`, 'the groups are: world');
    }
    return clusterOf(groups, { controller: this.cluster.controller });
  }

  explain(group: string): Explanation {
    return {
      apiVersion: API_VERSION,
      group,
      wouldDo: null,
      rules: [
        {
          id: 'R30',
          why: 'the master gave its lease back: promote the slave',
          protects: ['I1', 'I2'],
          holds: false,
          reached: true,
          guards: [
            { name: 'the master released its lease', holds: false, found: 'a holds a lease for 812 ms more' },
            { name: 'the slave is in sync', holds: true, found: 'recorded in-sync set: a, b' },
          ],
        },
      ],
    } satisfies Explanation;
  }

  promote = (request: object) =>
    this.#act<Promotion>('promote', request, () => ({
      apiVersion: API_VERSION,
      started: !('dryRun' in request && request.dryRun === true),
      plan: {
        group: 'world',
        from: 'a',
        to: 'b',
        refusals: this.refusals,
        steps: [
          { name: 'quiesce', description: 'a stops new work' },
          { name: 'promote', description: 'b takes epoch 8' },
        ],
        seqsAtStake: null,
      },
    }));

  drain = (request: object) => this.#act('drain', request, () => this.#done('b takes no new work'));
  undrain = (request: object) => this.#act('undrain', request, () => this.#done('b takes work again'));
  fenced = (request: object) => this.#act('fenced', request, () => this.#done('a counts as off'));
  pause = (request: object) => this.#act('pause', request, () => this.#done('no failover of world until noon'));
  resume = (request: object) => this.#act('resume', request, () => this.#done('world fails over again'));
  reload = (request: object) =>
    this.#act<Reload>('reload', request, () => ({
      apiVersion: API_VERSION,
      applied: true,
      notes: [],
      refusals: [],
      changes: ['group world: failover.lease 1s -> 2s'],
      restarts: [],
    }));

  events(query: EventQuery): readonly GroupEvent[] {
    const { group, afterId, limit } = query;
    const found = this.log.filter(
      (event) => (group === undefined || event.group === group) && event.id > (afterId ?? 0),
    );
    return afterId === undefined ? found.slice(-limit) : found.slice(0, limit);
  }

  onEvent(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  configDigests(): Record<string, string> {
    return { world: 'd1' };
  }

  audit(entry: AuditEntry): void {
    this.audits.push(entry);
  }

  metrics(): string {
    return 'hsctl_groups 1\n';
  }

  #done(message: string): Action {
    return { apiVersion: API_VERSION, message };
  }

  async #act<Answer>(action: string, request: object, answer: () => Answer): Promise<Answer> {
    if (this.failure !== null) throw this.failure;
    this.calls.push({ action, request });
    this.onAction(action);
    return answer();
  }
}
