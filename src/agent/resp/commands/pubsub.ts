import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';
import { roleMessage } from '../../../model/role-news.ts';

/**
 * Channels. Messages come on one only, `hs:role`; whoever subscribes to it is told the present role at once, so that
 * no change can fall between asking and subscribing.
 */

export const ROLE_CHANNEL = 'hs:role';
const CHANNELS_LIMIT = 1000;

/** Sends the present role to a subscriber. */
export function sendRole(client: Client): void {
  client.push((out) => {
    out.push(3);
    out.text('message');
    out.text(ROLE_CHANNEL);
    out.text(roleMessage(client.context.role));
  });
}

function confirm(client: Client, kind: string, channel: Uint8Array | null): void {
  const { out, session } = client;
  out.push(3);
  out.text(kind);
  if (channel === null) out.null();
  else out.bulk(channel);
  out.integer(session.channels.size);
}

function subscribe(client: Client, args: Arguments): void {
  const { session } = client;
  if (session.channels.size + args.count > CHANNELS_LIMIT) return client.out.error('ERR too many channels');
  let role = false;
  for (let index = 1; index < args.count; index++) {
    const channel = args.text(index);
    session.subscribe(channel);
    confirm(client, 'subscribe', args.view(index));
    role ||= channel === ROLE_CHANNEL;
  }
  if (role) sendRole(client);
}

function unsubscribe(client: Client, args: Arguments): void {
  const { session } = client;
  if (args.count > 1) {
    for (let index = 1; index < args.count; index++) {
      session.unsubscribe(args.text(index));
      confirm(client, 'unsubscribe', args.view(index));
    }
    return;
  }
  if (session.channels.size === 0) confirm(client, 'unsubscribe', null);
  for (const channel of session.channels) {
    session.unsubscribe(channel);
    confirm(client, 'unsubscribe', Buffer.from(channel, 'latin1'));
  }
}

const group = 'pubsub';
export const pubsubCommands: readonly Command[] = [
  command('subscribe', -2, { traits: ['subscribed', 'noMulti'], group, summary: 'Listens to channels.' }, subscribe),
  command(
    'unsubscribe',
    -1,
    { traits: ['subscribed', 'noMulti'], group, summary: 'Listens to channels no more.' },
    unsubscribe,
  ),
];
