import type { Timer } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import { type AgentReport, WARNINGS_LIMIT } from '../model/agent-report.ts';
import type { Assignment } from '../model/assignment.ts';
import { NO_LEASE, type Grant, type LeaseTerms, type Ping } from '../protocol/link/messages.ts';
import { NodeReplica } from '../replication/node-replica.ts';
import type { WriteGate } from '../replication/replica.ts';
import type { AppView } from './app/app-watch.ts';
import { AgentCore } from './core/agent-core.ts';
import type { AgentSettings } from './core/agent-ports.ts';
import type { Posture } from './core/posture.ts';
import { peerReportOf, reportOf } from './core-report.ts';
import type { NodePorts } from './node-ports.ts';
import { readOnly, readRefusal } from './refusals.ts';
import { TrafficKeeper } from './traffic-keeper.ts';

const OPEN: WriteGate = { state: 'open' };
const HOLD: WriteGate = { state: 'hold' };

/**
 * The agent of one node: its core, its replica, and the loop that makes real what the core's posture says. It knows no
 * sockets and no programs; those are behind `NodePorts`, so that the simulator runs this very code.
 */
export class AgentNode {
  readonly core: AgentCore;
  readonly replica: NodeReplica;
  readonly #settings: AgentSettings;
  readonly #ports: NodePorts;
  readonly #traffic: TrafficKeeper;
  #app: AppView = { state: 'absent', fit: true, readyEpoch: 0, detail: 'no app has joined yet' };
  #restarts = 0;
  #done: Posture | null = null;
  #drains: Assignment['drain'] = 'no';
  /** New work is kept out. */
  #quiesces = false;
  /** A reign of this run or of a former one ended, and the log does not go on from the new master's yet: it may hold what is cut off then. */
  #isTailDoubtful: boolean;
  #heart: Timer | null = null;
  #wake: Timer | null = null;
  #heldSeq: number;
  #reported = '';
  #divergence: AgentReport['divergence'] = null;
  readonly archives: string[] = [];

  constructor(settings: AgentSettings, ports: NodePorts) {
    this.#settings = settings;
    this.#ports = ports;
    const { log, memory } = ports;
    this.#heldSeq = log.end.seq;
    this.#isTailDoubtful = log.end.seq > 0;
    this.core = new AgentCore(
      settings,
      {
        saveEpoch: (epoch) => memory.save({ epoch }),
        saveLongestGrant: (longestGrantMs) => memory.save({ longestGrantMs }),
        appendReign: () => {
          // What was held of a log that may have been cut since says nothing about this one.
          this.#heldSeq = 0;
          if (this.core.assignment?.inSync.includes(settings.peer)) this.#noteAlone(false);
          this.replica.appendReign(settings.node);
        },
        appendInSync: (_epoch, members) => {
          if (members.length === 1) this.#noteAlone(true);
          return this.replica.appendInSync(members);
        },
        logIsFree: () => ports.logIsFree(),
        endSeq: () => log.end.seq,
        heldSeq: () => (ports.syncsAlways ? Math.min(this.#heldSeq, log.end.seq) : log.end.seq),
        sendRelease: (renouncedEpoch) => ports.sendToSlave({ type: 'release', renouncedEpoch }),
        reignEnded: () => {
          this.#isTailDoubtful = true;
          this.replica.reignLost();
        },
      },
      ports.scheduler,
      memory,
      ports.instance,
    );
    this.#traffic = new TrafficKeeper({
      settings,
      clock: ports.scheduler,
      logger: ports.logger,
      hold: (remainingMs) => ports.holdTraffic(remainingMs),
      outlivesMs: (remainingMs) => ports.trafficOutlivesMs(remainingMs),
      release: () => ports.releaseTraffic(),
      askForLease: () => this.#askForLease(),
      onTaken: () => this.core.onTrafficTaken(),
      onGone: () => this.act(() => this.core.onTrafficGone()),
    });
    this.replica = new NodeReplica(
      log,
      {
        reignEpoch: () => this.core.reignEpoch,
        gate: () => this.#gate(),
        readRefusal: () => readRefusal(this.core, settings, log, this.#isTailDoubtful),
        // Of a damaged log nothing is given out.
        confirmedSeq: () => (log.damage === null ? this.core.confirmedSeq : 0),
        mayReply: () => this.core.mayReply(),
        slaveSeq: () => this.core.slaveSeq,
        appended: () => this.#onAppended(),
        onDiskFailure: (error) => this.onDiskFailure(error),
      },
      (batch) => ports.batchMade(batch),
      (task) => ports.endOfTurn(task),
    );
  }

  /** Starts the heartbeat. Returns a function that ends it. */
  start(): () => void {
    const { damage } = this.#ports.log;
    if (damage !== null) this.onDiskFailure(damage);
    this.#startHeart();
    this.reconcile();
    return () => {
      this.#heart?.cancel();
      this.#wake?.cancel();
    };
  }

  /** The settings have changed: whoever waits for heartbeats gets one now, and then at the new pace. */
  reconfigured(): void {
    this.#startHeart();
    this.beat();
  }

  #startHeart(): void {
    this.#heart?.cancel();
    this.#heart = this.#ports.scheduler.every(this.#settings.heartbeatMs, () => this.beat());
  }

  /** One heartbeat: looks at the clocks, and asks both grantors for another lease. */
  beat(): void {
    this.act(() => this.core.tick());
    this.#askForLease();
  }

  #askForLease(): void {
    this.#ports.sendToController(this.core.beat());
    if (this.#done?.feeds) this.#ports.sendToSlave(this.core.ping());
  }

  /** Any change of the core goes through this: a disk that fails ends the reign, and what follows is made real. */
  act(change: () => void): void {
    try {
      change();
      // A master asks for its slave to be in sync once that one has all, and then confirms nothing without it.
      if (this.core.proposal?.inSync.includes(this.#settings.peer)) this.#noteAlone(false);
    } catch (error) {
      this.onDiskFailure(error);
    }
    this.reconcile();
  }

  onAssignment(assignment: Assignment): void {
    const asked = this.core.proposal?.id ?? Infinity;
    const isLetAlone = assignment.answeredProposal >= asked && assignment.inSync.length === 1;
    // What the peer has confirmed must not be lost with this machine's power once its word alone counts.
    if (isLetAlone && !this.#ports.syncsAlways) void this.#syncThen(() => this.#take(assignment));
    else this.#take(assignment);
  }

  #take(assignment: Assignment): void {
    const before = this.core.epoch;
    this.act(() => this.core.onAssignment(assignment));
    // A reign begins with a lease: it is asked for at once.
    if (this.core.phase === 'fencing') this.beat();
    if (this.core.epoch !== before)
      this.#ports.logger.info(`epoch ${this.core.epoch}: ${assignment.reason}`, {
        role: this.core.role,
        rule: this.core.rule,
      });
  }

  onControllerGrant(grant: Grant): void {
    this.act(() => this.core.onControllerGrant(grant));
  }

  /** The hot one: a confirmation of the slave moves the confirmed seq, and rarely anything else. */
  onAck(epoch: number, seq: number): void {
    if (this.core.waitsForSlave) return this.act(() => this.core.onAck(epoch, seq));
    this.core.onAck(epoch, seq);
    this.replica.confirmedMayHaveRisen();
  }

  /** Records of the master were appended, once a turn. A planned change waits until the controller knows that all of them are here. */
  onFollowed(): void {
    if (this.core.assignment?.quiesce) this.#ports.sendToController(this.core.beat());
  }

  /** A ping of the master: the lease to grant. */
  onPing(ping: Ping): LeaseTerms {
    let terms = NO_LEASE;
    const before = this.core.confirmedSeq;
    try {
      terms = this.core.onPing(ping);
    } catch (error) {
      this.onDiskFailure(error);
    }
    if (this.core.confirmedSeq > before) this.replica.confirmedMayHaveRisen();
    return terms;
  }

  /** A cut tail was saved to this file; an empty name: there was nothing to save. */
  onArchived(path: string): void {
    this.core.onLogCut();
    if (path === '') return;
    this.archives.push(path);
    this.#ports.logger.warn(`records that no other node has were archived in ${path}`);
    this.reconcile();
  }

  /** The damaged store was moved to this archive. */
  onRepaired(path: string): void {
    this.archives.push(path);
    this.#ports.logger.warn(`the damaged store was moved to ${path}: the state is copied from the peer`);
    this.act(() => this.core.onRepaired());
  }

  /** This node's log goes on from the master's: nothing in it is this node's alone. */
  onFollowing(): void {
    this.#isTailDoubtful = false;
    this.act(() => this.#noteAlone(false));
  }

  onApp(view: AppView, restarts: number): void {
    if (view.state !== this.#app.state) this.#ports.logger.info(`app: ${view.state}`, { detail: view.detail });
    this.#app = view;
    this.#restarts = restarts;
    this.act(() => this.core.onApp(view));
  }

  /** This node's log may not be cut to follow the master. */
  onDiverged(divergence: NonNullable<AgentReport['divergence']>): void {
    this.#divergence = divergence;
    this.act(() => this.core.onDiverged());
  }

  onDiskFailure(error: unknown): void {
    if (!(error instanceof HsctlError)) throw error;
    if (this.core.trouble !== error.message) this.#ports.logger.error(error.message, { hint: error.hint });
    const { damage, failure } = this.#ports.log;
    this.core.onStoreFailed(error.message, damage !== null && failure === null);
    this.reconcile();
  }

  /** Null if the reign waits for the app's word on this epoch, else what to answer to it. */
  mayBeReady(epoch: number): string | null {
    const { role, epoch: present } = this.core;
    if (role !== 'master') return `READONLY this node is ${role}, not master`;
    return epoch === present ? null : `ERR epoch ${epoch} is over, the present one is ${present}`;
  }

  /** Gives everything back, in order, before the process ends. */
  async stop(): Promise<void> {
    this.act(() => this.core.stop());
    await this.#traffic.release();
  }

  report(): AgentReport {
    const { core, archives } = this;
    const ports = this.#ports;
    const { state, readyEpoch, detail } = this.#app;
    return {
      ...reportOf(core, ports.log.state()),
      node: this.#settings.node,
      instance: ports.instance,
      confirmedAlone: ports.memory.confirmedAlone,
      app: { state, readyEpoch, restarts: this.#restarts, detail },
      peer: { ...peerReportOf(core), ...ports.peerFacts() },
      divergence: core.role === 'diverged' ? this.#divergence : null,
      archives,
      certificateEndsWallMs: ports.certificateEndsWallMs(),
      ...ports.nodeFacts(),
      addresses: [...ports.addresses()],
      warnings: ports.warnings().slice(0, WARNINGS_LIMIT),
    };
  }

  /** The controller is there (again): it needs the whole report. */
  forgetReported(): void {
    this.#reported = '';
    this.reconcile();
  }

  /** Makes real what the posture says, and tells the controller what is new. */
  reconcile(): void {
    const posture = this.core.posture();
    const before = this.#done;
    this.#done = posture;
    if (posture.appRole !== before?.appRole || posture.epoch !== before.epoch) this.#ports.roleChanged(posture);
    this.replica.gateMayHaveChanged();
    // Whoever was told may have changed the core: then the call of this function within has seen to the rest.
    if (this.#done !== posture) return;
    this.#ports.peerWanted(posture);
    this.#traffic.update(posture);
    // The gate of a node that gives its traffic up opens only afterwards.
    this.#quiesce(posture.quiesce);
    this.#drain(this.core.assignment?.drain ?? 'no');
    this.#planWake();
    this.replica.confirmedMayHaveRisen();
    this.#pushReport();
  }

  // --- steps

  /** Whether acknowledged records may be on this node alone: kept outside the log, for the day on which that cannot be read. */
  #noteAlone(alone: boolean): void {
    const { memory } = this.#ports;
    if (memory.confirmedAlone !== alone) memory.save({ confirmedAlone: alone });
  }

  /** A reign that waits for this node's own grant to run out begins at that very moment, not at the next heartbeat. */
  #planWake(): void {
    const { wakeAtMs } = this.core;
    if (wakeAtMs === Infinity || this.#wake !== null) return;
    this.#wake = this.#ports.scheduler.after(wakeAtMs - this.#ports.scheduler.monotonicMs(), () => {
      this.#wake = null;
      this.act(() => this.core.tick());
    });
  }

  #quiesce(wanted: boolean): void {
    if (wanted === this.#quiesces) return;
    this.#quiesces = wanted;
    if (wanted) this.#ports.closeGate(() => this.act(() => this.core.onWorkEnded()));
    else this.#ports.openGate();
  }

  #drain(wish: Assignment['drain']): void {
    if (wish === this.#drains) return;
    this.#drains = wish;
    this.#ports.drain(wish);
  }

  #pushReport(): void {
    const report = this.report();
    // Counters and distances ride on the beats; they alone are no news. The progress of a catch-up is, once a second.
    const { log, peer } = report;
    const progress = peer.catchUp === null ? null : Math.floor(this.#ports.scheduler.monotonicMs() / 1000);
    const steady = { ...report, confirmedSeq: 0, log: { intact: log.intact, epoch: log.end.epoch } };
    const steadyPeer = [peer.linked, peer.renouncedEpoch, peer.grantRunsMs > 0, progress];
    const news = JSON.stringify({ ...steady, peer: steadyPeer });
    if (news === this.#reported) return;
    this.#reported = news;
    this.#ports.sendToController({ type: 'report', report });
  }

  #onAppended(): void {
    this.core.onAppended();
    if (this.#ports.syncsAlways) void this.#syncThenConfirm();
    else this.replica.confirmedMayHaveRisen();
  }

  #syncThenConfirm(): Promise<void> {
    const { reignEpoch } = this.core;
    return this.#syncThen((seq) => {
      if (this.core.reignEpoch !== reignEpoch) return;
      this.#heldSeq = Math.max(this.#heldSeq, seq);
      this.core.onAppended();
      this.replica.confirmedMayHaveRisen();
    });
  }

  async #syncThen(act: (seq: number) => void): Promise<void> {
    try {
      const end = await this.#ports.log.sync();
      act(end.seq);
    } catch (error) {
      this.onDiskFailure(error);
    }
  }

  #gate(): WriteGate {
    const writes = this.#done?.writes ?? 'refused';
    if (writes === 'refused') return { state: 'refuse', error: readOnly(this.core, this.#settings) };
    return writes === 'frozen' || !this.core.mayReply() ? HOLD : OPEN;
  }
}
