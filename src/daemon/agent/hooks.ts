import type { AppConfig } from '../../config/config.ts';
import { HOOK_RUNS_LIMIT, type HookRun } from '../../model/agent-report.ts';
import { type HookOrder, HookRunner, type HookRunnerDeps } from '../hook-runner.ts';

/** What a hook is told, in its environment and as arguments. */
export interface HookCall {
  readonly group: string;
  readonly node: string;
  readonly role: 'master' | 'slave' | 'none';
  readonly epoch: number;
  readonly reason: string;
}

/** States of a VRRP instance, as keepalived tells its notify scripts. */
export type NotifyState = 'MASTER' | 'BACKUP' | 'FAULT' | 'STOP';

/** What keepalived's scripts get for the priority, which nobody has here. */
const PRIORITY = '100';

interface HooksDeps extends HookRunnerDeps {
  /** The hooks in force; read anew at each call. */
  app(): Pick<AppConfig, 'promote' | 'demote' | 'notify' | 'hookTimeoutMs'>;
  /** Another run has ended. */
  onRun(): void;
}

/** The programs of a node that are told of its role: one after the other, in the order of what happened. */
export class Hooks {
  readonly #deps: HooksDeps;
  readonly #runner: HookRunner;
  /** The latest runs that have ended, oldest first. */
  runs: readonly HookRun[] = [];
  #told: NotifyState | null = null;

  constructor(deps: HooksDeps) {
    this.#deps = deps;
    this.#runner = new HookRunner(deps);
  }

  /** Calls the promote or the demote hook, if there is one. `done` is told whether it succeeded (true without a hook). */
  change(call: HookCall, done: (succeeded: boolean) => void): void {
    const { promote, demote } = this.#deps.app();
    const [name, command] = call.role === 'master' ? ['promote', promote] : ['demote', demote];
    if (command === null) return this.#runner.behind(() => done(true));
    const state = call.role === 'master' ? 'MASTER' : 'BACKUP';
    const args = ['GROUP', call.group, state, String(call.epoch)];
    this.#submit(call, { name, command, args, state }, done);
  }

  /** Tells the notify program of another state. Each state is told once, until there is another. */
  notify(call: HookCall, state: NotifyState): void {
    const { notify } = this.#deps.app();
    if (state === this.#told) return;
    this.#told = state;
    if (notify === null) return;
    const args = ['INSTANCE', call.group, state, PRIORITY];
    this.#submit(call, { name: `notify ${state}`, command: notify, args, state });
  }

  /** Resolves when no hook runs any more. */
  settled(): Promise<void> {
    return this.#runner.settled();
  }

  #submit(
    { group, node, role, epoch, reason }: HookCall,
    { state, ...what }: Pick<HookOrder, 'name' | 'command' | 'args'> & { readonly state: NotifyState },
    done: (succeeded: boolean) => void = () => undefined,
  ): void {
    const env = {
      HSCTL_GROUP: group,
      HSCTL_NODE: node,
      HSCTL_ROLE: role,
      HSCTL_STATE: state,
      HSCTL_EPOCH: String(epoch),
      HSCTL_REASON: reason,
    };
    this.#runner.submit({ ...what, env, epoch, timeoutMs: this.#deps.app().hookTimeoutMs }, (ran) => {
      this.runs = [...this.runs, ran].slice(-HOOK_RUNS_LIMIT);
      this.#deps.onRun();
      done(ran.succeeded);
    });
  }
}
