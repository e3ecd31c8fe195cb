import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';

/** ROLE and WAIT: replication as Redis tells it. */

function role({ out, context }: Client): void {
  const { peer, report } = { peer: context.node.peer, report: context.node.report() };
  if (context.role.role === 'master') {
    out.array(3);
    out.text('master');
    out.integer(context.replica.writtenSeq());
    const end = report.peer.linked ? report.peer.end : null;
    out.array(end === null ? 0 : 1);
    if (end === null) return;
    out.array(3);
    out.text(peer.host);
    out.text(String(peer.port));
    out.text(String(end.seq));
    return;
  }
  out.array(5);
  out.text('slave');
  out.text(peer.host);
  out.integer(peer.port);
  out.text(report.peer.linked ? (report.peer.catchUp === null ? 'connected' : 'sync') : 'connect');
  out.integer(context.replica.writtenSeq());
}

/**
 * Waits until the last write of this connection is held by so many other nodes. Its reply cannot come before the
 * replies to that write and those before it, which themselves wait for the in-sync nodes.
 */
function wait(client: Client, args: Arguments): void {
  const { context, out, session } = client;
  const wanted = args.integer(1);
  const timeoutMs = args.integer(2);
  if (wanted === null) return out.error('ERR value is not an integer or out of range');
  if (timeoutMs === null) return out.error('ERR timeout is not an integer or out of range');
  if (timeoutMs < 0) return out.error('ERR timeout is negative');
  if (context.role.role !== 'master') {
    return out.error(
      'ERR WAIT cannot be used with replica instances. Please also note that since Redis 4.0 if a replica is configured to be writable (which is not the default) writes to replicas are just local and are not propagated.',
    );
  }
  const { replica, clock, confirmed } = context;
  const seq = session.lastWrite;
  const enough = (): boolean => replica.confirmedSeq() >= seq && replica.holders(seq) >= wanted;
  if (enough()) return out.integer(replica.holders(seq));
  const untilMs = timeoutMs === 0 ? Infinity : clock.monotonicMs() + timeoutMs;
  client.suspend(async (signal) => {
    while (!enough() && clock.monotonicMs() < untilMs && !signal.aborted) await confirmed.next(untilMs, signal);
    out.integer(replica.holders(seq));
  });
}

export const replicationCommands: readonly Command[] = [
  command('role', 1, { group: 'server', summary: 'Returns the role of this node.' }, role),
  command(
    'wait',
    3,
    { traits: ['noMulti'], group: 'generic', summary: 'Waits until other nodes hold the last write.' },
    wait,
  ),
];
