import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';
import { Transaction } from '../transaction.ts';

/** Several commands as one batch: all of it is on both nodes, or none. */

function multi(client: Client): void {
  if (client.session.transaction !== null) return client.out.error('ERR MULTI calls can not be nested');
  client.session.transaction = new Transaction();
  client.out.ok();
}

function exec(client: Client): void {
  const { session, out } = client;
  const { transaction } = session;
  if (transaction === null) return out.error('ERR EXEC without MULTI');
  if (transaction.broken) {
    session.transaction = null;
    return out.error('EXECABORT Transaction discarded because of previous errors.');
  }
  const { kind } = transaction;
  if (!client.admits(kind, true)) {
    // Held: this EXEC comes again when the gate has changed. Refused: it is over.
    if (!client.held) session.transaction = null;
    return;
  }
  session.transaction = null;
  out.array(transaction.commands.length);
  session.executing = true;
  if (kind === 'write') client.context.replica.beginAtomic(transaction.bytes);
  try {
    for (const { command: queued, args } of transaction.commands) client.perform(queued, args);
  } finally {
    session.executing = false;
    if (kind === 'write') client.context.replica.endAtomic();
  }
}

function discard(client: Client): void {
  if (client.session.transaction === null) return client.out.error('ERR DISCARD without MULTI');
  client.session.transaction = null;
  client.out.ok();
}

function watch(client: Client): void {
  if (client.session.transaction !== null) return client.out.error('ERR WATCH inside MULTI is not allowed');
  client.out.error('ERR WATCH is not supported: hsctl keeps the state of one application, which orders its own writes');
}

const group = 'transactions';
export const transactionCommands: readonly Command[] = [
  command('multi', 1, { traits: ['immediate'], group, summary: 'Begins a transaction.' }, multi),
  command('exec', 1, { traits: ['immediate'], group, summary: 'Does a transaction, all of it or nothing.' }, exec),
  command('discard', 1, { traits: ['immediate'], group, summary: 'Forgets a transaction.' }, discard),
  command('watch', -2, { traits: ['immediate'], keys: [1, -1, 1], group, summary: 'Is not supported.' }, watch),
  command('unwatch', 1, { group, summary: 'Does nothing, as nothing is watched.' }, ({ out }) => out.ok()),
];
