import { silentLogger } from '../../src/kit/logger.ts';
import { AgentNode } from '../../src/agent/agent-node.ts';
import type { NodePorts } from '../../src/agent/node-ports.ts';
import type { AgentSettings } from '../../src/agent/core/agent-ports.ts';
import type { PeerLinks } from '../../src/agent/peer-links.ts';
import type { AgentReport } from '../../src/model/agent-report.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import type { Beat, Ping } from '../../src/protocol/link/messages.ts';
import { ManualScheduler } from '../kit/manual-scheduler.ts';
import { MemoryLog } from '../replication/memory-log.ts';
import { addressOutlivesLeaseMs } from '../../src/traffic/vip/plan.ts';
import { SETTINGS } from './core/core-harness.ts';

/** One order about traffic; settled by the test, or at once. */
export interface TrafficOrder {
  readonly what: 'hold' | 'release';
  readonly atMs: number;
  readonly remainingMs: number;
}

/** A real AgentNode in virtual time, on a log in memory; the test plays controller, slave, app and network devices. */
export class NodeHarness {
  readonly scheduler: ManualScheduler;
  readonly log: MemoryLog;
  readonly settings: AgentSettings;
  readonly node: AgentNode;
  readonly traffic: TrafficOrder[] = [];
  readonly roles: string[] = [];
  readonly batches: Uint8Array[] = [];
  readonly toController: (Beat | { readonly type: 'report'; readonly report: AgentReport })[] = [];
  readonly toSlave: (Ping | { readonly type: 'release'; readonly renouncedEpoch: number })[] = [];
  onToController: (message: Beat | { readonly type: 'report'; readonly report: AgentReport }) => void = () => undefined;
  /** The links to the peer, where a test has them. */
  links: PeerLinks | null = null;
  /** What the devices answer to an order; a test may make them fail or wait. */
  onOrder: (order: TrafficOrder) => Promise<void> = () => Promise.resolve();
  gate: 'open' | 'closed' = 'open';
  onIdle: () => void = () => undefined;
  #revision = 0;

  /** `log`: what a former run has left. */
  constructor(
    settings: Partial<AgentSettings> = {},
    syncsAlways = false,
    scheduler = new ManualScheduler(),
    log = new MemoryLog(),
  ) {
    this.scheduler = scheduler;
    this.log = log;
    this.settings = { ...SETTINGS, ...settings };
    this.node = new AgentNode(this.settings, this.#ports(syncsAlways));
  }

  #ports(syncsAlways: boolean): NodePorts {
    const { scheduler, log } = this;
    return {
      log,
      memory: log.memory,
      scheduler,
      logger: silentLogger,
      instance: `${this.settings.node}-1`,
      logIsFree: () => this.links?.logIsFree ?? true,
      syncsAlways,
      endOfTurn: (task) => void scheduler.after(0, task),
      holdTraffic: (remainingMs) => this.#order('hold', remainingMs),
      trafficOutlivesMs: addressOutlivesLeaseMs,
      releaseTraffic: () => this.#order('release', 0),
      addresses: () => [],
      warnings: () => [],
      certificateEndsWallMs: () => null,
      nodeFacts: () => ({ configDigest: '', connections: null, hooks: [] }),
      closeGate: (onIdle) => {
        this.gate = 'closed';
        this.onIdle = onIdle;
      },
      openGate: () => {
        this.gate = 'open';
      },
      drain: () => undefined,
      roleChanged: ({ appRole, epoch }) => {
        this.roles.push(`${appRole} ${epoch}`);
      },
      peerWanted: (posture) => this.links?.update(posture),
      sendToController: (message) => {
        this.toController.push(message);
        this.onToController(message);
      },
      sendToSlave: (message) => {
        this.toSlave.push(message);
        this.links?.sendToSlave(message);
      },
      batchMade: (batch) => {
        this.batches.push(batch.slice());
        return this.links?.batchMade(batch) ?? false;
      },
      peerFacts: () => this.links?.facts() ?? { end: null, lagBytes: null, catchUp: null },
    };
  }

  #order(what: TrafficOrder['what'], remainingMs: number): Promise<void> {
    const order = { what, remainingMs, atMs: this.scheduler.monotonicMs() };
    this.traffic.push(order);
    return this.onOrder(order);
  }

  assign(change: Partial<Assignment> & Pick<Assignment, 'role'>): void {
    const { node, peer } = this.settings;
    this.node.onAssignment({
      revision: (this.#revision += 1),
      epoch: 1,
      master: change.role === 'slave' ? peer : node,
      masterInstance: `${change.role === 'slave' ? peer : node}-1`,
      inSync: [node, peer],
      slaveExpected: true,
      mayServeAlone: change.inSync?.length === 1,
      peerRenouncedEpoch: (change.epoch ?? 1) - 1,
      quiesce: false,
      drain: 'no',
      mayDiscard: false,
      answeredProposal: 0,
      reason: 'a test',
      ...change,
    });
  }

  /** The newest beat is answered with a lease. */
  grant(): void {
    const beat = this.toController.findLast((message) => message.type === 'beat');
    if (beat === undefined) throw new Error('there was no beat');
    const { sentAtMs, epoch } = beat;
    const { leaseMs, heartbeatMs } = this.settings;
    const lingerMs = addressOutlivesLeaseMs(leaseMs) + heartbeatMs / 2;
    this.node.onControllerGrant({ type: 'grant', echoedSentAtMs: sentAtMs, epoch, leaseMs, lingerMs });
  }

  appUp(readyEpoch: number): void {
    this.node.onApp({ state: 'up', fit: true, readyEpoch, detail: '' }, 0);
  }

  appCrashed(): void {
    this.node.onApp({ state: 'down', fit: false, readyEpoch: 0, detail: 'it crashed' }, 0);
  }

  slaveConfirms(): void {
    this.node.act(() => this.node.core.onSlaveAttached());
    this.node.onAck(this.node.core.epoch, this.log.end.seq);
  }

  /** A master of epoch 1 under a lease, with a level slave and a ready app. */
  static serving(settings: Partial<AgentSettings> = {}, syncsAlways = false): NodeHarness {
    const harness = new NodeHarness(settings, syncsAlways);
    harness.node.reconcile();
    harness.assign({ role: 'master' });
    harness.grant();
    harness.slaveConfirms();
    harness.appUp(1);
    return harness;
  }

  static alone(settings: Partial<AgentSettings> = {}, syncsAlways = false): NodeHarness {
    const harness = new NodeHarness(settings, syncsAlways);
    harness.node.reconcile();
    harness.assign({ role: 'master', inSync: ['a'] });
    harness.appUp(1);
    return harness;
  }

  /** A client writes one key. Returns the seq of its record. */
  set(key: string): number {
    const bytes = Buffer.from(`${key}value`);
    return this.node.replica.set(bytes, 0, key.length, key.length, bytes.length);
  }

  get report(): AgentReport | null {
    const message = this.toController.findLast((each) => each.type === 'report');
    return message?.report ?? null;
  }
}
