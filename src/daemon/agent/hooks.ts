import type { AppConfig } from '../../config/config.ts';
import { messageOf } from '../../kit/errors.ts';
import { run } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';

/** What a hook is told, in its environment and, in keepalived's order, as arguments. */
export interface HookCall {
  readonly group: string;
  readonly node: string;
  readonly role: 'master' | 'slave' | 'none';
  readonly epoch: number;
  readonly reason: string;
}

/** Runs the promote and demote hooks, one after the other, never two at once. */
export class Hooks {
  readonly #app: AppConfig;
  readonly #logger: Logger;
  #last: Promise<void> = Promise.resolve();

  constructor(app: AppConfig, logger: Logger) {
    this.#app = app;
    this.#logger = logger;
  }

  /** Calls the hook for a role, if there is one. `done` is told whether it succeeded (true without a hook). */
  call(call: HookCall, done: (succeeded: boolean) => void): void {
    const command = call.role === 'master' ? this.#app.promote : this.#app.demote;
    this.#last = this.#run(command, call, done, this.#last);
  }

  /** Resolves when no hook runs any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #run(
    command: readonly string[] | null,
    call: HookCall,
    done: (succeeded: boolean) => void,
    before: Promise<void>,
  ): Promise<void> {
    await before;
    if (command === null) return done(true);
    const state = call.role === 'master' ? 'MASTER' : 'BACKUP';
    try {
      const { stdout } = await run([...command, 'GROUP', call.group, state, String(call.epoch)], {
        timeoutMs: this.#app.hookTimeoutMs,
        cutOutput: true,
        env: {
          HSCTL_GROUP: call.group,
          HSCTL_NODE: call.node,
          HSCTL_ROLE: call.role,
          HSCTL_EPOCH: String(call.epoch),
          HSCTL_REASON: call.reason,
        },
      });
      this.#logger.info(`hook for role ${call.role} done`, { output: stdout.trim() });
      done(true);
    } catch (error) {
      this.#logger.error(`hook for role ${call.role} failed: ${messageOf(error)}`);
      done(false);
    }
  }
}
