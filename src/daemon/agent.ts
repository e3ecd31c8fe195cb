import { AgentNode } from '../agent/agent-node.ts';
import { AppWatch } from '../agent/app/app-watch.ts';
import { Supervisor } from '../agent/app/supervisor.ts';
import type { Posture } from '../agent/core/posture.ts';
import { PeerLinks } from '../agent/peer-links.ts';
import type { NodeView } from '../agent/resp/node-view.ts';
import { RespService } from '../agent/resp/resp-service.ts';
import type { Config, GroupConfig, NodeConfig } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { systemScheduler } from '../kit/clock.ts';
import { HsctlError } from '../kit/errors.ts';
import type { Logger } from '../kit/logger.ts';
import { secretRandom, systemRandom, uniqueId } from '../kit/random.ts';
import { threadRewriter } from '../replication/log/compaction/thread-rewriter.ts';
import { DiskLog } from '../replication/log/disk-log.ts';
import { NodeDisk } from '../replication/log/node-disk.ts';
import { makeLogger } from '../telemetry/logger.ts';
import { dialLink } from '../transport/dial.ts';
import { listenForLinks } from '../transport/listen.ts';
import type { LinkSecurity } from '../transport/security.ts';
import { ControlServer } from './agent/control-server.ts';
import { collectSeldom } from './agent/heap.ts';
import { Hooks } from './agent/hooks.ts';
import { LocalProbe } from './agent/local-probe.ts';
import { NodeTraffic } from './agent/node-traffic.ts';
import { followCredentials, securityFor } from './security.ts';
import { agentSettings, groupNamed } from './settings.ts';
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
    fsyncAlways: group.replication.fsync === 'always',
    clock: systemScheduler,
    random: secretRandom,
    onTornTail: (tail) => logger.warn('a crash left the end of the log unfinished; it was cut off', { ...tail }),
    opensDamaged: true,
    onTrouble: (error) => {
      logger.error(error.message, { hint: error.hint });
      agent?.onTrouble(error);
    },
  });
  try {
    agent = new Agent(config, group, node, log, logger);
    await agent.run(signal);
  } finally {
    await log.close();
  }
}

/** Wires the parts of an agent; they know each other only through here. */
class Agent {
  readonly #config: Config;
  readonly #group: GroupConfig;
  readonly #own: NodeConfig;
  readonly #log: DiskLog;
  readonly #logger: Logger;
  readonly #node: AgentNode;
  readonly #traffic: NodeTraffic;
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

  constructor(config: Config, group: GroupConfig, own: NodeConfig, log: DiskLog, logger: Logger) {
    const scheduler = systemScheduler;
    const instance = uniqueId();
    const identity = { cluster: config.cluster, group: group.name, node: own.id, instance };
    this.#config = config;
    this.#group = group;
    this.#own = own;
    this.#log = log;
    this.#logger = logger;
    this.#security = securityFor(config, own.id);
    this.#traffic = new NodeTraffic(group, own, { scheduler, logger });
    this.#control = new ControlServer(identity, logger);
    this.#hooks = new Hooks(group.app, logger);
    this.#node = new AgentNode(agentSettings(group, own.id), {
      log,
      memory: log.memory,
      scheduler,
      logger,
      instance,
      syncsAlways: group.replication.fsync === 'always',
      endOfTurn: setImmediate,
      holdTraffic: (remainingMs) => this.#traffic.hold(remainingMs),
      releaseTraffic: () => this.#traffic.release(),
      addresses: () => this.#traffic.addresses(),
      certificateEndsWallMs: () => (this.#security.kind === 'tls' ? this.#security.credentials.expiresAtWallMs : null),
      closeGate: (onIdle) => void this.#traffic.closeGate(onIdle),
      openGate: () => void this.#traffic.openGate(),
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
      settings: agentSettings(group, own.id),
      pace: { bytesPerSecond: group.replication.catchUpRate, intervalMs: group.replication.catchUpIntervalMs },
      syncsAlways: group.replication.fsync === 'always',
      dial: (signal) => this.#dialPeer(signal),
      endOfTurn: setImmediate,
      scheduler,
      random: systemRandom,
      logger,
    });
    this.#control.serve(this.#node);
    this.#app = new AppWatch({
      heartbeat: group.app.heartbeat,
      scheduler,
      joins: group.app.ready === 'app',
      joinTimeoutMs: group.app.readyTimeoutMs,
      mayBeReady: (epoch) => this.#node.mayBeReady(epoch),
      endApp: () => this.#supervisor?.kill(),
      onChange: (view) => this.#node.onApp(view, this.#supervisor?.restarts ?? 0),
    });
    this.#supervisor = this.#makeSupervisor();
    this.#probe = new LocalProbe(group, own, { scheduler, random: systemRandom }, (verdict) => {
      this.#app.onProbe(verdict?.verdict === 'down' ? verdict.detail : null);
      if (verdict?.verdict === 'up' && group.app.ready === 'probe') this.#app.appReady(this.#node.core.epoch);
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
    await this.#traffic.start();
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
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
    this.#logger.info('the agent runs', { store: this.#own.store, end: this.#log.end });
    const parts = [this.#resp, this.#peers, ...(this.#supervisor === null ? [] : [this.#supervisor])];
    try {
      await Promise.all(parts.map((part) => part.run(stop.signal).finally(() => stop.abort())));
    } finally {
      signal.removeEventListener('abort', onAbort);
      systemd.stopping();
      await this.#node.stop();
      this.#probe.stop();
      for (const end of ends) end();
      await Promise.all(listeners.map((listener) => listener.close()));
      await this.#hooks.settled();
      await this.#traffic.close();
      await systemd.close();
    }
    this.#logger.info('the agent has stopped');
  }

  /** The work in the background met with an error: only damage keeps the log from going on. */
  onTrouble(error: HsctlError): void {
    if (this.#log.damage !== null) this.#node.onDiskFailure(error);
  }

  async #listen() {
    const { address: host, control, replication } = this.#own;
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
        expected: [{ role: 'node', cluster, name: this.#peerConfig().id }],
        onLink: (link, hello) => this.#peers.accept(link, hello),
      }),
    ]);
  }

  #dialPeer(signal: AbortSignal) {
    const peer = this.#peerConfig();
    return dialLink({
      endpoint: { host: peer.address, port: peer.replication },
      security: this.#security,
      expected: { role: 'node', cluster: this.#config.cluster, name: peer.id },
      timeoutMs: Math.max(1000, this.#group.failover.detectMs),
      signal,
      scheduler: systemScheduler,
    });
  }

  #peerConfig(): NodeConfig {
    const peer = this.#group.nodes.find(({ id }) => id !== this.#own.id);
    if (peer === undefined) throw new HsctlError('config', `group ${this.#group.name} has no second node`);
    return peer;
  }

  #view(): NodeView {
    const peer = this.#peerConfig();
    const peers = this.#peers;
    return {
      group: this.#group.name,
      node: this.#own.id,
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
    this.#resp.publishRole({ role, epoch, master: role === 'master' ? this.#own.id : (assignment?.master ?? null) });
    if (role === 'master') this.#probe.start();
    else this.#probe.stop();
    if (role === 'slave') this.#app.onSlave();
    const reason = assignment?.reason ?? 'the agent started';
    const wasMaster = this.#wasMaster;
    this.#wasMaster = role === 'master';
    if (!wasMaster && role !== 'master') return;
    this.#hooks.call({ group: this.#group.name, node: this.#own.id, role, epoch, reason }, (succeeded) => {
      if (role !== 'master' || this.#group.app.ready !== 'hook' || this.#node.mayBeReady(epoch) !== null) return;
      if (succeeded) this.#app.appReady(epoch);
      else this.#app.onHookFailed();
    });
  }

  #makeSupervisor(): Supervisor | null {
    const { app, name } = this.#group;
    if (app.run === null) return null;
    return new Supervisor({
      command: app.run,
      env: {
        HSCTL_GROUP: name,
        HSCTL_NODE: this.#own.id,
        HSCTL_SOCKET: this.#own.socket,
        HSCTL_PORT: String(this.#own.appPort ?? ''),
      },
      stopTimeoutMs: app.stopTimeoutMs,
      restart: app.restart,
      scheduler: systemScheduler,
      random: systemRandom,
      logger: this.#logger,
      onStart: () => this.#app.onStarted(),
      onExit: (detail, inPlace) => this.#app.onExit(detail, inPlace),
    });
  }

  /** The periodic fsync; with `always` each append has its own. */
  #startSync(): () => void {
    const { fsync } = this.#group.replication;
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
