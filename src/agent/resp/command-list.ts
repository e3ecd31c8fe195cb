import type { Command } from './command.ts';
import { clientCommands } from './commands/clients.ts';
import { configCommands } from './commands/config.ts';
import { connectionCommands } from './commands/connection.ts';
import { hsCommands } from './commands/hs.ts';
import { infoCommands } from './commands/info.ts';
import { introspectionCommands } from './commands/introspection.ts';
import { keyspaceCommands } from './commands/keyspace.ts';
import { logStreamCommands } from './commands/log-stream.ts';
import { pubsubCommands } from './commands/pubsub.ts';
import { replicationCommands } from './commands/replication.ts';
import { stringCommands } from './commands/strings.ts';
import { transactionCommands } from './commands/transactions.ts';

/** Every command that the service knows. */
export const commandList: readonly Command[] = [
  ...stringCommands,
  ...keyspaceCommands,
  ...transactionCommands,
  ...logStreamCommands,
  ...pubsubCommands,
  ...replicationCommands,
  ...connectionCommands,
  ...clientCommands,
  ...introspectionCommands,
  ...configCommands,
  ...infoCommands,
  ...hsCommands,
];
