import { messageOf } from '../../../kit/errors.ts';
import { formatRate, parseRate } from '../../../kit/units.ts';
import type { Arguments } from '../../../protocol/resp/arguments.ts';
import { globMatches } from '../../../protocol/resp/glob.ts';
import { LEAST_RATE_BYTES } from '../../../replication/pace/token-bucket.ts';
import type { Client } from '../client.ts';
import { command, container, type Command } from '../command.ts';

/** What can be changed while the agent runs; everything else is a matter of hsctl's configuration file. */
const CATCH_UP_RATE = 'catch-up-rate';

/** Longer ones are cut, which makes them no rates. */
const TEXT_LIMIT = 64;

/** What clients and tools ask before they begin. */
const FIXED = Object.entries({
  appendonly: 'yes',
  databases: '1',
  maxmemory: '0',
  'maxmemory-policy': 'noeviction',
  'proto-max-bulk-len': '67108864',
  save: '',
  timeout: '0',
});

function get(client: Client, args: Arguments): void {
  const patterns = Array.from({ length: args.count - 2 }, (_, index) =>
    Buffer.from(args.text(index + 2).toLowerCase(), 'latin1'),
  );
  const settings = [...FIXED, [CATCH_UP_RATE, formatRate(client.context.node.catchUpRate)] as const];
  const found = settings.filter(([name]) => patterns.some((pattern) => globMatches(pattern, Buffer.from(name))));
  client.out.map(found.length);
  for (const [name, value] of found) {
    client.out.text(name);
    client.out.text(value);
  }
}

function set({ out, context }: Client, args: Arguments): void {
  const name = args.text(2).toLowerCase();
  if (name !== CATCH_UP_RATE || args.count !== 4) {
    return out.error(`ERR only ${CATCH_UP_RATE} can be set here: change hsctl's configuration file for all else`);
  }
  let rate: number | null;
  try {
    rate = parseRate(args.text(3, TEXT_LIMIT));
  } catch (error) {
    return out.error(`ERR CONFIG SET failed - ${messageOf(error)}`);
  }
  if (rate !== null && rate < LEAST_RATE_BYTES)
    return out.error(`ERR CONFIG SET failed - the rate must be at least ${formatRate(LEAST_RATE_BYTES)}`);
  context.node.setCatchUpRate(rate);
  out.ok();
}

const group = 'server';
export const configCommands: readonly Command[] = [
  container('config', { group, summary: 'Settings.' }, [
    command('config|get', -3, { group, summary: 'Returns settings that clients ask for.' }, get),
    command('config|set', -4, { group, summary: 'Changes the pace of catch-ups.' }, set),
    command('config|resetstat', 2, { group, summary: 'Does nothing.' }, ({ out }) => out.ok()),
  ]),
];
