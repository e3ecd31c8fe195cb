import type { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import { CommandHelp } from '@oclif/core/help';
import type { Interfaces } from '@oclif/core';
import type { CommandEntry } from './table.ts';

const HELP_WIDTH = 100;

/** oclif's help of one command. */
export async function renderCommandHelp(entry: CommandEntry, options: Interfaces.LoadOptions): Promise<string> {
  const command = await entry.load();
  const config = await Config.load(options);
  const loadable: Command.Loadable = {
    id: entry.id,
    aliases: [],
    hiddenAliases: [],
    hidden: false,
    args: named(command.args),
    flags: named({ ...command.flags, ...command.baseFlags }),
    summary: entry.summary,
    ...(command.description !== undefined && { description: command.description }),
    ...(command.examples !== undefined && { examples: command.examples }),
    load: () => entry.load(),
  };
  return new CommandHelp(loadable, config, { maxWidth: HELP_WIDTH, stripAnsi: true }).generate();
}

/** Arguments and flags know their names only once they are cached, which we do not do. */
function named<Option extends object>(
  options: Readonly<Record<string, Option>>,
): Record<string, Option & { name: string }> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, name }]));
}
