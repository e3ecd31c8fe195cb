import type { ProbeTiming } from '../config/config.ts';
import { RiseFall } from '../controller/detector.ts';
import type { ProbeObservation } from '../controller/ports.ts';
import { sleep, type Scheduler } from '../kit/clock.ts';
import { messageOf } from '../kit/errors.ts';
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
 */
export class ProbeRunner implements Service {
  readonly #options: ProbeRunnerOptions;
  readonly #detector: RiseFall;
  #detail = 'not probed yet';
  #warning = '';

  constructor(options: ProbeRunnerOptions) {
    this.#options = options;
    this.#detector = new RiseFall(options.timing);
  }

  /** The present verdict, and what the last probe saw. */
  get observation(): ProbeVerdict {
    return { verdict: this.#detector.verdict, detail: this.#detail, warning: this.#warning };
  }

  /** Probes until `signal` aborts; resolves when nothing of the probe is left. */
  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, timing, random, probe } = this.#options;
    await sleep(scheduler, random() * timing.intervalMs, signal);
    while (!signal.aborted) {
      const startedAtMs = scheduler.monotonicMs();
      const { result, closed } = this.#look(signal);
      this.#take(await result, signal);
      await closed;
      const intervalMs = this.#detector.inDoubt ? timing.fastIntervalMs : timing.intervalMs;
      await sleep(scheduler, startedAtMs + intervalMs - scheduler.monotonicMs(), signal);
    }
    await probe.close?.();
  }

  #take(result: ProbeResult | null, signal: AbortSignal): void {
    if (result === null || signal.aborted) return;
    const { good, detail, warning = '' } = result;
    this.#detail = detail;
    const verdictChanged = this.#detector.add(good, this.#options.scheduler.monotonicMs());
    // A bad result says nothing of what is warned of.
    const warningChanged = good && warning !== this.#warning;
    if (good) this.#warning = warning;
    if (verdictChanged || warningChanged) this.#options.onChange(this.observation);
  }

  /**
   * One look: its result, at the latest when its time is over, null where that was told too late to count; and the
   * moment when nothing of it is left.
   */
  #look(signal: AbortSignal): { result: Promise<ProbeResult | null>; closed: Promise<unknown> } {
    const { probe, target, timing, scheduler } = this.#options;
    const limit = new AbortController();
    const onStop = (): void => limit.abort(new Error('called off'));
    signal.addEventListener('abort', onStop, { once: true });
    const dueAtMs = scheduler.monotonicMs() + timing.timeoutMs;
    let stalled = false;
    const timer = scheduler.after(timing.timeoutMs, () => {
      stalled = scheduler.monotonicMs() - dueAtMs > STALL_PART * timing.timeoutMs;
      limit.abort(new Error(`no answer within ${formatDuration(timing.timeoutMs)}`));
    });
    const closed = probe.look(target, limit.signal).finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', onStop);
    });
    const cut = new Promise<ProbeResult>((resolve) => {
      const onAbort = (): void => resolve({ good: false, detail: messageOf(limit.signal.reason) });
      limit.signal.addEventListener('abort', onAbort, { once: true });
    });
    return { result: Promise.race([closed, cut]).then((result) => (stalled ? null : result)), closed };
  }
}
