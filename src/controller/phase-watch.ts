import type { Clock } from '../kit/clock.ts';
import type { AgentReport } from '../model/agent-report.ts';
import type { GroupEvent } from '../model/event.ts';
import type { GroupRecord } from '../model/group-record.ts';
import { masterOf, type GroupView } from './view.ts';

/** Times the phases of a change of master, for its event: how long each took after the one before. */
type PhaseTimes = NonNullable<GroupEvent['phasesMs']>;

export class PhaseWatch {
  readonly #clock: Clock;
  #times: PhaseTimes | null = null;
  #lastMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A decision on `view`, with what it makes of the record. Gives the times of the change of master that it completes. */
  decided(view: GroupView, record: GroupRecord): PhaseTimes | null {
    const former = view.record.stage;
    if (record.stage === 'fencing' && former !== 'fencing') this.#begin(view);
    if (record.stage === 'promoting' && former === 'fencing') this.#reached('fence');
    if (former !== 'promoting' || record.stage !== 'serving') return null;
    this.#reached('traffic');
    const times = this.#times;
    this.#times = null;
    return times;
  }

  /** What the node that is to reign under `epoch` says of itself. */
  reported(report: AgentReport | null, epoch: number): void {
    if (report?.role !== 'master' || report.epoch !== epoch) return;
    if (report.phase === 'promoting' || report.phase === 'ready') this.#reached('promote');
    if (report.phase === 'ready') this.#reached('ready');
  }

  /** Detection took as long as the master had been silent. */
  #begin(view: GroupView): void {
    const silentMs = masterOf(view)?.silentMs ?? 0;
    this.#times = { detect: round(silentMs > view.thresholds.detectMs ? silentMs : 0) };
    this.#lastMs = this.#clock.monotonicMs();
  }

  /** Notes the end of a phase, the first time that it is told; nothing if the change began before this process did. */
  #reached(phase: keyof PhaseTimes): void {
    if (this.#times === null || this.#times[phase] !== undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.#times[phase] = round(nowMs - this.#lastMs);
    this.#lastMs = nowMs;
  }
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
