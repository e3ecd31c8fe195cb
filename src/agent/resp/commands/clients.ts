import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';
import { isClientName, NAME_RULE } from './connection.ts';

/** CLIENT: connections seen from one of them. */

function describe(client: Client): string {
  const { session, context, pendingBytes } = client;
  const flags = `${session.transaction === null ? '' : 'x'}${session.channels.size > 0 ? 'P' : ''}${client.blocked ? 'b' : ''}`;
  const fields: Record<string, string | number> = {
    id: client.id,
    addr: client.peer,
    name: session.name,
    age: context.seconds - client.since,
    idle: context.seconds - client.lastActive,
    flags: flags === '' ? 'N' : flags,
    db: 0,
    sub: session.channels.size,
    psub: 0,
    multi: session.transaction?.commands.length ?? -1,
    qbuf: pendingBytes.input,
    obl: pendingBytes.output,
    cmd: client.lastCommand,
    user: 'default',
    resp: client.out.version,
    'lib-name': session.libraryName,
    'lib-ver': session.libraryVersion,
    app: client.appName,
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}

function list(client: Client, args: Arguments): void {
  const { out, context } = client;
  let clients = [...context.clients.values()];
  if (args.count > 2) {
    if (!args.is(2, 'ID') || args.count === 3) return out.error('ERR syntax error');
    const ids = new Set<number | null>();
    for (let index = 3; index < args.count; index++) {
      const id = args.integer(index);
      if (id === null || id < 1) return out.error('ERR Invalid client ID');
      ids.add(id);
    }
    clients = clients.filter(({ id }) => ids.has(id));
  }
  out.verbatim(clients.map((each) => `${describe(each)}\n`).join(''));
}

function setName(client: Client, args: Arguments): void {
  const name = args.text(2);
  if (!isClientName(name)) return client.out.error(NAME_RULE);
  client.session.name = name;
  client.out.ok();
}

function setInfo(client: Client, args: Arguments): void {
  const value = args.text(3);
  if (!args.is(2, 'LIB-NAME') && !args.is(2, 'LIB-VER')) {
    return client.out.error(`ERR Unrecognized option '${args.text(2)}'`);
  }
  if (!isClientName(value)) {
    return client.out.error(`ERR ${args.text(2)} cannot contain spaces, newlines or special characters.`);
  }
  if (args.is(2, 'LIB-NAME')) client.session.libraryName = value;
  else client.session.libraryVersion = value;
  client.out.ok();
}

function onOff(client: Client, args: Arguments): void {
  if (args.is(2, 'ON') || args.is(2, 'OFF')) client.out.ok();
  else client.out.error('ERR syntax error');
}

const group = 'connection';
export const clientCommands: readonly Command[] = [
  container('client', { group, summary: 'Connections.' }, [
    command('client|id', 2, { group, summary: 'Returns the number of this connection.' }, (client) =>
      client.out.integer(client.id),
    ),
    command('client|getname', 2, { group, summary: 'Returns the name of this connection.' }, ({ out, session }) => {
      if (session.name === '') out.null();
      else out.text(session.name);
    }),
    command('client|setname', 3, { group, summary: 'Names this connection.' }, setName),
    command('client|setinfo', 4, { group, summary: 'Names the library of this connection.' }, setInfo),
    command('client|info', 2, { group, summary: 'Tells about this connection.' }, (client) =>
      client.out.verbatim(`${describe(client)}\n`),
    ),
    command('client|list', -2, { group, summary: 'Tells about all connections.' }, list),
    command('client|no-evict', 3, { group, summary: 'Does nothing: clients are not evicted.' }, onOff),
    command('client|no-touch', 3, { group, summary: 'Does nothing: use of keys is not recorded.' }, onOff),
  ]),
];
