import { AgentCore } from '../../../src/agent/core/agent-core.ts';
import type { AgentPorts, AgentSettings } from '../../../src/agent/core/agent-ports.ts';
import type { Clock } from '../../../src/kit/clock.ts';
import { grantDurationMs } from '../../../src/kit/lease.ts';
import type { Assignment } from '../../../src/model/assignment.ts';

/** Two clocks that stand still until a test moves them. */
export class ManualClock implements Clock {
  #monotonicMs = 10_000;
  #wallMs = 1_700_000_000_000;

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  wallMs(): number {
    return this.#wallMs;
  }

  pass(byMs: number): void {
    this.#monotonicMs += byMs;
    this.#wallMs += byMs;
  }

  /** Somebody sets the wall clock, or the machine was suspended, which stops the monotonic one. */
  jump(byMs: number): void {
    this.#wallMs += byMs;
  }
}

export const SETTINGS: AgentSettings = {
  node: 'a',
  peer: 'b',
  heartbeatMs: 100,
  leaseMs: 1_000,
  lingerMs: 0,
  detectMs: 500,
  stallTimeoutMs: 2_000,
  onControllerLoss: 'serve',
  drainMs: 200,
  quiesceLimitMs: 5_000,
};

/** For how long a grantor waits for a lease. */
export const GRANT_MS = grantDurationMs(SETTINGS.leaseMs, SETTINGS.lingerMs);

export interface Memory {
  epoch: number;
  longestGrantMs: number;
}

export interface CoreOptions {
  readonly settings?: Partial<AgentSettings>;
  readonly memory?: Memory;
  readonly clock?: ManualClock;
  readonly instance?: string;
  /** Seq of the log's end. */
  readonly endSeq?: number;
}

/**
 * A real core with everything around it played by the test: the log is a number, the disk an object, and the loop is
 * `settle`, which takes and gives back the traffic as the posture says.
 */
export class CoreHarness {
  readonly clock: ManualClock;
  readonly memory: Memory;
  readonly settings: AgentSettings;
  readonly instance: string;
  readonly core: AgentCore;
  endSeq: number;
  /** What of the log this node surely keeps; null: all of it. */
  heldSeq: number | null = null;
  logIsFree = true;
  /** In-sync records in the log, oldest first, as `seq: members`. */
  readonly marks: string[] = [];
  readonly reigns: number[] = [];
  readonly releases: number[] = [];
  /** Called before each effect that writes: throws, or ends the reign, as a failing disk does. */
  onWrite: () => void = () => undefined;
  reignsEnded = 0;
  #revision = 0;

  constructor(options: CoreOptions = {}) {
    const { settings, memory, clock, instance, endSeq } = options;
    this.settings = { ...SETTINGS, ...settings };
    this.clock = clock ?? new ManualClock();
    this.memory = memory ?? { epoch: 0, longestGrantMs: 0 };
    this.instance = instance ?? 'a-1';
    this.endSeq = endSeq ?? 100;
    this.core = new AgentCore(this.settings, this.#ports(), this.clock, { ...this.memory }, this.instance);
  }

  #ports(): AgentPorts {
    return {
      saveEpoch: (epoch) => {
        this.onWrite();
        this.memory.epoch = epoch;
      },
      saveLongestGrant: (durationMs) => {
        this.onWrite();
        this.memory.longestGrantMs = durationMs;
      },
      appendReign: (epoch) => {
        this.onWrite();
        this.append();
        this.reigns.push(epoch);
      },
      appendInSync: (_epoch, members) => {
        this.onWrite();
        this.append();
        this.marks.push(`${this.endSeq}: ${members.join(',')}`);
        return this.endSeq;
      },
      logIsFree: () => this.logIsFree,
      endSeq: () => this.endSeq,
      heldSeq: () => Math.min(this.heldSeq ?? Infinity, this.endSeq),
      sendRelease: (epoch) => this.releases.push(epoch),
      reignEnded: () => {
        this.reignsEnded += 1;
      },
    };
  }

  /** Another run of the agent on the same disk, at the same moment. */
  restarted(instance = 'a-2'): CoreHarness {
    const { clock, memory, settings, endSeq } = this;
    return new CoreHarness({ clock, memory: { ...memory }, settings, endSeq, instance });
  }

  /** An assignment to this node; each is newer than the one before. */
  assignment(change: Partial<Assignment> & Pick<Assignment, 'role'>): Assignment {
    const { node, peer } = this.settings;
    return {
      revision: (this.#revision += 1),
      epoch: 1,
      master: change.role === 'slave' ? peer : node,
      masterInstance: change.role === 'slave' ? 'b-1' : this.instance,
      inSync: [node, peer],
      slaveExpected: true,
      mayServeAlone: change.inSync?.length === 1,
      peerRenouncedEpoch: Math.max(0, (change.epoch ?? 1) - 1),
      quiesce: false,
      drain: 'no',
      mayDiscard: false,
      answeredProposal: 0,
      reason: 'a test',
      ...change,
    };
  }

  assign(change: Partial<Assignment> & Pick<Assignment, 'role'>): void {
    this.core.onAssignment(this.assignment(change));
  }

  /** The controller grants a lease in answer to a beat that is sent now. */
  lease(): void {
    const { sentAtMs, epoch } = this.core.beat();
    const { leaseMs, lingerMs } = this.settings;
    this.core.onControllerGrant({ type: 'grant', echoedSentAtMs: sentAtMs, epoch, leaseMs, lingerMs });
  }

  slaveLease(): void {
    const { sentAtMs, epoch } = this.core.ping();
    const { leaseMs, lingerMs } = this.settings;
    this.core.onPeerGrant({ type: 'grant', echoedSentAtMs: sentAtMs, epoch, leaseMs, lingerMs });
  }

  ready(): void {
    this.core.onApp({ fit: true, readyEpoch: this.core.epoch, detail: '' });
  }

  appFails(detail = 'the app crashed'): void {
    this.core.onApp({ fit: false, readyEpoch: 0, detail });
  }

  /** The slave takes the link and confirms everything that is in the log. */
  slaveConfirms(): void {
    this.core.onSlaveAttached();
    this.ack();
  }

  ack(seq = this.endSeq): void {
    this.core.onAck(this.core.epoch, seq);
  }

  /** As a node does, it tells the core of each record, be it the core's own. */
  append(records = 1): void {
    this.endSeq += records;
    this.core.onAppended();
  }

  /** Time passes in heartbeats. */
  pass(byMs: number): void {
    const { heartbeatMs } = this.settings;
    for (let leftMs = byMs; leftMs > 0; leftMs -= heartbeatMs) {
      this.clock.pass(Math.min(heartbeatMs, leftMs));
      this.core.tick();
    }
  }

  /** A master of `epoch` whose app is ready, whose slave is level, under a lease of the controller. */
  static serving(epoch = 1, options: CoreOptions = {}): CoreHarness {
    const harness = new CoreHarness(options);
    harness.assign({ role: 'master', epoch });
    harness.lease();
    harness.ready();
    harness.slaveConfirms();
    harness.core.tick();
    return harness;
  }

  /** The same, alone on record. */
  static alone(epoch = 1, options: CoreOptions = {}): CoreHarness {
    const harness = new CoreHarness(options);
    harness.assign({ role: 'master', epoch, inSync: [harness.settings.node], slaveExpected: false });
    harness.ready();
    harness.core.tick();
    return harness;
  }

  /** A slave of the master of `epoch`. */
  static slave(epoch = 1, options: CoreOptions = {}): CoreHarness {
    const harness = new CoreHarness(options);
    harness.assign({ role: 'slave', epoch });
    return harness;
  }
}
