import { Backoff } from '../../kit/backoff.ts';
import { sleep, type Scheduler } from '../../kit/clock.ts';
import { messageOf } from '../../kit/errors.ts';
import { startProgram, type RunningProgram } from '../../kit/exec.ts';
import type { Logger } from '../../kit/logger.ts';
import type { Random } from '../../kit/random.ts';
import type { Service } from '../../kit/service.ts';

/**
 * Runs the app and starts it again when it ends. Whether a restart in place is worth waiting for, or the lease
 * should be given back instead, is told to `onExit`; the app is started again in both cases. Options are read at each use.
 */
export interface SupervisorOptions {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stopTimeoutMs: number;
  /** This many restarts within this time are taken in place. */
  readonly restart: { readonly times: number; readonly withinMs: number };
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  onStart(): void;
  onExit(detail: string, restartsInPlace: boolean): void;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

export class Supervisor implements Service {
  readonly #options: SupervisorOptions;
  #program: RunningProgram | null = null;
  #restartsAtMs: number[] = [];
  /** Restarts since the agent started. */
  restarts = 0;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, random } = this.#options;
    const backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
    const onAbort = (): void => void this.#program?.stop(this.#options.stopTimeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    while (!signal.aborted) {
      const startedAtMs = scheduler.monotonicMs();
      const detail = await this.#runOnce(signal);
      if (signal.aborted) break;
      const inPlace = this.#takeRestart(scheduler.monotonicMs());
      this.#options.onExit(detail, inPlace);
      if (scheduler.monotonicMs() - startedAtMs > this.#options.restart.withinMs) backoff.reset();
      if (!inPlace) await sleep(scheduler, backoff.next(), signal);
      this.restarts += 1;
    }
    signal.removeEventListener('abort', onAbort);
  }

  /** Ends an app that hangs; it is started again like one that crashed. */
  kill(): void {
    this.#program?.kill('SIGKILL');
  }

  /** Resolves with what ended it. */
  async #runOnce(stopping: AbortSignal): Promise<string> {
    const { command, env, stopTimeoutMs, logger } = this.#options;
    try {
      this.#options.onStart();
      const program = await startProgram(command, { env, onLine: (line, from) => logger.info(line, { from }) });
      this.#program = program;
      // It was told to stop before there was anything to be stopped.
      if (stopping.aborted) void program.stop(stopTimeoutMs);
      const { exitCode, signal } = await program.exited;
      return signal === null ? `the app ended with code ${exitCode}` : `the app was ended by ${signal}`;
    } catch (error) {
      return messageOf(error);
    } finally {
      this.#program = null;
    }
  }

  /** Whether another restart in place is within the limit; counts it. */
  #takeRestart(nowMs: number): boolean {
    const { times, withinMs } = this.#options.restart;
    this.#restartsAtMs = this.#restartsAtMs.filter((atMs) => nowMs - atMs < withinMs);
    if (this.#restartsAtMs.length >= times) return false;
    this.#restartsAtMs.push(nowMs);
    return true;
  }
}
