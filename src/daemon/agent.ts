import { AgentNode } from '../agent/agent-node.ts';
import { AppWatch } from '../agent/app/app-watch.ts';
import type { Supervisor } from '../agent/app/supervisor.ts';
import type { Posture } from '../agent/core/posture.ts';
import { PeerLinks } from '../agent/peer-links.ts';
import type { NodeView } from '../agent/resp/node-view.ts';
import { RespService } from '../agent/resp/resp-service.ts';
import type { Config, GroupConfig } from '../config/config.ts';
import { isSame } from '../config/differences.ts';
import { loadConfig } from '../config/load.ts';
import { systemScheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import { run } from '../kit/exec.ts';
import type { Logger } from '../kit/logger.ts';
import { ProgramGuard } from '../kit/program-guard.ts';
import { secretRandom, systemRandom, uniqueId } from '../kit/random.ts';
import { threadRewriter } from '../replication/log/compaction/thread-rewriter.ts';
import { DiskLog } from '../replication/log/disk-log.ts';
import { NodeDisk } from '../replication/log/node-disk.ts';
import { threadIndexBuilder } from '../replication/log/thread-index-builder.ts';
import type { Pace } from '../replication/pace/token-bucket.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { dialLink } from '../transport/dial.ts';
import { listenForLinks } from '../transport/listen.ts';
import type { LinkSecurity } from '../transport/security.ts';
import type { AgentSettings } from '../agent/core/agent-ports.ts';
import { AgentConfig } from './agent/agent-config.ts';
import { ControlServer, type ReloadOutcome } from './agent/control-server.ts';
import { collectSeldom } from './agent/heap.ts';
import { type HookCall, Hooks, type NotifyState } from './agent/hooks.ts';
import { LocalProbe } from './agent/local-probe.ts';
import { NodeDrain } from './agent/node-drain.ts';
import { NodeTraffic } from './agent/node-traffic.ts';
import { superviseApp } from './agent/supervise-app.ts';
import { certificateEnd, followCredentials, securityFor } from './security.ts';
import { agentSettings, groupNamed, trafficOutlivesMs } from './settings.ts';
import { onHangUp } from './hang-up.ts';
import { notifySystemd } from './systemd.ts';

/**
 * The agent of one node of one group. Resolves when it was told to stop, has given back what it held and has stopped.
 * @throws HsctlError('config'), ('usage') for a group or node that the file does not have, ('disk') for its store, ('failed') for its sockets
 */
export async function runAgent(
  configPath: string,
  groupName: string,
  nodeId: string,
  signal: AbortSignal,
): Promise<void> {
  const { config, warnings } = loadConfig(configPath);
  const group = groupNamed(config.groups, groupName);
  const node = group.nodes.find(({ id }) => id === nodeId);
  if (node === undefined) {
    throw new HsctlError(
      'usage',
      `group ${groupName} has no node ${nodeId}`,
      `it has: ${group.nodes.map(({ id }) => id).join(', ')}`,
    );
  }
  const logger = makeLogger({ name: 'agent' }).child({ group: group.name, node: node.id });
  for (const warning of warnings) logger.warn(warning);
  collectSeldom();
  let agent: Agent | null = null;
  const log = DiskLog.open({
    disk: new NodeDisk(),
    directory: node.store,
    segmentBytes: group.replication.segmentBytes,
    tombstonesMs: group.replication.tombstonesMs,
    rewriter: threadRewriter(),
    startIndexBuilder: threadIndexBuilder,
    fsyncAlways: group.replication.fsync === 'always',
    clock: systemScheduler,
    readBackTimers: systemScheduler,
    random: secretRandom,
    onTornTail: (tail) => logger.warn('a crash left the end of the log unfinished; it was cut off', { ...tail }),
    opensDamaged: true,
    onTrouble: (error) => {
      logger.error(error.message, { hint: error.hint });
      agent?.onTrouble(error);
    },
  });
  try {
    const live = new AgentConfig({ path: configPath, config, group, node: nodeId, logger });
    agent = new Agent(config, live, log, logger);
    await agent.run(signal);
  } finally {
    await log.close();
  }
}

/** Wires the parts of an agent; they know each other only through here. */
class Agent {
  readonly #config: Config;
  readonly #live: AgentConfig;
  /** Read by the parts at each use: a reload changes it in place. */
  readonly #settings: AgentSettings;
  readonly #log: DiskLog;
  readonly #logger: Logger;
  readonly #node: AgentNode;
  readonly #traffic: NodeTraffic;
  readonly #drain: NodeDrain;
  readonly #control: ControlServer;
  readonly #peers: PeerLinks;
  readonly #app: AppWatch;
  readonly #supervisor: Supervisor | null;
  readonly #probe: LocalProbe;
  readonly #hooks: Hooks;
  readonly #resp: RespService;
  readonly #security: LinkSecurity;
  /** Unknown at first: the demote hook then clears what a killed agent left. */
  #wasMaster = true;
  #isStopping = false;

  constructor(config: Config, live: AgentConfig, log: DiskLog, logger: Logger) {
    const { group, own } = live;
    const scheduler = systemScheduler;
    const instance = uniqueId();
    const identity = { cluster: config.cluster, group: group.name, node: own.id, instance };
    this.#config = config;
    this.#live = live;
    this.#settings = agentSettings(group, own.id);
    this.#log = log;
    this.#logger = logger;
    this.#security = securityFor(config, own.id);
    this.#traffic = new NodeTraffic(group, own, { scheduler, logger });
    this.#control = new ControlServer(identity, logger);
    this.#drain = new NodeDrain(own.appPort, () => this.#traffic.lostAddresses(), {
      scheduler,
      logger,
      run,
      onCount: () => this.#node.reconcile(),
    });
    this.#hooks = new Hooks({
      app: () => live.group.app,
      scheduler,
      logger,
      run,
      onRun: () => this.#node.reconcile(),
    });
    this.#node = new AgentNode(this.#settings, {
      log,
      memory: log.memory,
      scheduler,
      logger,
      instance,
      syncsAlways: group.replication.fsync === 'always',
      endOfTurn: setImmediate,
      holdTraffic: (remainingMs) => this.#traffic.hold(remainingMs),
      trafficOutlivesMs: (remainingMs) => trafficOutlivesMs(live.group, remainingMs),
      releaseTraffic: () => this.#traffic.release(),
      addresses: () => this.#traffic.addresses(),
      warnings: () => [...this.#traffic.warnings(), ...this.#probe.warnings],
      certificateEndsWallMs: () => certificateEnd(this.#security),
      nodeFacts: () => ({
        configDigest: live.digest,
        connections: this.#drain.connections,
        hooks: [...this.#hooks.runs],
      }),
      closeGate: (onIdle) => void this.#traffic.closeGate(onIdle),
      openGate: () => void this.#traffic.openGate(),
      drain: (wish) => this.#drain.update(wish),
      roleChanged: (posture) => this.#onRole(posture),
      logIsFree: () => this.#peers.logIsFree,
      peerWanted: (posture) => this.#peers.update(posture),
      sendToController: (message) => this.#control.send(message),
      sendToSlave: (message) => this.#peers.sendToSlave(message),
      batchMade: (batch) => this.#peers.batchMade(batch),
      peerFacts: () => this.#peers.facts(),
    });
    this.#peers = new PeerLinks({
      identity,
      node: this.#node,
      log,
      settings: this.#settings,
      pace: paceOf(group),
      syncsAlways: group.replication.fsync === 'always',
      dial: (signal) => this.#dialPeer(signal),
      endOfTurn: setImmediate,
      scheduler,
      random: systemRandom,
      logger,
    });
    this.#control.serve(this.#node, (dryRun) => this.reload(dryRun));
    this.#app = new AppWatch({
      get heartbeat() {
        return live.group.app.heartbeat;
      },
      scheduler,
      get joins() {
        return live.group.app.ready === 'app';
      },
      get joinTimeoutMs() {
        return live.group.app.readyTimeoutMs;
      },
      mayBeReady: (epoch) => this.#node.mayBeReady(epoch),
      endApp: () => this.#supervisor?.kill(),
      onChange: (view) => this.#node.onApp(view, this.#supervisor?.restarts ?? 0),
    });
    this.#supervisor = superviseApp(live, logger, {
      onStart: () => this.#app.onStarted(),
      onExit: (detail, inPlace) => this.#app.onExit(detail, inPlace),
    });
    this.#probe = new LocalProbe(group, own, { scheduler, random: systemRandom, logger }, (verdict) => {
      this.#app.onProbe(verdict?.verdict === 'down' ? verdict.detail : null);
      if (verdict?.verdict === 'up' && live.group.app.ready === 'probe') this.#app.appReady(this.#node.core.epoch);
    });
    this.#resp = new RespService({
      socket: own.socket,
      listen: own.listen,
      replica: this.#node.replica,
      node: this.#view(),
      observer: this.#app,
      scheduler,
      logger,
    });
  }

  /** Runs until `signal` aborts or a part fails; then everything is given back in order. */
  async run(signal: AbortSignal): Promise<void> {
    const { store: folder } = this.#live.own;
    const logger = this.#logger;
    const guard = await ProgramGuard.start(
      { folder, scheduler: systemScheduler, random: systemRandom, logger },
      signal,
    );
    try {
      if (!signal.aborted) await this.#serve(signal);
    } finally {
      await guard.close();
    }
  }

  async #serve(signal: AbortSignal): Promise<void> {
    await this.#traffic.start();
    const stop = new AbortController();
    // The order to end may have come by now.
    const ending = AbortSignal.any([signal, stop.signal]);
    const listeners = await this.#listen();
    const ends = [
      followCredentials(this.#security, systemScheduler, this.#logger),
      this.#node.start(),
      this.#app.start(),
      this.#startSync(),
    ];
    const systemd = notifySystemd(
      systemScheduler,
      this.#logger,
      () => `${this.#node.core.role}, epoch ${this.#node.core.epoch}`,
    );
    const hangUp = onHangUp(() => void this.reload(false));
    this.#logger.info('the agent runs', { store: this.#live.own.store, end: this.#log.end });
    const parts = [this.#resp, this.#peers, ...(this.#supervisor === null ? [] : [this.#supervisor])];
    try {
      await Promise.all(parts.map((part) => part.run(ending).finally(() => stop.abort())));
    } finally {
      hangUp();
      this.#isStopping = true;
      this.#drain.stop();
      systemd.stopping();
      await this.#node.stop();
      this.#probe.stop();
      for (const end of ends) end();
      await Promise.all(listeners.map((listener) => listener.close()));
      this.#hooks.notify(this.#call('none', 'the agent stops'), 'STOP');
      await this.#hooks.settled();
      await this.#traffic.close();
      await systemd.close();
    }
    this.#logger.info('the agent has stopped');
  }

  /** Reads the configuration again and, unless it is a dry run, works by it. Never rejects. */
  reload(dryRun: boolean): Promise<ReloadOutcome> {
    return this.#live.reload(dryRun, (before) => this.#reconfigure(before));
  }

  /** The order matters nowhere: grants and assignments say what is safe, not the configuration. */
  #reconfigure(before: GroupConfig): void {
    const { group, own } = this.#live;
    Object.assign(this.#settings, agentSettings(group, own.id));
    void this.#traffic.reconfigure(group);
    this.#probe.reconfigure(group);
    if (!isSame(before.app.heartbeat, group.app.heartbeat)) this.#app.reconfigured();
    // Somebody may have set another pace by CONFIG SET: it goes on unless the file has changed.
    if (!isSame(paceOf(before), paceOf(group))) this.#peers.setPace(paceOf(group));
    this.#peers.reconfigured();
    this.#node.reconfigured();
  }

  /** The work in the background met with an error: only damage keeps the log from going on. */
  onTrouble(error: HsctlError): void {
    if (this.#log.damage !== null) this.#node.onDiskFailure(error);
  }

  async #listen() {
    const { address: host, control, replication } = this.#live.own;
    const common = { security: this.#security, scheduler: systemScheduler, logger: this.#logger };
    const { cluster } = this.#config;
    return Promise.all([
      listenForLinks({
        ...common,
        endpoint: { host, port: control },
        expected: [{ role: 'controller', cluster }],
        onLink: (link, hello) => this.#control.accept(link, hello),
      }),
      listenForLinks({
        ...common,
        endpoint: { host, port: replication },
        expected: [{ role: 'node', cluster, name: this.#live.peer.id }],
        onLink: (link, hello) => this.#peers.accept(link, hello),
      }),
    ]);
  }

  #dialPeer(signal: AbortSignal) {
    const { peer } = this.#live;
    return dialLink({
      endpoint: { host: peer.address, port: peer.replication },
      security: this.#security,
      expected: { role: 'node', cluster: this.#config.cluster, name: peer.id },
      timeoutMs: Math.max(1000, this.#live.group.failover.detectMs),
      signal,
      scheduler: systemScheduler,
    });
  }

  #view(): NodeView {
    const { group, own, peer } = this.#live;
    const peers = this.#peers;
    return {
      group: group.name,
      node: own.id,
      peer: { node: peer.id, host: peer.listen?.host ?? peer.address, port: peer.listen?.port ?? 0 },
      report: () => this.#node.report(),
      get catchUpRate() {
        return peers.pace.bytesPerSecond;
      },
      setCatchUpRate: (bytesPerSecond) => peers.setPace({ ...peers.pace, bytesPerSecond }),
    };
  }

  /** Tells the app and the hooks what the node is now. */
  #onRole(posture: Posture): void {
    const { appRole: role, epoch } = posture;
    const assignment = this.#node.core.assignment;
    this.#resp.publishRole({
      role,
      epoch,
      master: role === 'master' ? this.#live.own.id : (assignment?.master ?? null),
    });
    if (role === 'master') this.#probe.start();
    else this.#probe.stop();
    if (role === 'slave') this.#app.onSlave();
    const wasMaster = this.#wasMaster;
    this.#wasMaster = role === 'master';
    const call = this.#call(role, assignment?.reason ?? 'the agent started');
    if (wasMaster || role === 'master') {
      this.#hooks.change(call, (succeeded) => {
        if (role !== 'master' || this.#live.group.app.ready !== 'hook' || this.#node.mayBeReady(epoch) !== null) return;
        if (succeeded) this.#app.appReady(epoch);
        else this.#app.onHookFailed();
      });
    }
    if (!this.#isStopping) this.#hooks.notify(call, this.#stateFor(role));
  }

  /** A node that waits for its role is none that has failed. */
  #stateFor(role: HookCall['role']): NotifyState {
    if (role === 'master') return 'MASTER';
    const { core } = this.#node;
    return role === 'none' && (core.trouble !== '' || core.role === 'diverged') ? 'FAULT' : 'BACKUP';
  }

  #call(role: HookCall['role'], reason: string): HookCall {
    const { group, own } = this.#live;
    return { group: group.name, node: own.id, role, epoch: this.#node.core.epoch, reason };
  }

  /** The periodic fsync; with `always` each append has its own. */
  #startSync(): () => void {
    const { fsync } = this.#live.group.replication;
    if (fsync === 'always') return () => undefined;
    let syncing = false;
    const timer = systemScheduler.every(fsync, () => {
      if (syncing) return;
      syncing = true;
      const done = (): void => void (syncing = false);
      this.#log
        .sync()
        .then(done, (error: unknown) => this.#node.onDiskFailure(error))
        .finally(done);
    });
    return () => timer.cancel();
  }
}

function paceOf({ replication }: GroupConfig): Pace {
  return { bytesPerSecond: replication.catchUpRate, intervalMs: replication.catchUpIntervalMs };
}
