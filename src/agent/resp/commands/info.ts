import { formatRate } from '../../../kit/units.ts';
import { VERSION } from '../../../kit/version.ts';
import type { AgentReport } from '../../../model/agent-report.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';
import { REDIS_VERSION } from '../redis-version.ts';

/** INFO: sections of `name:value` lines. */

type Fields = Readonly<Record<string, string | number>>;

function server({ context }: Client): Fields {
  return {
    redis_version: REDIS_VERSION,
    redis_mode: 'standalone',
    process_id: process.pid,
    run_id: context.node.report().instance,
    uptime_in_seconds: context.seconds,
    uptime_in_days: Math.floor(context.seconds / 86_400),
  };
}

function clients({ context }: Client): Fields {
  const all = [...context.clients.values()];
  return {
    connected_clients: all.length,
    maxclients: context.limits.clients,
    blocked_clients: all.filter(({ blocked }) => blocked).length,
    held_clients: context.held.size,
  };
}

function stats({ context }: Client): Fields {
  return {
    total_connections_received: context.counts.connections,
    total_commands_processed: context.counts.commands,
    rejected_connections: context.counts.refused,
  };
}

function memory(): Fields {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { used_memory: heapUsed + external, used_memory_rss: rss, heap_used: heapUsed, external_used: external };
}

function persistence(): Fields {
  return { loading: 0, async_loading: 0 };
}

function replication({ context }: Client): Fields {
  const { peer } = context.node;
  const report = context.node.report();
  const offset = context.replica.writtenSeq();
  if (context.role.role === 'master') {
    const end = report.peer.linked ? report.peer.end : null;
    const slave = `ip=${peer.host},port=${peer.port},state=online,offset=${end?.seq ?? 0},lag=0`;
    return {
      role: 'master',
      connected_slaves: end === null ? 0 : 1,
      ...(end === null ? {} : { slave0: slave }),
      master_failover_state: 'no-failover',
      master_repl_offset: offset,
    };
  }
  return {
    role: 'slave',
    master_host: peer.host,
    master_port: peer.port,
    master_link_status: report.peer.linked ? 'up' : 'down',
    master_last_io_seconds_ago: report.peer.silentMs === null ? -1 : Math.floor(report.peer.silentMs / 1000),
    master_sync_in_progress: report.peer.catchUp === null ? 0 : 1,
    slave_repl_offset: offset,
    slave_read_only: 1,
    connected_slaves: 0,
    master_repl_offset: offset,
  };
}

function hsctl({ context }: Client): Fields {
  const report = context.node.report();
  const { catchUp } = report.peer;
  return {
    hsctl_version: VERSION,
    group: context.node.group,
    node: context.node.node,
    role: context.role.role,
    epoch: context.role.epoch,
    master: context.role.master ?? '',
    phase: report.phase ?? '',
    trouble: report.trouble,
    log_end_epoch: report.log.end.epoch,
    log_end_seq: report.log.end.seq,
    confirmed_seq: context.replica.confirmedSeq(),
    peer: context.node.peer.node,
    peer_linked: report.peer.linked ? 1 : 0,
    peer_end_seq: report.peer.end?.seq ?? 0,
    lag_bytes: report.peer.lagBytes ?? -1,
    catch_up_done_bytes: catchUp?.doneBytes ?? 0,
    catch_up_total_bytes: catchUp?.totalBytes ?? 0,
    catch_up_bytes_per_second: Math.round(catchUp?.bytesPerSecond ?? 0),
    catch_up_seconds_left: secondsLeft(catchUp),
    catch_up_rate: formatRate(context.node.catchUpRate),
    app_state: report.app.state,
    app_ready_epoch: report.app.readyEpoch,
  };
}

/** Of a catch-up, at its present rate; -1 if there is none or it stands still. */
function secondsLeft(catchUp: AgentReport['peer']['catchUp']): number {
  if (catchUp === null || catchUp.bytesPerSecond <= 0) return -1;
  return Math.ceil(Math.max(0, catchUp.totalBytes - catchUp.doneBytes) / catchUp.bytesPerSecond);
}

function keyspace({ context }: Client): Fields {
  const keys = context.replica.count();
  return keys === 0 ? {} : { db0: `keys=${keys},expires=0,avg_ttl=0` };
}

const SECTIONS: readonly (readonly [string, (client: Client) => Fields])[] = [
  ['Server', server],
  ['Clients', clients],
  ['Memory', memory],
  ['Persistence', persistence],
  ['Stats', stats],
  ['Replication', replication],
  ['Hsctl', hsctl],
  ['Keyspace', keyspace],
];
const ALL = new Set(['all', 'everything', 'default']);

export const infoCommands: readonly Command[] = [
  command('info', -1, { group: 'server', summary: 'Tells about this node.' }, (client, args) => {
    const wanted = new Set<string>();
    for (let index = 1; index < args.count; index++) wanted.add(args.text(index).toLowerCase());
    const everything = wanted.size === 0 || [...wanted].some((name) => ALL.has(name));
    const sections = SECTIONS.filter(([name]) => everything || wanted.has(name.toLowerCase()));
    const texts = sections.map(([name, fields]) => {
      const lines = Object.entries(fields(client)).map(([field, value]) => `${field}:${oneLine(value)}\r\n`);
      return `# ${name}\r\n${lines.join('')}`;
    });
    client.out.verbatim(texts.join('\r\n'));
  }),
];

function oneLine(value: string | number): string {
  return String(value).replaceAll(/[\r\n]+/g, ' ');
}
