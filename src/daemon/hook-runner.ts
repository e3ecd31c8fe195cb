import type { Clock } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
import type { run } from '../kit/exec.ts';
import type { Logger } from '../kit/logger.ts';
import type { HookRun } from '../model/agent-report.ts';

export interface HookRunnerDeps {
  readonly scheduler: Clock;
  readonly logger: Logger;
  readonly run: typeof run;
}

/** A program to be run, with what it is told. */
export interface HookOrder {
  /** What it is for: `promote`, `notify MASTER`. */
  readonly name: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly epoch: number;
  readonly timeoutMs: number;
}

const OUTPUT_LIMIT = 1000;
const NAME_LIMIT = 200;

/** Runs programs one after the other in the order in which they were asked for, never two at once. */
export class HookRunner {
  readonly #deps: HookRunnerDeps;
  #last: Promise<void> = Promise.resolve();
  #ranAtWallMs = 0;

  constructor(deps: HookRunnerDeps) {
    this.#deps = deps;
  }

  /** `done` is told what came of it before the next one begins. */
  submit(order: HookOrder, done: (ran: HookRun) => void): void {
    this.#last = this.#last.then(async () => done(await this.#run(order)));
  }

  /** Calls `then` when everything that was asked for before has run. */
  behind(then: () => void): void {
    this.#last = this.#last.then(then);
  }

  /** Resolves when nothing runs any more. */
  async settled(): Promise<void> {
    await this.#last;
  }

  async #run({ name, command, args, env, epoch, timeoutMs }: HookOrder): Promise<HookRun> {
    const { scheduler, logger } = this.#deps;
    const startedAtMs = scheduler.monotonicMs();
    const [output, succeeded] = await this.#deps
      .run([...command, ...args], { timeoutMs, cutOutput: true, env })
      .then(({ stdout, stderr }) => [`${stdout}${stderr}`.trim(), true] as const)
      .catch((error: unknown) => [messageOf(error), false] as const);
    const tookMs = Math.round(scheduler.monotonicMs() - startedAtMs);
    // Runs are told apart by their times.
    this.#ranAtWallMs = Math.max(this.#ranAtWallMs + 1, Math.round(scheduler.wallMs()));
    const hook = `${name}: ${command.join(' ')}`;
    if (succeeded) logger.info(`hook ${hook}: done in ${tookMs} ms`, { output });
    else logger.error(`hook ${hook}: ${output}`);
    return {
      wallMs: this.#ranAtWallMs,
      hook: hook.slice(0, NAME_LIMIT),
      epoch,
      succeeded,
      tookMs,
      output: output.slice(0, OUTPUT_LIMIT),
    };
  }
}
