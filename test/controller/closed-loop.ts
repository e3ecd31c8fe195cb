import { setImmediate as turn } from 'node:timers/promises';
import { GroupController } from '../../src/controller/group-controller.ts';
import type { GroupSettings } from '../../src/controller/group-ports.ts';
import type { DesiredTraffic, FenceOutcome, Records, Saved } from '../../src/controller/ports.ts';
import type { Scheduler, Timer } from '../../src/kit/clock.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import type { AgentReport } from '../../src/model/agent-report.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { GroupRecord } from '../../src/model/group-record.ts';
import { CoreHarness, GRANT_MS, ManualClock, SETTINGS } from '../agent/core/core-harness.ts';
import { reportOf } from '../model/reports.ts';

const STEP_MS = SETTINGS.heartbeatMs;

/** A clock whose timers run as it is moved on. */
class LoopClock extends ManualClock implements Scheduler {
  readonly #due = new Set<{ readonly atMs: number; readonly task: () => void }>();

  after(delayMs: number, task: () => void): Timer {
    const timer = { atMs: this.monotonicMs() + delayMs, task };
    this.#due.add(timer);
    return { cancel: () => void this.#due.delete(timer) };
  }

  every(): Timer {
    throw new Error('nothing in the loop repeats by itself');
  }

  override pass(byMs: number): void {
    super.pass(byMs);
    for (const timer of this.#due) {
      if (timer.atMs > this.monotonicMs()) continue;
      this.#due.delete(timer);
      timer.task();
    }
  }
}

/** One node of the loop: a real core, its app, and what it knows of its peer. */
export class LoopNode {
  harness: CoreHarness;
  /** Records are level unless a test says otherwise. */
  endEpoch = 7;
  appUp = true;
  linked = true;
  /** The epoch under which it takes part in the link to its peer. */
  attachedUnder = -1;
  #runs = 1;

  constructor(id: 'a' | 'b', clock: ManualClock, epoch: number) {
    const settings = { ...SETTINGS, node: id, peer: id === 'a' ? 'b' : 'a' };
    this.harness = new CoreHarness({
      clock,
      settings,
      memory: { epoch, longestGrantMs: 0 },
      instance: `instance-of-${id}`,
    });
  }

  get id(): string {
    return this.harness.settings.node;
  }

  restart(): void {
    this.#runs += 1;
    this.harness = this.harness.restarted(`${this.id}-${this.#runs}`);
    this.attachedUnder = -1;
  }

  report(): AgentReport {
    const { core, endSeq, instance } = this.harness;
    const usual = reportOf(this.id);
    return {
      ...usual,
      instance,
      role: core.role,
      epoch: core.epoch,
      renouncedEpoch: core.renouncedEpoch,
      phase: core.phase,
      trouble: core.trouble,
      storeFailed: core.storeFailed,
      assignmentRevision: core.assignment?.revision ?? 0,
      log: { end: { epoch: this.endEpoch, seq: endSeq, hash: 0 }, intact: true, aloneTo: 0 },
      inSync: [...(core.assignment?.inSync ?? [])],
      confirmedSeq: core.confirmedSeq,
      app: { ...usual.app, state: this.appUp ? 'up' : 'down' },
      peer: { ...usual.peer, renouncedEpoch: core.peer.renouncedEpoch, grantRunsMs: core.peer.grantRunsMs },
      proposal: core.proposal,
    };
  }
}

/** Records in memory. */
class LoopRecords implements Records {
  load(): Map<string, GroupRecord> {
    return new Map();
  }
  save(_record: GroupRecord, _events: unknown, onSaved: Saved): void {
    onSaved(null, []);
  }
  settle(onSettled: (error: null) => void): void {
    onSettled(null);
  }
  append(): void {}
  events(): readonly never[] {
    return [];
  }
  longestGrantMs(): number {
    return GRANT_MS;
  }
  saveLongestGrantMs(): void {}
  close(): void {}
}

/**
 * The smallest closed loop: the real controller and the real cores of two agents, with perfect links between them that a
 * test may cut. Time goes on in heartbeats, and logs are numbers.
 */
export class ClosedLoop {
  readonly clock = new LoopClock();
  readonly a: LoopNode;
  readonly b: LoopNode;
  readonly controller: GroupController;
  peersLinked = true;
  readonly #assignments: (() => void)[] = [];

  constructor(record: GroupRecord, settings: Partial<GroupSettings> = {}) {
    this.a = new LoopNode('a', this.clock, Math.max(0, record.epoch - 1));
    this.b = new LoopNode('b', this.clock, Math.max(0, record.epoch - 1));
    this.controller = new GroupController(
      {
        group: 'world',
        nodes: ['a', 'b'],
        mode: 'auto',
        prefer: 'a',
        leaseMs: SETTINGS.leaseMs,
        lingerMs: SETTINGS.lingerMs,
        grantMs: GRANT_MS,
        heartbeatMs: STEP_MS,
        detectMs: SETTINGS.detectMs,
        holdDownMs: 5_000,
        readyTimeoutMs: 3_000,
        finishWorkMs: 200,
        probeSettleMs: 0,
        switchoverTimeoutMs: 3_000,
        onControllerLoss: SETTINGS.onControllerLoss,
        appJoins: true,
        fence: 'doubt',
        fenceable: [],
        ...settings,
      },
      record,
      {
        records: new LoopRecords(),
        scheduler: this.clock,
        logger: silentLogger,
        assign: (id, assignment) => this.#assign(id, assignment),
        moveTraffic: (desired) => this.#moveTraffic(desired),
        fence: ({ node }) => this.#powerCycle(node),
      },
    );
    this.controller.onLinked('a');
    this.controller.onLinked('b');
  }

  /** What fence commands do: the machine starts anew. */
  async #powerCycle(id: string): Promise<FenceOutcome> {
    this.nodes.find((node) => node.id === id)?.restart();
    return { state: 'confirmed', detail: 'power cycled' };
  }

  get nodes(): readonly LoopNode[] {
    return [this.a, this.b];
  }

  get master(): LoopNode | null {
    return this.nodes.find(({ harness }) => harness.core.posture().serves) ?? null;
  }

  /** One heartbeat of everybody. */
  async step(): Promise<void> {
    this.clock.pass(STEP_MS);
    for (const { harness } of this.nodes) harness.core.tick();
    this.#replicate();
    for (const node of this.nodes) this.#runApp(node);
    for (const node of this.nodes) if (node.linked) this.#talk(node);
    this.controller.step();
    for (const deliver of this.#assignments.splice(0)) deliver();
    await turn();
  }

  /** Goes on until `done`, for at most this long; whether it came to that. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    for (let passedMs = 0; passedMs < limitMs; passedMs += STEP_MS) {
      if (done()) return true;
      await this.step();
    }
    return done();
  }

  #assign(id: string, assignment: Assignment): void {
    const node = id === 'a' ? this.a : this.b;
    const { harness } = node;
    // A link that was cut, or an agent that was restarted, loses what was under way.
    this.#assignments.push(() => {
      if (node.linked && node.harness === harness) harness.core.onAssignment(assignment);
    });
  }

  #moveTraffic(_desired: DesiredTraffic): Promise<void> {
    return Promise.resolve();
  }

  #talk(node: LoopNode): void {
    const { core } = node.harness;
    this.controller.onReport(node.id, node.report());
    core.onControllerGrant(this.controller.onBeat(node.id, core.beat()));
  }

  #runApp({ harness, appUp }: LoopNode): void {
    const { core } = harness;
    if (!appUp) harness.appFails();
    else core.onApp({ fit: true, readyEpoch: core.posture().appRole === 'master' ? core.epoch : 0, detail: '' });
    if (core.posture().quiesce) core.onWorkEnded();
  }

  /** The link between the nodes: greetings, the log as far as it is, confirmations and leases. */
  #replicate(): void {
    if (!this.peersLinked) return this.#part();
    for (const [one, other] of [
      [this.a, this.b],
      [this.b, this.a],
    ] as const) {
      const { core } = one.harness;
      const dials = core.posture().dialPeer || other.harness.core.posture().dialPeer;
      if (dials)
        other.harness.core.onPeerHello({ role: core.role, epoch: core.epoch, renouncedEpoch: core.renouncedEpoch });
    }
    this.#follow(this.a, this.b);
    this.#follow(this.b, this.a);
  }

  #follow(master: LoopNode, slave: LoopNode): void {
    const { core } = master.harness;
    const isFollowed = core.posture().feeds && slave.harness.core.role === 'slave';
    if (!isFollowed || slave.harness.core.epoch !== core.epoch) {
      if (slave.attachedUnder === core.epoch) this.#lose(master, slave);
      return;
    }
    slave.harness.endSeq = master.harness.endSeq;
    slave.endEpoch = master.endEpoch = core.epoch;
    if (slave.attachedUnder !== core.epoch) {
      slave.attachedUnder = core.epoch;
      core.onSlaveAttached();
    }
    master.harness.ack();
    const ping = core.ping();
    const terms = slave.harness.core.onPing(ping);
    core.onPeerGrant({ type: 'grant', echoedSentAtMs: ping.sentAtMs, epoch: ping.epoch, ...terms });
  }

  #part(): void {
    this.#lose(this.a, this.b);
    this.#lose(this.b, this.a);
  }

  #lose(master: LoopNode, slave: LoopNode): void {
    if (slave.attachedUnder === -1) return;
    slave.attachedUnder = -1;
    master.harness.core.onPeerLost();
  }
}
