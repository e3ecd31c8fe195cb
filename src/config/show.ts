import { Document, isScalar, visit } from 'yaml';
import { z } from 'zod';
import type { AppConfig, Config, GroupConfig, NodeConfig, TrafficConfig } from './config.ts';
import { probeFileOf } from './probe-section.ts';
import { fileSchema, type ConfigFile, type GroupFile } from './schema.ts';

type Section<Key extends keyof GroupFile> = NonNullable<GroupFile[Key]>;

/** The whole effective configuration as a file that loads to the same: every value, in the file's own units. */
export function showConfig(config: Config): string {
  const document = new Document(z.encode(fileSchema, fileOf(config)), { aliasDuplicateObjects: false });
  // Commands and the like read better on one line.
  visit(document, {
    Seq(_, list) {
      list.flow = list.items.every((item) => isScalar(item));
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function fileOf(config: Config): ConfigFile {
  const { listen, socket, state, ipvsSync } = config.controller;
  return {
    cluster: config.cluster,
    ...(config.tls === null ? {} : { tls: config.tls }),
    controller: {
      ...(listen === null ? {} : { listen }),
      socket,
      state,
      ...(ipvsSync === null ? {} : { ipvsSync: { ...ipvsSync } }),
    },
    groups: Object.fromEntries(config.groups.map((group) => [group.name, groupOf(group)])),
  };
}

function groupOf(group: GroupConfig): GroupFile {
  const { replication, failover } = group;
  return {
    profile: group.profile,
    nodes: Object.fromEntries(group.nodes.map((node) => [node.id, nodeOf(node)])),
    app: appOf(group.app),
    traffic: group.traffic.map(trafficOf),
    ...(group.notify === null ? {} : { notify: [...group.notify] }),
    replication: {
      ack: replication.ack,
      fsync: replication.fsync,
      catchUpRate: replication.catchUpRate,
      catchUpInterval: replication.catchUpIntervalMs,
      segmentSize: replication.segmentBytes,
      tombstones: replication.tombstonesMs,
    },
    failover: {
      mode: failover.mode,
      lease: failover.leaseMs,
      heartbeat: failover.heartbeatMs,
      detect: failover.detectMs,
      stallTimeout: failover.stallTimeoutMs,
      holdDown: failover.holdDownMs,
      onControllerLoss: failover.onControllerLoss,
      fence: failover.fence,
      finishWork: failover.finishWorkMs,
      switchoverTimeout: failover.switchoverTimeoutMs,
      prefer: failover.prefer,
    },
  };
}

/** Ports, sockets and directories are shown where they are in force: at each node. */
function nodeOf(node: NodeConfig): GroupFile['nodes'][string] {
  const { address, control, replication, appPort, socket, listen, store, fence, watchdog } = node;
  return {
    address,
    control,
    replication,
    ...(appPort === null ? {} : { port: appPort }),
    socket,
    ...(listen === null ? {} : { listen }),
    store,
    ...(fence.length === 0
      ? {}
      : { fence: fence.map(({ command, timeoutMs }) => ({ command: [...command], timeout: timeoutMs })) }),
    ...(watchdog === null ? {} : { watchdog: { device: watchdog.device, timeout: watchdog.timeoutS } }),
  };
}

function appOf(app: AppConfig): Section<'app'> {
  return {
    ...(app.probe === null ? {} : { probe: probeFileOf(app.probe) }),
    ...(app.heartbeat === null
      ? {}
      : { heartbeat: { interval: app.heartbeat.intervalMs, misses: app.heartbeat.misses } }),
    ...(app.run === null ? {} : { run: [...app.run] }),
    stopTimeout: app.stopTimeoutMs,
    restart: { times: app.restart.times, within: app.restart.withinMs },
    ...(app.promote === null ? {} : { promote: [...app.promote] }),
    ...(app.demote === null ? {} : { demote: [...app.demote] }),
    ...(app.notify === null ? {} : { notify: [...app.notify] }),
    hookTimeout: app.hookTimeoutMs,
    ready: app.ready,
    readyTimeout: app.readyTimeoutMs,
  };
}

function trafficOf(driver: TrafficConfig): Section<'traffic'>[number] {
  switch (driver.type) {
    case 'proxy':
      return { type: 'proxy', listen: driver.listen, hold: driver.holdMs };
    case 'vip': {
      const { count, intervalMs, refreshMs } = driver.announce;
      const announce = { count, interval: intervalMs, refresh: refreshMs };
      const { address, label, routes, rules } = driver;
      return {
        type: 'vip',
        address,
        interface: driver.interface,
        label,
        routes: [...routes],
        rules: [...rules],
        announce,
      };
    }
    case 'ipvs': {
      const { virtual, protocol, forwarding, scheduler, persistenceS, fwmark, conntrack, setSysctls } = driver;
      return {
        type: 'ipvs',
        virtual,
        protocol,
        forwarding,
        scheduler,
        persistence: persistenceS,
        ...(fwmark === null ? {} : { fwmark }),
        ...(conntrack === null ? {} : { conntrack }),
        sysctls: setSysctls ? 'set' : 'check',
      };
    }
    case 'nft':
      return { type: 'nft', virtual: driver.virtual, protocol: driver.protocol };
    case 'haproxy': {
      const { socket, backend, servers, virtual } = driver;
      return { type: 'haproxy', socket, backend, servers: { ...servers }, ...(virtual === null ? {} : { virtual }) };
    }
    case 'dns': {
      const { name, zone, server, key, ttlS, timeoutMs } = driver;
      const addresses = Object.fromEntries(Object.entries(driver.addresses).map(([node, list]) => [node, [...list]]));
      return { type: 'dns', name, zone, server, key, ttl: ttlS, addresses, timeout: timeoutMs };
    }
    case 'script':
      return { type: 'script', command: [...driver.command], timeout: driver.timeoutMs };
  }
}
