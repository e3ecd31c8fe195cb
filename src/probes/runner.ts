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

export interface ProbeRunnerOptions {
  readonly probe: Probe;
  readonly target: ProbeTarget;
  readonly timing: ProbeTiming;
  readonly scheduler: Scheduler;
  readonly random: Random;
  /** Called at each change of the verdict. */
  readonly onChange: (observation: ProbeVerdict) => void;
}

/**
 * Repeats one probe on one target, one at a time: the first somewhere within the first interval, so that many
 * runners do not run in step, each further one an interval after the start of the one before it.
 */
export class ProbeRunner implements Service {
  readonly #options: ProbeRunnerOptions;
  readonly #detector: RiseFall;
  #detail = 'not probed yet';

  constructor(options: ProbeRunnerOptions) {
    this.#options = options;
    this.#detector = new RiseFall(options.timing);
  }

  /** The present verdict, and what the last probe saw. */
  get observation(): ProbeVerdict {
    return { verdict: this.#detector.verdict, detail: this.#detail };
  }

  async run(signal: AbortSignal): Promise<void> {
    const { scheduler, timing, random, onChange } = this.#options;
    await sleep(scheduler, random() * timing.intervalMs, signal);
    while (!signal.aborted) {
      const startedAtMs = scheduler.monotonicMs();
      const { result, closed } = this.#look(signal);
      const { good, detail } = await result;
      if (!signal.aborted) {
        this.#detail = detail;
        if (this.#detector.add(good, scheduler.monotonicMs())) onChange(this.observation);
      }
      await closed;
      await sleep(scheduler, startedAtMs + timing.intervalMs - scheduler.monotonicMs(), signal);
    }
  }

  /** One probe: its result, at the latest when its time is over, and the moment when nothing of it is left. */
  #look(signal: AbortSignal): { result: Promise<ProbeResult>; closed: Promise<unknown> } {
    const { probe, target, timing, scheduler } = this.#options;
    const limit = new AbortController();
    const onStop = (): void => limit.abort(new Error('called off'));
    signal.addEventListener('abort', onStop, { once: true });
    const timer = scheduler.after(timing.timeoutMs, () =>
      limit.abort(new Error(`no answer within ${formatDuration(timing.timeoutMs)}`)),
    );
    const closed = probe(target, limit.signal).finally(() => {
      timer.cancel();
      signal.removeEventListener('abort', onStop);
    });
    const cut = new Promise<ProbeResult>((resolve) => {
      const onAbort = (): void => resolve({ good: false, detail: messageOf(limit.signal.reason) });
      limit.signal.addEventListener('abort', onAbort, { once: true });
    });
    return { result: Promise.race([closed, cut]), closed };
  }
}
