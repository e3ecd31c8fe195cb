import type { CommandEntry } from './table.ts';

/** The list of commands, with what to do about each of them and where to read on. */
export function renderOverview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map((command) => command.id.length));
  const lines = commands.map((command) => `  ${command.id.padEnd(width)}  ${command.summary}`);
  return `hsctl keeps a stateful server that runs as one active copy available on two machines.

USAGE
  hsctl COMMAND [--help]

COMMANDS
${lines.join('\n')}

The configuration is /etc/hsctl/hsctl.yaml, or what --config or HSCTL_CONFIG names.
Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration, 3 nobody answers.
`;
}
