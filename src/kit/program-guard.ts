import { fileURLToPath } from 'node:url';
import { Backoff } from './backoff.ts';
import { sleep, type Scheduler } from './clock.ts';
import { messageOf } from './errors.ts';
import { type RunningProgram, startProgram, watchPrograms } from './exec.ts';
import type { Logger } from './logger.ts';
import type { Random } from './random.ts';

/** It lies at the same distance from the sources and from their build. */
const PROGRAM = fileURLToPath(new URL('../../scripts/guard/guard.pl', import.meta.url));
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 10_000;
const CLOSE_LIMIT_MS = 1_000;
/** A guard that leaves more than this unread does not do its work: another one is told what runs now. */
const MAX_UNREAD_BYTES = 65_536;

export interface ProgramGuardOptions {
  /** The daemon's own, and there: one guard at a time holds it. */
  readonly folder: string;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/**
 * Sees to it that no program outlives the daemon that started it, whatever ends the daemon: a small process beside it
 * ends their process groups when the daemon is gone. A next run goes on only when that is done, so nothing that a former
 * one ordered (an address, a hook's deed) happens behind its back. Only what a program left in the background on purpose,
 * when it ended itself, stays.
 */
export class ProgramGuard {
  readonly #options: ProgramGuardOptions;
  readonly #closed = new AbortController();
  #program: RunningProgram | null = null;

  private constructor(options: ProgramGuardOptions) {
    this.#options = options;
  }

  /**
   * Resolves when nothing of a former run is there any more, or when `signal` aborts. Where there can be no guard (no perl)
   * that is logged, and nothing is waited for.
   */
  static async start(options: ProgramGuardOptions, signal: AbortSignal): Promise<ProgramGuard> {
    const guard = new ProgramGuard(options);
    const ready = Promise.withResolvers<undefined>();
    const go = (): void => ready.resolve(undefined);
    signal.addEventListener('abort', go, { once: true });
    if (signal.aborted) go();
    void guard.#run(go);
    await ready.promise;
    signal.removeEventListener('abort', go);
    return guard;
  }

  /** Ends what still runs. Resolves when that is done, or after a second: then it goes on without us. */
  async close(): Promise<void> {
    this.#closed.abort();
    watchPrograms(() => undefined);
    const program = this.#program;
    if (program === null) return;
    program.endInput();
    await Promise.race([program.exited, sleep(this.#options.scheduler, CLOSE_LIMIT_MS)]);
  }

  /** Keeps a guard running; `go` is called when the first is ready, or cannot be. */
  async #run(go: () => void): Promise<void> {
    const { scheduler, random, logger } = this.#options;
    const backoff = new Backoff(FIRST_WAIT_MS, LONGEST_WAIT_MS, random);
    const { signal } = this.#closed;
    while (!signal.aborted) {
      const fault = await this.#runOnce(() => {
        backoff.reset();
        go();
      }).catch(messageOf);
      if (signal.aborted) return;
      logger.warn('programs may outlive a killed daemon', {
        error: fault,
        hint: 'it takes perl (apt-get install perl-base)',
      });
      go();
      await sleep(scheduler, backoff.next(), signal);
    }
  }

  /** Resolves with what it complained about when it has ended. */
  async #runOnce(onReady: () => void): Promise<string> {
    const { folder, logger } = this.#options;
    let complaint = 'the guard was ended';
    const program = await startProgram(['perl', PROGRAM, folder], {
      onLine: (line, from) => {
        if (from === 'stderr') complaint = line;
        else if (line === 'ready') onReady();
        else
          logger.warn('waiting for the end of what a former run has started', {
            folder,
            hint: 'ps shows it: hsctl guard',
          });
      },
    });
    this.#program = program;
    if (this.#closed.signal.aborted) program.endInput();
    watchPrograms((group, runs) => {
      program.write(`${runs ? '+' : '-'}${group}\n`);
      if (program.unreadBytes() > MAX_UNREAD_BYTES) program.kill('SIGKILL');
    });
    await program.exited;
    this.#program = null;
    return complaint;
  }
}
