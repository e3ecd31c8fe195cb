import type { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import { CommandHelp } from '@oclif/core/help';
import type { Interfaces } from '@oclif/core';
import { formatDuration } from '../kit/units.ts';
import { VERSION } from '../kit/version.ts';
import type { CommandEntry } from './table.ts';

const HELP_WIDTH = 100;
/** oclif is given what it would search for: no file but the command's own is read, nor plug-ins in somebody's HOME. */
const OPTIONS = {
  root: import.meta.dirname,
  ignoreManifest: true,
  userPlugins: false,
  devPlugins: false,
  pjson: { name: 'hsctl', version: VERSION, oclif: { bin: 'hsctl', dirname: 'hsctl', topicSeparator: ' ' as const } },
};

/** oclif's help of one command. */
export async function renderCommandHelp(entry: CommandEntry): Promise<string> {
  const command = await entry.load();
  const config = await Config.load(OPTIONS);
  const loadable: Command.Loadable = {
    id: entry.id,
    aliases: [],
    hiddenAliases: [],
    hidden: false,
    args: named(command.args),
    flags: named(withUnits({ ...command.flags, ...command.baseFlags })),
    // Without a description oclif would leave the summary out.
    ...(command.description === undefined
      ? { description: entry.summary }
      : { summary: entry.summary, description: command.description }),
    ...(command.examples !== undefined && { examples: command.examples }),
    load: () => Promise.reject(new Error('help runs no command')),
  };
  return new CommandHelp(loadable, config, { maxWidth: HELP_WIDTH, stripAnsi: true }).generate();
}

/** A time is written with its unit, not in milliseconds. */
function withUnits(flags: Interfaces.FlagInput): Interfaces.FlagInput {
  const shown = { ...flags };
  for (const [name, flag] of Object.entries(flags)) {
    if (flag.type !== 'option' || flag.helpValue !== 'TIME') continue;
    const usual: unknown = flag.default;
    if (typeof usual === 'number') shown[name] = { ...flag, default: formatDuration(usual) };
  }
  return shown;
}

/** Arguments and flags know their names only once they are cached, which we do not do. */
function named<Option extends object>(
  options: Readonly<Record<string, Option>>,
): Record<string, Option & { name: string }> {
  return Object.fromEntries(Object.entries(options).map(([name, option]) => [name, { ...option, name }]));
}
