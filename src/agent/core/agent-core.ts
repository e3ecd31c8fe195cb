import type { Clock } from '../../kit/clock.ts';
import type { InSyncProposal } from '../../model/agent-report.ts';
import type { Assignment } from '../../model/assignment.ts';
import type { ReignPhase, Role } from '../../model/roles.ts';
import { NO_LEASE, type Beat, type Grant, type LeaseTerms, type Ping } from '../../protocol/link/messages.ts';
import { LeaseClock } from '../../kit/lease-clock.ts';
import { grantDurationMs } from '../../kit/lease.ts';
import type { AgentPorts, AgentSettings } from './agent-ports.ts';
import { PeerState } from './peer-state.ts';
import type { Posture } from './posture.ts';
import { Reign } from './reign.ts';
import { type Greeting, roleRule, type RoleSignal, type RoleSituation } from './role-rules.ts';

/**
 * What an agent may do at each moment: its role, its leases, what counts as confirmed. Pure: time comes from the
 * clock that it is given, effects go through `AgentPorts`, and the loop reads `posture()` after every call.
 *
 * Two promises carry the safety of the pair. It never acts below the highest epoch that it has seen, which is
 * durable before anything is said under it. And an epoch that it has renounced (released, followed, or had seen
 * before a restart) is one that it will never serve under, so that a renunciation is true however late it arrives.
 */

export class AgentCore {
  readonly #settings: AgentSettings;
  readonly #instance: string;
  readonly #ports: AgentPorts;
  readonly #clock: Clock;
  /** By which this node's own leases are held. */
  readonly #leaseClock: LeaseClock;
  readonly peer: PeerState;
  #longestGrantMs: number;
  #epoch: number;
  #renouncedEpoch: number;
  #assignment: Assignment | null = null;
  #reign: Reign | null = null;
  #following = false;
  #diverged = false;
  #confirmedAsSlave = 0;
  #proposals = 0;
  #rule = '';
  #trouble = '';
  /** The trouble is damage, which a copy of the peer's state mends. */
  #damaged = false;
  /** Highest epoch under which it will not serve again; said only once the traffic is off this node. */
  #barredEpoch: number;
  #holdsTraffic = false;

  constructor(
    settings: AgentSettings,
    ports: AgentPorts,
    clock: Clock,
    memory: { readonly epoch: number; readonly longestGrantMs: number },
    instance: string,
  ) {
    this.#settings = settings;
    this.#instance = instance;
    this.#ports = ports;
    this.#clock = clock;
    this.#epoch = memory.epoch;
    this.#renouncedEpoch = memory.epoch;
    this.#barredEpoch = memory.epoch;
    this.#leaseClock = new LeaseClock(clock);
    const grantMs = grantDurationMs(settings.leaseMs, settings.lingerMs);
    this.#longestGrantMs = memory.longestGrantMs;
    this.peer = new PeerState(clock, Math.max(grantMs, memory.longestGrantMs), memory.epoch);
  }

  // --- what the controller says

  /** Takes the controller's word, unless it is older than what is known. */
  onAssignment(assignment: Assignment): void {
    this.#change('assignment', { assignment });
    this.tick();
  }

  onControllerGrant(grant: Grant): void {
    this.#reign?.onGrant('controller', grant);
    this.tick();
  }

  // --- what the peer says

  /** Any message from the peer counts as a sign of life. */
  onPeerHeard(): void {
    this.peer.heard();
  }

  onPeerLost(): void {
    this.peer.lost();
    this.#reign?.onSlaveLost(this.#clock.monotonicMs());
  }

  /** The slave's agent ends: its confirmation is not waited for. */
  onSlaveLeft(): void {
    this.#reign?.onSlaveLeft();
    this.tick();
  }

  /** Greeting of either direction. A waiting node that meets a master of its own or a higher epoch follows it. */
  onPeerHello(greeting: Greeting): void {
    this.onPeerHeard();
    this.peer.renounced(greeting.renouncedEpoch);
    this.#seeEpoch(greeting.epoch);
    this.#change('greeting', { greeting });
    this.tick();
  }

  onPeerRelease(renouncedEpoch: number): void {
    this.onPeerHeard();
    this.peer.renounced(renouncedEpoch);
    this.tick();
  }

  /** A ping of the master that this node follows: returns what to grant. */
  onPing(ping: Ping): LeaseTerms {
    this.onPeerHeard();
    if (!this.#following || ping.epoch !== this.#epoch) return NO_LEASE;
    this.#confirmedAsSlave = Math.max(this.#confirmedAsSlave, Math.min(ping.confirmedSeq, this.#ports.endSeq()));
    if (!ping.wantsLease) return NO_LEASE;
    const { leaseMs, lingerMs } = this.#settings;
    const grantMs = grantDurationMs(leaseMs, lingerMs);
    if (grantMs > this.#longestGrantMs) {
      this.#ports.saveLongestGrant(grantMs);
      this.#longestGrantMs = grantMs;
    }
    this.peer.grant(grantMs, ping.epoch);
    return { leaseMs, lingerMs };
  }

  onPeerGrant(grant: Grant): void {
    this.onPeerHeard();
    this.#reign?.onGrant('slave', grant);
    this.tick();
  }

  /** The slave was told where the logs part, and confirms from there on. */
  onSlaveAttached(): void {
    this.#reign?.onSlaveAttached(this.#clock.monotonicMs());
    this.tick();
  }

  onAck(epoch: number, seq: number): void {
    this.onPeerHeard();
    if (this.#reign?.epoch !== epoch) return;
    this.#reign.onAck(seq, this.#clock.monotonicMs());
    if (this.waitsForSlave) this.tick();
  }

  // --- what this node itself sees

  /** Records were appended to this node's own log by its master; they wait for the slave from now on. */
  onAppended(): void {
    this.#reign?.onAppended(this.#clock.monotonicMs());
  }

  /** Whether the app can serve at all, as its watch says after restarts in place. `readyEpoch`: its last word. */
  onApp(app: { readonly fit: boolean; readonly readyEpoch: number; readonly detail: string }): void {
    if (!app.fit && this.#reign?.isActive) this.#change('app unfit', { detail: app.detail });
    if (app.fit && this.#reign?.epoch === app.readyEpoch) this.#reign.onReady();
    this.tick();
  }

  /** The loop is about to put traffic (a VIP) on this node, as `posture().serves` allows. */
  onTrafficTaken(): void {
    this.#holdsTraffic = true;
  }

  /** The traffic is surely off this node: only now is a release said aloud. */
  onTrafficGone(): void {
    this.#holdsTraffic = false;
    this.#sayRenounced();
  }

  /** Everything that was under way when quiescing began has ended. */
  onWorkEnded(): void {
    this.#reign?.onWorkEnded();
    this.tick();
  }

  /** Records were cut off the log: what had been confirmed of them is so no more. */
  onLogCut(): void {
    this.#confirmedAsSlave = Math.min(this.#confirmedAsSlave, this.#ports.endSeq());
  }

  /** The log may not be cut to follow the master: it holds acknowledged records that the master lacks. */
  onDiverged(): void {
    this.#change('logs parted');
  }

  /**
   * The store cannot be trusted to take or give data: this node neither serves nor confirms any more. Until it is
   * restarted; or, if what is on the disk is damaged, until it was made anew as a slave.
   */
  onStoreFailed(what: string, damaged: boolean): void {
    if (this.#damaged && damaged) return;
    this.#trouble = what;
    this.#damaged = damaged;
    this.#change('store failed', { detail: what });
  }

  /** The damaged store was moved to an archive; the log starts from nothing. */
  onRepaired(): void {
    this.#trouble = '';
    this.#damaged = false;
  }

  /** To be called at least each heartbeat, and at `wakeAtMs`. */
  tick(): void {
    const assignment = this.#assignment;
    if (this.#damaged && !this.#following && assignment?.role === 'slave' && assignment.epoch === this.#epoch)
      this.#change('assignment', { assignment });
    this.#reign?.tick(this.#clock.monotonicMs(), this.#leaseClock.nowMs(), this.peer.grantRunsMs);
  }

  /** The node is being shut down in order: nothing is served any more. */
  stop(): void {
    this.#change('stop');
  }

  // --- what follows from it

  posture(): Posture {
    const reign = this.#reign;
    const servesUntilMs = reign?.servesUntilMs ?? -Infinity;
    const nowMs = this.#leaseClock.nowMs();
    const servesForMs = servesUntilMs - nowMs;
    return {
      role: this.role,
      epoch: this.#epoch,
      appRole: reign?.hasBegun ? 'master' : this.#following ? 'slave' : 'none',
      serves: (reign?.isReady ?? false) && servesForMs > 0,
      servesUntilMs,
      servesForMs,
      lingersForMs: (reign?.lingersUntilMs ?? -Infinity) - nowMs,
      writes: !reign?.hasBegun ? 'refused' : reign.isFrozen ? 'frozen' : 'taken',
      quiesce: reign?.isQuiescing ?? false,
      dialPeer: this.#following || (this.#trouble === '' && this.role === 'waiting'),
      feeds: reign?.hasBegun ?? false,
    };
  }

  get role(): Role {
    if (this.#reign !== null) return 'master';
    if (this.#diverged) return 'diverged';
    return this.#following ? 'slave' : 'waiting';
  }

  get phase(): ReignPhase | null {
    return this.#reign?.phase ?? null;
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** The rule by which it took, or kept, its role last (role-rules.ts); empty after its start. */
  get rule(): string {
    return this.#rule;
  }

  get renouncedEpoch(): number {
    return this.#renouncedEpoch;
  }

  /** Until a restart, or a repair, this node neither serves nor follows. */
  get storeFailed(): boolean {
    return this.#trouble !== '';
  }

  get trouble(): string {
    return this.#trouble !== '' ? this.#trouble : (this.#reign?.releasedBecause ?? '');
  }

  get assignment(): Assignment | null {
    return this.#assignment;
  }

  get proposal(): InSyncProposal | null {
    return this.#reign?.proposal ?? null;
  }

  /** Whether a confirmation of the slave may change more than what is confirmed. */
  get waitsForSlave(): boolean {
    return this.#reign?.waitsForSlave ?? false;
  }

  /** Epoch of this node's own reign once it has begun and until it is released; else null. */
  get reignEpoch(): number | null {
    return this.#reign?.hasBegun ? this.#reign.epoch : null;
  }

  /** How much of the log the other node has confirmed under this node's reign. */
  get slaveSeq(): number {
    return this.#reign?.ackedSeq ?? 0;
  }

  /** Everything up to here is held by every in-sync node; says nothing about whether this node may reply. */
  get confirmedSeq(): number {
    return Math.min(this.#ports.endSeq(), Math.max(this.#confirmedAsSlave, this.#reign?.confirmedSeq ?? 0));
  }

  /** Whether a reply may go out at this very moment. Cheap enough for every reply. */
  mayReply(): boolean {
    const reign = this.#reign;
    if (reign === null || !reign.isActive) return false;
    return reign.servesUntilMs > this.#leaseClock.nowMs();
  }

  /** The heartbeat to the controller. */
  beat(): Beat {
    return { ...this.ping(), type: 'beat', endSeq: this.#ports.endSeq(), peerSilentMs: this.peer.silentMs ?? -1 };
  }

  /** The heartbeat to the slave. */
  ping(): Ping {
    return {
      type: 'ping',
      sentAtMs: this.#leaseClock.nowMs(),
      epoch: this.#epoch,
      confirmedSeq: this.confirmedSeq,
      wantsLease: this.#reign?.isActive ?? false,
    };
  }

  /** Moment at which `tick` has something to do by itself; Infinity for none. */
  get wakeAtMs(): number {
    const waits = this.#reign?.phase === 'fencing' && this.peer.grantRunsMs > 0;
    return waits ? this.#clock.monotonicMs() + this.peer.grantRunsMs : Infinity;
  }

  // --- steps

  /** Changes the role as the rules say (role-rules.ts). */
  #change(signal: RoleSignal, about: Partial<Pick<RoleSituation, 'assignment' | 'greeting' | 'detail'>> = {}): void {
    const situation: RoleSituation = {
      node: this.#settings.node,
      instance: this.#instance,
      epoch: this.#epoch,
      barredEpoch: this.#barredEpoch,
      reignEpoch: this.#reign?.epoch ?? null,
      diverged: this.#diverged,
      trouble: this.#trouble,
      damaged: this.#damaged,
      known: this.#assignment,
      assignment: null,
      greeting: null,
      detail: '',
      ...about,
    };
    const { id, change } = roleRule(signal, situation);
    this.#rule = id;
    const { assignment } = situation;
    if (change.takes && assignment !== null) {
      this.#seeEpoch(assignment.epoch);
      this.#assignment = assignment;
      this.peer.renounced(assignment.peerRenouncedEpoch);
    }
    if (change.renounces) this.#renounce(this.#epoch, change.renounces(situation));
    this.#diverged = change.diverged ?? this.#diverged;
    this.#following = change.follows ?? this.#following;
    if (change.reign === undefined || assignment === null) return;
    if (change.reign === 'goes on') this.#reign?.onRecorded(assignment);
    else this.#reign = new Reign(assignment, this.#settings, this.#ports, () => ++this.#proposals);
  }

  /** Makes a higher epoch durable and ends whatever was going on under a lower one. */
  #seeEpoch(epoch: number): void {
    if (epoch <= this.#epoch) return;
    const former = this.#epoch;
    this.#ports.saveEpoch(epoch);
    this.#epoch = epoch;
    this.#renounce(former, 'a new reign began');
    this.#reign = null;
    this.#following = false;
  }

  /** Stops serving, for good, under any epoch up to this one; says so once the traffic is gone. */
  #renounce(epoch: number, reason: string): void {
    const reign = this.#reign;
    this.#barredEpoch = Math.max(this.#barredEpoch, epoch);
    if (reign !== null && reign.isActive && reign.epoch <= epoch) {
      this.#confirmedAsSlave = this.confirmedSeq;
      reign.release(reason);
      this.#ports.reignEnded();
    }
    this.#sayRenounced();
  }

  #sayRenounced(): void {
    if (this.#holdsTraffic || this.#renouncedEpoch === this.#barredEpoch) return;
    this.#renouncedEpoch = this.#barredEpoch;
    this.#ports.sendRelease(this.#renouncedEpoch);
  }
}
