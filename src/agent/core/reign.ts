import type { InSyncProposal } from '../../model/agent-report.ts';
import type { Assignment } from '../../model/assignment.ts';
import type { ReignPhase } from '../../model/roles.ts';
import type { Grant } from '../../protocol/link/messages.ts';
import { LeaseHolder } from '../../kit/lease.ts';
import { Membership } from '../../replication/core/membership.ts';
import type { AgentPorts, AgentSettings } from './agent-ports.ts';

/**
 * One reign of this node, from the controller's assignment to the release. It knows its leases, whether its slave
 * has to confirm, and up to where every in-sync node holds the log.
 *
 *   fencing -> promoting -> ready <-> quiescing -> quiesced
 *   any     -> released, for good
 */
export class Reign {
  readonly epoch: number;
  readonly #settings: AgentSettings;
  readonly #ports: AgentPorts;
  readonly #membership: Membership;
  readonly #controllerLease = new LeaseHolder();
  readonly #slaveLease = new LeaseHolder();
  #recorded: Assignment;
  #phase: ReignPhase = 'fencing';
  #releasedBecause = '';
  #ready = false;
  #workEnded = false;
  #quiescingSinceMs: number | null = null;
  #slaveAttached = false;
  #ackedSeq = 0;
  #confirmedSeq = 0;
  /** Since when the slave has owed a confirmation or its presence; null if it owes nothing. */
  #owingSinceMs: number | null = null;
  /** The record with whose confirmation that debt is paid. */
  #owedSeq = 0;
  /** End of the log at the last tick: a slave that has confirmed this much is as good as level. */
  #endAtLastTick = 0;

  constructor(assignment: Assignment, settings: AgentSettings, ports: AgentPorts, nextProposalId: () => number) {
    this.epoch = assignment.epoch;
    this.#recorded = assignment;
    this.#settings = settings;
    this.#ports = ports;
    this.#membership = new Membership({
      self: settings.node,
      slave: settings.peer,
      epoch: assignment.epoch,
      recorded: assignment.inSync,
      nextProposalId,
    });
  }

  // --- signals

  /** The controller's record of this reign, newer than the one before. */
  onRecorded(assignment: Assignment): void {
    this.#recorded = assignment;
    if (!this.hasBegun) return;
    this.#membership.answered(assignment.inSync, assignment.answeredProposal, this.#mark);
  }

  onGrant(from: 'controller' | 'slave', grant: Grant): void {
    if (grant.epoch !== this.epoch || !this.isActive) return;
    const lease = from === 'controller' ? this.#controllerLease : this.#slaveLease;
    lease.granted(grant.echoedSentAtMs, grant.leaseMs, grant.lingerMs);
  }

  onSlaveAttached(nowMs: number): void {
    this.#slaveAttached = true;
    this.#ackedSeq = 0;
    this.#owes(nowMs);
  }

  onSlaveLost(nowMs: number): void {
    this.#slaveAttached = false;
    this.#owes(nowMs);
  }

  /** It said that it goes: as if it had owed its confirmation for ever. */
  onSlaveLeft(): void {
    this.#slaveAttached = false;
    this.#owingSinceMs = -Infinity;
    this.#owedSeq = this.#ports.endSeq();
  }

  onAck(seq: number, nowMs: number): void {
    if (seq <= this.#ackedSeq) return;
    this.#ackedSeq = seq;
    // That it gets on is not enough: a slave that has much to catch up with would keep writes waiting until its end.
    if (seq >= this.#owedSeq) this.#owingSinceMs = null;
    if (seq < this.#ports.endSeq()) this.#owes(nowMs);
    this.#updateConfirmed();
  }

  onAppended(nowMs: number): void {
    if (this.#membership.slaveMustConfirm) this.#owes(nowMs);
    this.#updateConfirmed();
  }

  onReady(): void {
    this.#ready = true;
  }

  onWorkEnded(): void {
    this.#workEnded = true;
  }

  /** Does what has become possible by now. `leaseNowMs`: now by the lease clock. `peerGrantMs`: how long this node's own grant to its peer still runs. */
  tick(nowMs: number, leaseNowMs: number, peerGrantMs: number): void {
    if (!this.isActive) return;
    if (this.#phase === 'fencing') {
      // Without a lease the assignment may be an old one, read only now: another reign may have begun since.
      if (peerGrantMs > 0 || this.#mayServeUntilMs <= leaseNowMs || !this.#ports.logIsFree()) return;
      this.#begin(nowMs);
      if (!this.isActive) return;
    }
    this.#membership.advance(
      {
        // Alone it may serve without a lease; it must have one again before the rule is tightened.
        attached: this.#slaveAttached && this.#leasedUntilMs > leaseNowMs,
        ackedSeq: this.#ackedSeq,
        levelSeq: this.#endAtLastTick,
        stalledMs: this.#owingSinceMs === null ? 0 : nowMs - this.#owingSinceMs,
      },
      this.#settings.stallTimeoutMs,
      this.#mark,
    );
    // A disk that failed to take the mark has ended the reign, for good.
    if (!this.isActive) return;
    this.#endAtLastTick = this.#ports.endSeq();
    this.#updateConfirmed();
    this.#updatePhase(nowMs);
  }

  /** The lease is given back for good. */
  release(reason: string): void {
    this.#phase = 'released';
    this.#releasedBecause = reason;
  }

  // --- state

  get phase(): ReignPhase {
    return this.#phase;
  }

  get releasedBecause(): string {
    return this.#releasedBecause;
  }

  get isActive(): boolean {
    return this.#phase !== 'released';
  }

  /** The log carries the reign's first record and the app has been told. */
  get hasBegun(): boolean {
    return this.isActive && this.#phase !== 'fencing';
  }

  /** The app said that it serves. */
  get isReady(): boolean {
    return this.hasBegun && this.#phase !== 'promoting';
  }

  get isQuiescing(): boolean {
    return this.#phase === 'quiescing' || this.#phase === 'quiesced';
  }

  /** Writes wait: present work has ended, or was given long enough. */
  get isFrozen(): boolean {
    return this.isQuiescing && this.#workEnded;
  }

  /** Whether a confirmation of the slave may move more than the confirmed seq. */
  get waitsForSlave(): boolean {
    const state = this.#membership.state;
    return state === 'out' || state === 'tightening' || this.#phase === 'quiescing';
  }

  get proposal(): InSyncProposal | null {
    return this.isActive ? this.#membership.proposal : null;
  }

  get ackedSeq(): number {
    return this.#ackedSeq;
  }

  get confirmedSeq(): number {
    return this.#confirmedSeq;
  }

  /**
   * Until when this node may serve. Without end while the controller has it on record as the only in-sync node:
   * nobody else can be promoted then without its own word, a fence, or an operator's.
   */
  get servesUntilMs(): number {
    return this.hasBegun ? this.#mayServeUntilMs : -Infinity;
  }

  /** Until when traffic that was put on this node may stay there by itself: the grantors wait for it. */
  get lingersUntilMs(): number {
    if (!this.hasBegun) return -Infinity;
    if (this.#needsNoLease) return Infinity;
    return Math.max(this.#controllerLease.lingersUntilMs, this.#slaveLease.lingersUntilMs);
  }

  get #mayServeUntilMs(): number {
    return this.#needsNoLease ? Infinity : this.#leasedUntilMs;
  }

  /** The record says so too: the configuration here may be an older, or a newer, one than the controller's. */
  get #needsNoLease(): boolean {
    const aloneOnRecord = this.#membership.state === 'out' && this.#recorded.inSync.length === 1;
    return aloneOnRecord && this.#recorded.mayServeAlone && this.#settings.onControllerLoss === 'serve';
  }

  get #leasedUntilMs(): number {
    return Math.max(this.#controllerLease.untilMs, this.#slaveLease.untilMs);
  }

  // --- steps

  #begin(nowMs: number): void {
    this.#phase = 'promoting';
    this.#ports.appendReign(this.epoch);
    if (this.isActive) this.#ports.appendInSync(this.epoch, this.#recorded.inSync);
    if (!this.#membership.slaveMustConfirm) return;
    // A slave that is known to be lost has stalled for long enough, whatever the records above made of it.
    this.#owingSinceMs = null;
    this.#owes(this.#recorded.slaveExpected ? nowMs : -Infinity);
  }

  /** Unless it owes something already, the slave owes from now on what is in the log, or its presence. */
  #owes(nowMs: number): void {
    if (this.#owingSinceMs !== null) return;
    this.#owingSinceMs = nowMs;
    this.#owedSeq = this.#ports.endSeq();
  }

  readonly #mark = (members: readonly string[]): number => this.#ports.appendInSync(this.epoch, members);

  #updateConfirmed(): void {
    const heldSeq = this.#ports.heldSeq();
    const seq = this.#membership.slaveMustConfirm ? Math.min(heldSeq, this.#ackedSeq) : heldSeq;
    this.#confirmedSeq = Math.max(this.#confirmedSeq, seq);
  }

  #updatePhase(nowMs: number): void {
    if (!this.#ready) return;
    if (!this.#recorded.quiesce) this.#quiescingSinceMs = null;
    else this.#quiescingSinceMs ??= nowMs;
    const quiescingMs = this.#quiescingSinceMs === null ? null : nowMs - this.#quiescingSinceMs;
    if (quiescingMs === null || quiescingMs > this.#settings.quiesceLimitMs) {
      this.#phase = 'ready';
      this.#workEnded = false;
      return;
    }
    if (quiescingMs >= this.#settings.drainMs) this.#workEnded = true;
    const level = this.#slaveAttached && this.#ackedSeq >= this.#ports.endSeq();
    this.#phase = this.#workEnded && level ? 'quiesced' : 'quiescing';
  }
}
