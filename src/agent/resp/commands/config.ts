import type { Arguments } from '../../../protocol/resp/arguments.ts';
import { globMatches } from '../../../protocol/resp/glob.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';

/** What CONFIG GET tells: what clients and tools ask before they begin. hsctl itself is configured by its file. */
const SETTINGS = new Map(
  Object.entries({
    appendonly: 'yes',
    databases: '1',
    maxmemory: '0',
    'maxmemory-policy': 'noeviction',
    'proto-max-bulk-len': '67108864',
    save: '',
    timeout: '0',
  }),
);

function get(client: Client, args: Arguments): void {
  const patterns = Array.from({ length: args.count - 2 }, (_, index) =>
    Buffer.from(args.text(index + 2).toLowerCase(), 'latin1'),
  );
  const found = [...SETTINGS].filter(([name]) => patterns.some((pattern) => globMatches(pattern, Buffer.from(name))));
  client.out.map(found.length);
  for (const [name, value] of found) {
    client.out.text(name);
    client.out.text(value);
  }
}

const group = 'server';
export const configCommands: readonly Command[] = [
  container('config', { group, summary: 'Settings.' }, [
    command('config|get', -3, { group, summary: 'Returns settings that clients ask for.' }, get),
    command('config|set', -4, { group, summary: 'Is not supported.' }, ({ out }) =>
      out.error("ERR CONFIG SET is not supported: change hsctl's configuration file and reload it"),
    ),
    command('config|resetstat', 2, { group, summary: 'Does nothing.' }, ({ out }) => out.ok()),
  ]),
];
