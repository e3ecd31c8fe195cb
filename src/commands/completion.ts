import * as Args from './args.ts';
import { HsctlCommand } from './base.ts';
import { bashCompletion, fishCompletion, zshCompletion, type CompletedCommand } from './render/completion.ts';

const SHELLS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

export class Completion extends HsctlCommand {
  static override summary = 'Print the completion script for a shell.';
  static override description =
    'bash: hsctl completion bash > /etc/bash_completion.d/hsctl; zsh: hsctl completion zsh > "${fpath[1]}/_hsctl"; fish: hsctl completion fish > ~/.config/fish/completions/hsctl.fish';
  static override args = {
    shell: Args.string({
      required: true,
      options: ['bash', 'zsh', 'fish', 'names'],
      description: 'the shell (names: groups and nodes, for the scripts)',
    }),
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Completion);
    if (args.shell === 'names') return this.#printNames(flags.config);
    const script = SHELLS[args.shell as keyof typeof SHELLS](await describeCommands());
    process.stdout.write(script);
  }

  async #printNames(configPath: string): Promise<void> {
    const { loadConfig } = await import('../config/load.ts');
    const { groups } = loadConfig(configPath).config;
    const names = groups.flatMap((group) => [group.name, ...group.nodes.map((node) => node.id)]);
    this.print(...new Set(names));
  }
}

async function describeCommands(): Promise<CompletedCommand[]> {
  const { COMMANDS } = await import('./table.ts');
  return Promise.all(
    COMMANDS.map(async (entry) => {
      const command = await entry.load();
      const flags = Object.entries({ ...command.flags, ...command.baseFlags }).map(([name, flag]) => ({
        name,
        summary: flag.description ?? '',
        takesValue: flag.type === 'option',
      }));
      const help = { name: 'help', summary: 'show help', takesValue: false };
      return { id: entry.id, summary: entry.summary, flags: [...flags, help], takesNames: 'group' in command.args };
    }),
  );
}
