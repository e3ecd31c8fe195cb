import type { AgentReport } from '../model/agent-report.ts';
import type { Assignment } from '../model/assignment.ts';
import type { NodeId } from '../model/roles.ts';
import type { Beat } from '../protocol/link/messages.ts';
import { LeaseGrantor } from '../kit/lease.ts';
import type { ProbeObservation } from './ports.ts';
import type { NodeView } from './view.ts';

/** Heartbeats that a node may be late with before what it said of its peer is taken for old. */
const LATE_BEATS = 2;

interface DetectionTimes {
  readonly heartbeatMs: number;
  readonly detectMs: number;
}

/** What the controller knows of one node: the last word of its agent, its probe, and what was granted and told to it. */
export class NodeState {
  readonly id: NodeId;
  readonly #grantor: LeaseGrantor;
  #linked = false;
  #heardAtMs: number;
  #report: AgentReport | null = null;
  #linkedAtMs = -Infinity;
  #beatAtMs: number | null = null;
  /** How long the agent had not heard its peer when it sent its last beat; negative if it never has. */
  #peerSilentMs = -1;
  #renouncedEpoch = 0;
  #probe: Omit<ProbeObservation, 'sinceMs'> = { verdict: 'unknown', detail: 'no probe yet' };
  #probeSinceMs: number;
  /** It has reported on the present link: an older report may be that of a former run. */
  #present = false;
  /** What the agent was told last on the present link. */
  #told: string | null = null;

  constructor(id: NodeId, nowMs: number, longestGrantMs: number, highestEpoch: number) {
    this.id = id;
    this.#heardAtMs = nowMs;
    this.#probeSinceMs = nowMs;
    this.#grantor = new LeaseGrantor(nowMs, longestGrantMs, highestEpoch);
  }

  /** The newest report, however old; null if there was none. */
  get report(): AgentReport | null {
    return this.#report;
  }

  linked(nowMs: number): void {
    this.#linked = true;
    this.#linkedAtMs = nowMs;
    this.#present = false;
    this.#heardAtMs = nowMs;
    this.#told = null;
  }

  unlinked(): void {
    this.#linked = false;
    this.#told = null;
  }

  onReport(report: AgentReport, nowMs: number): void {
    this.#heardAtMs = nowMs;
    // Whoever granted it a lease before this controller started did so under an epoch that it has seen.
    if (this.#report === null) this.#grantor.grant(nowMs, 0, report.epoch);
    this.#present = true;
    this.#report = report;
    this.onRenounced(report.renouncedEpoch);
  }

  onBeat(beat: Beat, nowMs: number): void {
    this.#heardAtMs = nowMs;
    this.#beatAtMs = nowMs;
    this.#peerSilentMs = beat.peerSilentMs;
    if (this.#report === null) return;
    // The counters of a report move on with every beat; everything else comes with a report of its own.
    this.#report.confirmedSeq = beat.confirmedSeq;
    this.#report.log.end.seq = beat.endSeq;
  }

  onRenounced(epoch: number): void {
    this.#renouncedEpoch = Math.max(this.#renouncedEpoch, epoch);
    this.#grantor.renounced(epoch);
  }

  onProbe(probe: Omit<ProbeObservation, 'sinceMs'>, nowMs: number): void {
    if (probe.verdict !== this.#probe.verdict) this.#probeSinceMs = nowMs;
    this.#probe = probe;
  }

  grant(nowMs: number, grantMs: number, epoch: number): void {
    this.#grantor.grant(nowMs, grantMs, epoch);
  }

  /**
   * For how long this node has not heard its peer, as far as can be told now; Infinity if that is not known. What it said on
   * a former link says nothing about the time since: on a new one it has its first heartbeat to say how it is. And while its own
   * heartbeats are late, its peer's silence has not grown by that: the same thing may be to blame for both.
   */
  silenceOfPeer(nowMs: number, { heartbeatMs, detectMs }: DetectionTimes): number {
    if (this.#beatAtMs === null) return Infinity;
    if (this.#linked && this.#beatAtMs < this.#linkedAtMs) return nowMs - this.#linkedAtMs;
    if (this.#peerSilentMs < 0) return Infinity;
    const ageMs = nowMs - this.#beatAtMs;
    const isLate = ageMs > LATE_BEATS * heartbeatMs && ageMs <= detectMs;
    return isLate ? this.#peerSilentMs : this.#peerSilentMs + ageMs;
  }

  needs(assignment: Assignment): boolean {
    return this.#linked && this.#told !== JSON.stringify(assignment);
  }

  assigned(assignment: Assignment): void {
    this.#told = JSON.stringify(assignment);
  }

  view(nowMs: number, silentToPeerMs: number): NodeView {
    return {
      id: this.id,
      report: this.#report,
      linked: this.#linked && this.#present,
      silentMs: nowMs - this.#heardAtMs,
      silentToPeerMs,
      renouncedEpoch: this.#renouncedEpoch,
      grantRunsMs: this.#grantor.runsMs(nowMs),
      probe: { ...this.#probe, sinceMs: nowMs - this.#probeSinceMs },
    };
  }
}
