import type { Arguments } from '../../../protocol/resp/arguments.ts';
import { globMatches } from '../../../protocol/resp/glob.ts';
import type { Client } from '../client.ts';
import { command, type Command } from '../command.ts';

/** The set of all keys. */

const DEFAULT_COUNT = 10;
/** Keys that one call looks at; a client may ask for more but gets them by further calls, as SCAN allows. */
const COUNT_LIMIT = 10_000;

function scan(client: Client, args: Arguments): void {
  const { out } = client;
  const cursor = args.integer(1);
  if (cursor === null || cursor < 0) return out.error('ERR invalid cursor');
  let count = DEFAULT_COUNT;
  let pattern: Uint8Array | null = null;
  let none = false;
  for (let index = 2; index < args.count; index += 2) {
    if (index + 1 >= args.count) return out.error('ERR syntax error');
    if (args.is(index, 'COUNT')) {
      const asked = args.integer(index + 1);
      if (asked === null) return out.error('ERR value is not an integer or out of range');
      if (asked < 1) return out.error('ERR syntax error');
      count = Math.min(asked, COUNT_LIMIT);
    } else if (args.is(index, 'MATCH')) pattern = args.view(index + 1);
    else if (args.is(index, 'TYPE')) none = !args.is(index + 1, 'STRING');
    else return out.error('ERR syntax error');
  }
  const { next, keys } = client.context.replica.scan(cursor, count);
  const wanted = keys.filter((key) => !none && (pattern === null || globMatches(pattern, key)));
  out.array(2);
  out.text(String(next));
  out.array(wanted.length);
  for (const key of wanted) out.bulk(key);
}

export const keyspaceCommands: readonly Command[] = [
  command('scan', -2, { kind: 'read', group: 'generic', summary: 'Goes through all keys, some at a time.' }, scan),
  command('dbsize', 1, { kind: 'read', group: 'server', summary: 'Returns the number of keys.' }, (client) =>
    client.out.integer(client.context.replica.count()),
  ),
];
