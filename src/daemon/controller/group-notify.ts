import type { GroupConfig } from '../../config/config.ts';
import type { Records } from '../../controller/ports.ts';
import type { HookRun } from '../../model/agent-report.ts';
import type { GroupEvent } from '../../model/event.ts';
import type { GroupRecord } from '../../model/group-record.ts';
import { HookRunner, type HookRunnerDeps } from '../hook-runner.ts';

/** State of a group in keepalived's words: somebody serves, a planned change is under way, or nobody serves. */
type GroupState = 'MASTER' | 'BACKUP' | 'FAULT';

const RULE = 'notify';
/** What keepalived's scripts get for the priority, which nobody has here. */
const PRIORITY = '100';
const EVENTS_LOOKED_AT = 100;

interface GroupNotifyDeps extends HookRunnerDeps {
  readonly records: Records;
  /** In force; read anew at each use. */
  group(): GroupConfig;
}

/**
 * What programs are told, and say, about a group: the controller's own `notify`, run at each change of the group's state,
 * and the hooks of the nodes, whose agents report them. Each run becomes an event.
 */
export class GroupNotify {
  readonly #deps: GroupNotifyDeps;
  readonly #runner: HookRunner;
  /** Of each node, the time of the last run that is among the events. */
  readonly #noted = new Map<string, number>();
  /** What the program was told last: the state, with `MASTER` the epoch too. */
  #told: string | null = null;

  constructor(deps: GroupNotifyDeps) {
    this.#deps = deps;
    this.#runner = new HookRunner(deps);
  }

  /** The record as it is now: at the start, and after each change. What was told before a restart is not told again. */
  recorded(record: GroupRecord): void {
    const { notify } = this.#deps.group();
    const state = stateOf(record);
    if (state === null || notify === null) return;
    // A change of master passes through several epochs; what counts is who serves in the end.
    const key = state === 'MASTER' ? `${record.epoch} ${state}` : state;
    this.#told ??= this.#toldBefore();
    if (key === this.#told) return;
    this.#told = key;
    this.#tell(record, state, notify);
  }

  /** Runs of hooks that the agent of a node has reported, oldest first. */
  reported(node: string, runs: readonly HookRun[]): void {
    if (runs.length === 0) return;
    const noted = this.#noted.get(node) ?? this.#notedBefore(node);
    const fresh = runs.filter(({ wallMs }) => wallMs > noted);
    this.#noted.set(node, Math.max(noted, ...runs.map(({ wallMs }) => wallMs)));
    this.#append(node, 'hook', fresh);
  }

  /** Resolves when nothing runs any more. */
  settled(): Promise<void> {
    return this.#runner.settled();
  }

  #tell(record: GroupRecord, state: GroupState, command: readonly string[]): void {
    const { group, epoch, reason, rule, stage, cause, master, previous } = record;
    const env = {
      HSCTL_GROUP: group,
      HSCTL_STATE: state,
      HSCTL_STAGE: stage,
      HSCTL_MASTER: master ?? '',
      HSCTL_PREVIOUS: previous ?? '',
      HSCTL_EPOCH: String(epoch),
      HSCTL_CAUSE: cause ?? '',
      HSCTL_RULE: rule,
      HSCTL_REASON: reason,
    };
    const args = ['GROUP', group, state, PRIORITY];
    const { hookTimeoutMs: timeoutMs } = this.#deps.group().app;
    const name = `notify ${state}`;
    this.#runner.submit({ name, command, args, env, epoch, timeoutMs }, (ran) => this.#append(null, RULE, [ran]));
  }

  #append(node: string | null, rule: string, runs: readonly HookRun[]): void {
    if (runs.length === 0) return;
    const { name: group } = this.#deps.group();
    const events = runs.map(({ wallMs, hook, epoch, succeeded, tookMs, output }) => {
      const outcome = succeeded ? `done in ${tookMs} ms` : 'failed';
      const message = `${hook}: ${outcome}${output === '' ? '' : `: ${output}`}`;
      return { group, wallMs, kind: 'hook' as const, rule, epoch, node, message, phasesMs: null };
    });
    this.#deps.records.append(events);
  }

  #toldBefore(): string {
    const last = this.#events().findLast((event) => event.node === null && event.rule === RULE);
    const state = /^notify (\w+):/.exec(last?.message ?? '')?.[1] ?? '';
    return last !== undefined && state === 'MASTER' ? `${last.epoch} ${state}` : state;
  }

  #notedBefore(node: string): number {
    const times = this.#events().filter((event) => event.node === node);
    return Math.max(0, ...times.map(({ wallMs }) => wallMs));
  }

  #events(): GroupEvent[] {
    const { name: group } = this.#deps.group();
    return this.#deps.records.events({ group, limit: EVENTS_LOOKED_AT }).filter(({ kind }) => kind === 'hook');
  }
}

/** Null while nobody has ever served, and where there is nothing new to tell. */
function stateOf({ stage, cause }: GroupRecord): GroupState | null {
  switch (stage) {
    case 'none':
    case 'promoting':
      return null;
    case 'serving':
      return 'MASTER';
    case 'quiescing':
      return 'BACKUP';
    case 'fencing':
      if (cause === 'initial' || cause === 'adopted') return null;
      return cause === 'switchover' ? 'BACKUP' : 'FAULT';
  }
}
