import { createHash, timingSafeEqual } from 'node:crypto';
import type { Arguments } from '../../../protocol/resp/arguments.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';
import { REDIS_VERSION } from '../redis-version.ts';

/** What a client says about itself. */

const WRONG_PASSWORD = 'WRONGPASS invalid username-password pair or user is disabled.';
const NAME_RULE = 'ERR Client names cannot contain spaces, newlines or special characters.';
const NAME_LIMIT = 255;

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'latin1').digest();
}

/** Whether the pair is right; where no password is asked for, any is. */
function passes(client: Client, user: string, password: string): boolean {
  const expected = client.context.password;
  return user === 'default' && (expected === null || timingSafeEqual(digest(password), digest(expected)));
}

/** Whether `name` may name a connection: printable, no spaces. */
export function isClientName(name: string): boolean {
  return name.length <= NAME_LIMIT && /^[!-~]*$/.test(name);
}

function auth(client: Client, args: Arguments): void {
  const { out } = client;
  if (args.count > 3) return out.error('ERR syntax error');
  if (args.count === 2 && client.context.password === null) {
    return out.error(
      'ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?',
    );
  }
  const user = args.count === 3 ? args.text(1) : 'default';
  if (!passes(client, user, args.text(args.count - 1))) return out.error(WRONG_PASSWORD);
  client.authenticated();
  out.ok();
}

function hello(client: Client, args: Arguments): void {
  const { out, session } = client;
  let version = out.version;
  if (args.count > 1) {
    const asked = args.integer(1);
    if (asked === null) return out.error('ERR Protocol version is not an integer or out of range');
    if (asked !== 2 && asked !== 3) return out.error('NOPROTO unsupported protocol version');
    version = asked;
  }
  let { authenticated } = session;
  let { name } = session;
  for (let index = 2; index < args.count;) {
    if (args.is(index, 'AUTH') && index + 2 < args.count) {
      if (!passes(client, args.text(index + 1), args.text(index + 2))) return out.error(WRONG_PASSWORD);
      authenticated = true;
      index += 3;
    } else if (args.is(index, 'SETNAME') && index + 1 < args.count) {
      name = args.text(index + 1);
      if (!isClientName(name)) return out.error(NAME_RULE);
      index += 2;
    } else return out.error(`ERR Syntax error in HELLO option '${args.text(index)}'`);
  }
  if (!authenticated) {
    return out.error(
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time',
    );
  }
  client.authenticated();
  session.name = name;
  out.version = version;
  writeHello(client);
}

function writeHello(client: Client): void {
  const { out } = client;
  out.map(7);
  out.text('server');
  out.text('redis');
  out.text('version');
  out.text(REDIS_VERSION);
  out.text('proto');
  out.integer(out.version);
  out.text('id');
  out.integer(client.id);
  out.text('mode');
  out.text('standalone');
  out.text('role');
  out.text(client.context.role.role === 'master' ? 'master' : 'replica');
  out.text('modules');
  out.array(0);
}

function ping(client: Client, args: Arguments): void {
  const { out, session } = client;
  if (args.count > 2) return out.error("ERR wrong number of arguments for 'ping' command");
  if (session.channels.size > 0 && out.version === 2) {
    out.array(2);
    out.text('pong');
    if (args.count === 2) out.bulk(args.view(1));
    else out.text('');
  } else if (args.count === 2) out.bulk(args.view(1));
  else out.simple('PONG');
}

function select(client: Client, args: Arguments): void {
  const database = args.integer(1);
  if (database === null) client.out.error('ERR value is not an integer or out of range');
  else if (database !== 0) client.out.error('ERR DB index is out of range');
  else client.out.ok();
}

const group = 'connection';
export const connectionCommands: readonly Command[] = [
  command('ping', -1, { traits: ['subscribed'], group, summary: 'Answers.' }, ping),
  command('echo', 2, { group, summary: 'Returns its argument.' }, ({ out }, args) => out.bulk(args.view(1))),
  command('auth', -2, { traits: ['beforeAuth'], group, summary: 'Gives the password.' }, auth),
  command('hello', -1, { traits: ['beforeAuth'], group, summary: 'Chooses the version of the protocol.' }, hello),
  command('select', 2, { group, summary: 'Takes database 0, the only one.' }, select),
  command(
    'quit',
    -1,
    { traits: ['beforeAuth', 'subscribed', 'immediate'], group, summary: 'Closes the connection.' },
    (client) => {
      client.out.ok();
      client.closeAfterReplies();
    },
  ),
  command(
    'reset',
    1,
    { traits: ['beforeAuth', 'subscribed', 'immediate'], group, summary: 'Makes the connection as new.' },
    (client) => {
      client.reset();
      client.out.simple('RESET');
    },
  ),
];
export { NAME_RULE };
