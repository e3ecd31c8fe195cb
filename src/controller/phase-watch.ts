import type { Clock } from '../kit/clock.ts';
import type { GroupEvent } from '../model/event.ts';
import { masterOf, type GroupView } from './view.ts';

/** Times the phases of a change of master, for its event: how long each took after the one before. */
export type PhaseTimes = NonNullable<GroupEvent['phasesMs']>;

export class PhaseWatch {
  readonly #clock: Clock;
  #times: PhaseTimes | null = null;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The decision was made now, on `view`. Detection took as long as the master had been silent. */
  begin(view: GroupView): void {
    const silentMs = masterOf(view)?.silentMs ?? 0;
    this.#times = { detect: round(silentMs > view.thresholds.detectMs ? silentMs : 0) };
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** Notes the end of a phase, the first time that it is told. */
  reached(phase: keyof PhaseTimes): void {
    if (this.#times === null || this.#times[phase] !== undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.#times[phase] = round(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }

  /** The times of the change that is complete now; null if it began before this process did. */
  finish(): PhaseTimes | null {
    const times = this.#times;
    this.#times = null;
    return times;
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
