import { AppWatch } from '../../src/agent/app/app-watch.ts';
import { AgentNode } from '../../src/agent/agent-node.ts';
import { PeerLinks } from '../../src/agent/peer-links.ts';
import type { AgentSettings } from '../../src/agent/core/agent-ports.ts';
import type { Posture } from '../../src/agent/core/posture.ts';
import type { GroupConfig } from '../../src/config/config.ts';
import type { Assignment } from '../../src/model/assignment.ts';
import { ControlServer } from '../../src/daemon/agent/control-server.ts';
import { agentSettings, trafficOutlivesMs } from '../../src/daemon/settings.ts';
import { HsctlError } from '../../src/kit/errors.ts';
import type { Log } from '../../src/replication/log/log.ts';
import { CONTROL_PORT, REPLICATION_PORT } from './ports.ts';
import type { Machine } from './machine.ts';
import type { Network } from './network.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimApp } from './sim-app.ts';
import { SimProcess } from './sim-process.ts';
import { SimService } from './sim-service.ts';
import type { RealStore } from './real-store.ts';
import { SimLog, type SimStore } from './sim-store.ts';
import { KernelAddress, SimVipHolder } from './sim-vip.ts';

/**
 * From the end of an agent to its next start, at least. By then what the former run had started is gone too: systemd
 * ends whatever is left in the unit's control group before it starts the unit anew.
 */
const RESTART_MS = 60;
/** What an agent that ends has said is sent so soon; then its process is gone. */
const LAST_WORDS_MS = 5;

/** One run of the agent of a node: the real agent over simulated sockets, disk, programs and time. */
export class AgentRun {
  readonly process: SimProcess;
  readonly node: AgentNode;
  readonly log: Log;
  readonly vip: SimVipHolder;
  readonly #settings: AgentSettings;
  readonly #peers: PeerLinks;
  /** Before that it is not on the network: nothing of a former run may be left on the machine. */
  #hasBegun = false;
  role: { role: 'master' | 'slave' | 'none'; epoch: number } = { role: 'none', epoch: 0 };
  readonly #ends = new AbortController();
  #peersEnded: Promise<void> = Promise.resolve();

  constructor(host: SimNode, peer: Machine, network: Network, random: SeededRandom) {
    const { group, machine, id } = host;
    const { world } = machine;
    const process = new SimProcess(`agent-${id}`, machine);
    const logger = process.logger();
    const settings = agentSettings(group, id);
    this.#settings = settings;
    const instance = `${id}-${random.int(1e9)}`;
    const identity = { cluster: 'sim', group: group.name, node: id, instance };
    const log = host.openLog(process);
    const syncsAlways = group.replication.fsync === 'always';
    const usesVip = group.traffic.some(({ type }) => type === 'vip');
    const vip = new SimVipHolder(process, host.address, random);
    const control = new ControlServer(identity, logger);
    this.process = process;
    this.log = log;
    this.vip = vip;
    this.node = new AgentNode(settings, {
      log,
      memory: log.memory,
      scheduler: process,
      logger,
      instance,
      syncsAlways,
      endOfTurn: (task) => void world.after(0, () => process.run(task)),
      holdTraffic: (remainingMs) => (usesVip ? vip.hold(remainingMs) : Promise.resolve()),
      trafficOutlivesMs: (remainingMs) => trafficOutlivesMs(host.group, remainingMs),
      releaseTraffic: () => (usesVip ? vip.release() : Promise.resolve()),
      certificateEndsWallMs: () => null,
      nodeFacts: () => ({ configDigest: '', connections: null, hooks: [] }),
      addresses: () => (usesVip && host.address.held ? ['10.0.0.100/32'] : []),
      warnings: () => [],
      closeGate: (onIdle) => host.app.whenIdle(() => process.run(onIdle)),
      openGate: () => undefined,
      drain: () => undefined,
      roleChanged: (posture) => this.#roleChanged(host, posture),
      logIsFree: () => peers.logIsFree,
      peerWanted: (posture) => peers.update(posture),
      sendToController: (message) => control.send(message),
      sendToSlave: (message) => peers.sendToSlave(message),
      batchMade: (batch) => peers.batchMade(batch),
      peerFacts: () => peers.facts(),
    });
    const peers = new PeerLinks({
      identity,
      node: this.node,
      log,
      settings,
      pace: { bytesPerSecond: group.replication.catchUpRate, intervalMs: group.replication.catchUpIntervalMs },
      syncsAlways,
      dial: (signal) => network.dial({ from: process, to: peer, port: REPLICATION_PORT, timeoutMs: 1000, signal }),
      endOfTurn: (task) => void world.after(0, () => process.run(task)),
      scheduler: process,
      random: random.next,
      logger,
    });
    this.#peers = peers;
    control.serve(this.node);
    const watch = new AppWatch({
      heartbeat: group.app.heartbeat,
      scheduler: process,
      joins: group.app.ready === 'app',
      joinTimeoutMs: group.app.readyTimeoutMs,
      mayBeReady: (epoch) => this.node.mayBeReady(epoch),
      endApp: () => (group.app.run === null ? undefined : host.app.crash()),
      onChange: (view) => this.node.onApp(view, 0),
    });
    const service = new SimService(this.node.replica, process);
    const begin = (): void => {
      this.#hasBegun = true;
      network.listen(process, CONTROL_PORT, (link, hello) => control.accept(link, hello));
      network.listen(process, REPLICATION_PORT, (link, hello) => peers.accept(link, hello));
      this.node.start();
      watch.start();
      this.#peersEnded = peers.run(this.#ends.signal);
      if (!syncsAlways) this.#syncNowAndThen(group.replication.fsync);
      host.app.setAgent({ process, watch, service, role: () => this.role });
    };
    process.onDeath.push(() => host.app.setAgent(null));
    process.run(() => (usesVip ? this.#clear(begin) : begin()));
  }

  /** What a former run left is removed before a word is said; an agent that cannot is started again by systemd. */
  #clear(then: () => void): void {
    this.vip.release().then(then, () => this.process.after(500, () => this.#clear(then)));
  }

  /** An order of the controller, which may come twice or late. */
  order(assignment: Assignment): void {
    this.process.run(() => {
      if (this.#hasBegun) this.node.onAssignment(assignment);
    });
  }

  /** The agent reads another file. */
  reconfigure(group: GroupConfig, id: string): void {
    this.process.run(() => {
      Object.assign(this.#settings, agentSettings(group, id));
      if (!this.#hasBegun) return;
      this.#peers.reconfigured();
      this.node.reconfigured();
    });
  }

  /** SIGTERM: everything is given back in order, then the process ends; before it has begun it holds nothing and says nothing. */
  end(): void {
    this.process.run(() => {
      if (!this.#hasBegun) return this.process.kill('killed');
      this.#ends.abort();
      void this.#peersEnded
        .then(() => this.node.stop())
        .then(() => this.process.after(LAST_WORDS_MS, () => this.process.kill('killed')));
    });
  }

  #roleChanged(host: SimNode, posture: Posture): void {
    if (!this.process.effect()) return;
    this.role = { role: posture.appRole, epoch: posture.epoch };
    host.app.roleChanged();
  }

  #syncNowAndThen(intervalMs: number): void {
    let syncing = false;
    this.process.every(intervalMs, () => {
      if (syncing) return;
      syncing = true;
      this.log
        .sync()
        .catch((error: unknown) => this.node.onDiskFailure(error))
        .finally(() => (syncing = false));
    });
  }
}

/** A node of the group: its machine, disk, address and app, and the present run of its agent. */
export class SimNode {
  readonly id: string;
  /** As this machine's file has it. */
  group: GroupConfig;
  readonly machine: Machine;
  /** What its log holds: the log itself or, beside a real one, a copy of it. */
  readonly store: SimStore;
  readonly realStore: RealStore | null;
  readonly address: KernelAddress;
  readonly app: SimApp;
  run: AgentRun | null = null;
  #mayStartAtMs = 0;
  readonly #network: Network;
  readonly #random: SeededRandom;

  constructor(parts: {
    id: string;
    group: GroupConfig;
    machine: Machine;
    store: SimStore;
    realStore: RealStore | null;
    network: Network;
    random: SeededRandom;
  }) {
    this.id = parts.id;
    this.group = parts.group;
    this.machine = parts.machine;
    this.store = parts.store;
    this.realStore = parts.realStore;
    this.#network = parts.network;
    this.#random = parts.random;
    this.address = new KernelAddress(this.machine, this.#random);
    const { app, failover } = this.group;
    this.app = new SimApp(this.machine, this.#random, {
      beatMs: (app.heartbeat?.intervalMs ?? failover.heartbeatMs) / 2,
      startMs: 2 * failover.heartbeatMs,
      readyMs: this.#random.pick([1, 2 * failover.heartbeatMs, 2 * failover.leaseMs]),
      restart: app.run === null ? null : app.restart,
    });
    this.machine.onPowerLoss.push(() => {
      if (this.realStore === null) this.store.losePower(this.#random);
      else this.realStore.losePower();
    });
  }

  /** The agent, if it is alive. */
  get agent(): AgentRun | null {
    return this.run?.process.alive === true ? this.run : null;
  }

  /** Its disk refuses everything, or no longer does. */
  breakDisk(broken: boolean): void {
    this.store.broken = broken;
    this.realStore?.setBroken(broken);
  }

  /** For a new run of the agent, which ends if its disk refuses. */
  openLog(process: SimProcess): Log {
    try {
      return this.realStore?.open(process) ?? new SimLog(this.store, process, this.#random);
    } catch (error) {
      process.kill('killed');
      throw error;
    }
  }

  /** Its file is another one, which the agent reads. */
  reconfigure(group: GroupConfig): void {
    this.group = group;
    this.agent?.reconfigure(group, this.id);
  }

  startAgent(peer: Machine): void {
    const { world } = this.machine;
    if (this.agent !== null || !this.machine.up) return;
    const again = (): void => this.startAgent(peer);
    if (this.machine.suspended) return void world.after(10, again);
    if (world.nowMs < this.#mayStartAtMs) return void world.at(this.#mayStartAtMs, again);
    world.tell(`agent-${this.id}`, 'starts');
    try {
      this.run = new AgentRun(this, peer, this.#network, this.#random);
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      world.tell(`agent-${this.id}`, `cannot start: ${error.message}`);
      return void world.after(RESTART_MS, again);
    }
    this.run.process.onDeath.push(() => (this.#mayStartAtMs = world.nowMs + RESTART_MS));
  }
}
