import type { ProbeTiming } from '../config/config.ts';
import { RiseFall } from '../controller/detector.ts';
import type { ProbeObservation } from '../controller/ports.ts';
import type { Scheduler, Timer } from '../kit/clock.ts';
import type { Random } from '../kit/random.ts';
import type { Service } from '../kit/service.ts';
import { formatDuration } from '../kit/units.ts';
import type { Probe, ProbeResult, ProbeTarget } from './probe.ts';

/** How long the verdict has stood is for its reader to tell. */
export type ProbeVerdict = Omit<ProbeObservation, 'sinceMs'>;

/** A timer that comes this much of the timeout too late speaks of a stall of this process, not of the app. */
const STALL_PART = 0.5;

export interface ProbeRunnerOptions {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  readonly timing: ProbeTiming;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Called at each change of the verdict or its warning. */
  readonly onChange: (observation: ProbeVerdict) => void;
}

/**
 * Repeats one probe on one target, one at a time: the first somewhere within the first interval, so that many
 * runners do not run in step, each further one an interval after the start of the one before it, a fast one while the
 * verdict is in doubt. A look during which this process stood still counts for nothing.
 *
 * A controller has thousands of these: between two looks nothing is kept of the former one, and one timer.
 */
export class ProbeRunner implements Service {
  readonly #options: ProbeRunnerOptions;
  readonly #detector: RiseFall;
  #detail = 'not probed yet';
  #warning = '';
  /** Calls the look off. One serves all looks until it was used. */
  #limit = new AbortController();
  /** Of the next look or, while there is one, of the end of its time. */
  #timer: Timer | null = null;
  #isLooking = false;
  #startedAtMs = 0;
  /** The time of the look is over: what it still says counts for nothing. */
  #isOver = false;
  #isStopped = false;
  #ended = Promise.withResolvers<undefined>();

  constructor(options: ProbeRunnerOptions) {
    this.#options = options;
    this.#detector = new RiseFall(options.timing);
  }

  /** The present verdict, and what the last probe saw. */
  get observation(): ProbeVerdict {
    return { verdict: this.#detector.verdict, detail: this.#detail, warning: this.#warning };
  }

  /** Probes until `signal` aborts; resolves when nothing of the probe is left. Not to be run twice. */
  async run(signal: AbortSignal): Promise<void> {
    const { timing, random, probe } = this.#options;
    if (!signal.aborted) {
      this.#startIn(random() * timing.intervalMs);
      signal.addEventListener('abort', () => this.#stop(), { once: true });
      await this.#ended.promise;
    }
    await probe.close?.();
  }

  #startIn(delayMs: number): void {
    this.#timer = this.#options.scheduler.after(delayMs, this.#start);
  }

  readonly #start = (): void => {
    const { probe, target, timing, scheduler } = this.#options;
    this.#isLooking = true;
    this.#isOver = false;
    this.#startedAtMs = scheduler.monotonicMs();
    this.#timer = scheduler.after(timing.timeoutMs, this.#callOff);
    void probe.look(target, this.#limit.signal).then(this.#finish);
  };

  /** The verdict does not wait for the probe to be gone, the next look does. */
  readonly #callOff = (): void => {
    const { timing, scheduler } = this.#options;
    const lateMs = scheduler.monotonicMs() - this.#startedAtMs - timing.timeoutMs;
    const detail = `no answer within ${formatDuration(timing.timeoutMs)}`;
    this.#isOver = true;
    this.#limit.abort(new Error(detail));
    this.#limit = new AbortController();
    if (lateMs <= STALL_PART * timing.timeoutMs) this.#take({ good: false, detail });
  };

  readonly #finish = (result: ProbeResult): void => {
    const { timing, scheduler } = this.#options;
    this.#timer?.cancel();
    if (!this.#isOver && !this.#isStopped) this.#take(result);
    this.#isLooking = false;
    if (this.#isStopped) return this.#ended.resolve(undefined);
    const intervalMs = this.#detector.inDoubt ? timing.fastIntervalMs : timing.intervalMs;
    this.#startIn(this.#startedAtMs + intervalMs - scheduler.monotonicMs());
  };

  #stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    if (this.#isLooking) this.#limit.abort(new Error('called off'));
    else this.#ended.resolve(undefined);
  }

  #take({ good, detail, warning = '' }: ProbeResult): void {
    this.#detail = detail;
    const verdictChanged = this.#detector.add(good, this.#options.scheduler.monotonicMs());
    // A bad result says nothing of what is warned of.
    const warningChanged = good && warning !== this.#warning;
    if (good) this.#warning = warning;
    if (verdictChanged || warningChanged) this.#options.onChange(this.observation);
  }
}
