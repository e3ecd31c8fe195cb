import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';
import { isClientName, NAME_RULE } from './connection.ts';

/** HS: what Redis has no word for. */

/** `[role, epoch, master]`; master is null if unknown. */
function role({ out, context }: Client): void {
  out.array(3);
  out.text(context.role.role);
  out.integer(context.role.epoch);
  if (context.role.master === null) out.null();
  else out.text(context.role.master);
}

function ready(client: Client, args: Arguments): void {
  const epoch = args.integer(2);
  if (epoch === null || epoch < 1) return client.out.error('ERR epoch is not a positive integer');
  const refusal = client.context.observer.appReady(epoch);
  if (refusal === null) client.out.ok();
  else client.out.error(refusal);
}

/**
 * Whether this node serves under an epoch at this moment, after all that was written before was confirmed: so that the
 * app may answer from its memory. A slave answers other reads as well, so those do not tell.
 */
function serves(client: Client, args: Arguments): void {
  const epoch = args.integer(2);
  if (epoch === null || epoch < 1) return client.out.error('ERR epoch is not a positive integer');
  const present = client.context.role;
  if (present.role === 'master' && present.epoch === epoch) client.out.ok();
  else
    client.out.error(`READONLY this node is ${present.role} in epoch ${present.epoch}, not master of epoch ${epoch}`);
}

function app(client: Client, args: Arguments): void {
  if (args.count > 3) return client.out.error("ERR wrong number of arguments for 'hs|app' command");
  const name = args.count === 3 ? args.text(2) : '';
  if (!isClientName(name)) return client.out.error(NAME_RULE);
  client.declareApp(name);
  client.out.ok();
}

const group = 'hs';
const traits = ['noMulti'] as const;
export const hsCommands: readonly Command[] = [
  container('hs', { group, summary: 'What hsctl has beyond Redis.' }, [
    command('hs|role', 2, { traits, group, summary: 'Returns role, epoch and master.' }, role),
    command('hs|ready', 3, { traits, group, summary: 'Says that the app serves under an epoch.' }, ready),
    command(
      'hs|serves',
      3,
      { kind: 'read', traits, group, summary: 'Answers OK if this node serves under an epoch at this moment.' },
      serves,
    ),
    command('hs|status', 2, { traits, group, summary: "Returns the agent's report as JSON." }, ({ out, context }) =>
      out.text(JSON.stringify(context.node.report())),
    ),
    command('hs|app', -2, { traits, group, summary: 'Declares this connection to be the app.' }, app),
  ]),
];
