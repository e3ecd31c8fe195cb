import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { RespWriter } from '../../../protocol/resp/resp-writer.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';

/** COMMAND: what commands there are, in the forms in which clients ask. */

function flagsOf(each: Command): string[] {
  const flags: string[] = [];
  if (each.kind === 'write') flags.push('write');
  if (each.kind === 'read') flags.push('readonly');
  if (each.traits.has('noMulti')) flags.push('no_multi');
  if (each.traits.has('beforeAuth')) flags.push('no_auth');
  if (each.group === 'pubsub') flags.push('pubsub');
  return flags;
}

function writeInfo(out: RespWriter, each: Command): void {
  out.array(10);
  out.text(each.name);
  out.integer(each.arity);
  const flags = flagsOf(each);
  out.set(flags.length);
  for (const flag of flags) out.simple(flag);
  for (const place of each.keys) out.integer(place);
  // ACL categories, tips and key specifications: none of these is used here.
  out.set(0);
  out.array(0);
  out.array(0);
  out.array(each.subcommandList.length);
  for (const part of each.subcommandList) writeInfo(out, part);
}

function writeDocs(out: RespWriter, each: Command): void {
  out.text(each.name);
  out.map(each.subcommandList.length > 0 ? 4 : 3);
  out.text('summary');
  out.text(each.summary);
  out.text('since');
  out.text('1.0.0');
  out.text('group');
  out.text(each.group);
  if (each.subcommandList.length === 0) return;
  out.text('subcommands');
  out.map(each.subcommandList.length);
  for (const part of each.subcommandList) writeDocs(out, part);
}

function named(client: Client, args: Arguments, index: number): Command | undefined {
  return client.context.commands.find(args.bytes, args.start(index), args.end(index));
}

function all(client: Client): void {
  client.out.array(client.context.commandList.length);
  for (const each of client.context.commandList) writeInfo(client.out, each);
}

function info(client: Client, args: Arguments): void {
  if (args.count === 2) return all(client);
  client.out.array(args.count - 2);
  for (let index = 2; index < args.count; index++) {
    const each = named(client, args, index);
    if (each === undefined) client.out.null();
    else writeInfo(client.out, each);
  }
}

function docs(client: Client, args: Arguments): void {
  let wanted = client.context.commandList;
  if (args.count > 2) {
    const found = Array.from({ length: args.count - 2 }, (_, index) => named(client, args, index + 2));
    wanted = [...new Set(found)].filter((each) => each !== undefined);
  }
  client.out.map(wanted.length);
  for (const each of wanted) writeDocs(client.out, each);
}

const group = 'server';
export const introspectionCommands: readonly Command[] = [
  container(
    'command',
    { group, summary: 'Tells about all commands.' },
    [
      command('command|count', 2, { group, summary: 'Returns the number of commands.' }, ({ out, context }) =>
        out.integer(context.commandList.length),
      ),
      command('command|info', -2, { group, summary: 'Tells about some commands.' }, info),
      command('command|docs', -2, { group, summary: 'Explains some commands.' }, docs),
      command('command|list', 2, { group, summary: 'Returns the names of all commands.' }, ({ out, context }) => {
        out.array(context.commandList.length);
        for (const each of context.commandList) out.text(each.name);
      }),
    ],
    all,
  ),
];
