import type { Command } from '@oclif/core/command';
import { Config } from '@oclif/core/config';
import { CommandHelp } from '@oclif/core/help';
import { formatDuration } from '../kit/units.ts';
import { VERSION } from '../kit/version.ts';
import type { Argument } from './args.ts';
import type { Flag } from './flags.ts';
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
    args: mapValues(command.args, shownArgument),
    flags: mapValues({ ...command.flags, ...command.baseFlags }, shownFlag),
    // Without a description oclif would leave the summary out.
    ...(command.description === undefined
      ? { description: entry.summary }
      : { summary: entry.summary, description: command.description }),
    ...(command.examples !== undefined && { examples: command.examples }),
    load: () => Promise.reject(new Error('help runs no command')),
  };
  return new CommandHelp(loadable, config, { maxWidth: HELP_WIDTH, stripAnsi: true }).generate();
}

/** As oclif's help wants them: with their names, and times with their units. */
function shownFlag(name: string, flag: Flag): Command.Flag.Cached {
  const { char, description, helpValue, helpGroup, exclusive } = flag;
  const shown = {
    name,
    ...(char !== undefined && { char }),
    ...(description !== undefined && { description }),
    ...(helpValue !== undefined && { helpValue }),
    ...(helpGroup !== undefined && { helpGroup }),
    ...(exclusive !== undefined && { exclusive: [...exclusive] }),
  };
  if (flag.type === 'boolean') return { ...shown, type: 'boolean', allowNo: flag.allowNo };
  const { env, options, multiple = false, default: usual } = flag;
  const isTime = helpValue === 'TIME' && typeof usual === 'number';
  return {
    ...shown,
    type: 'option',
    multiple,
    ...(env !== undefined && { env }),
    ...(options !== undefined && { options: [...options] }),
    ...(usual !== undefined && { default: isTime ? formatDuration(usual) : usual }),
  };
}

function shownArgument(name: string, { description, required, options }: Argument<unknown>): Command.Arg.Cached {
  return {
    name,
    description,
    ...(required !== undefined && { required }),
    ...(options !== undefined && { options: [...options] }),
  };
}

function mapValues<Given, Shown>(
  values: Readonly<Record<string, Given>>,
  show: (name: string, value: Given) => Shown,
): Record<string, Shown> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, show(name, value)]));
}
