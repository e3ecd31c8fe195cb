import type { HsctlCommand } from './base.ts';

export type CommandClass = Pick<
  typeof HsctlCommand,
  'summary' | 'description' | 'examples' | 'args' | 'flags' | 'baseFlags'
> &
  (new (words: readonly string[]) => HsctlCommand);

export interface CommandEntry {
  /** One or two words, as they are typed. */
  readonly id: string;
  /** What stands in the overview; the class has the same summary for `--help`. */
  readonly summary: string;
  /** Loads only this command's modules. */
  load(): Promise<CommandClass>;
}

/** Every command, in the order of the overview. A table rather than a search for files: nothing else is loaded or read. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    id: 'status',
    summary: 'Show who serves, the health and lag of each node, and what is wrong.',
    load: async () => (await import('./status.ts')).Status,
  },
  {
    id: 'promote',
    summary: 'Make the other node master: a planned change that loses nothing.',
    load: async () => (await import('./promote.ts')).Promote,
  },
  {
    id: 'drain',
    summary: 'Take a node out of service: no new work, present connections end.',
    load: async () => (await import('./drain.ts')).Drain,
  },
  {
    id: 'undrain',
    summary: 'Let a drained node take part again.',
    load: async () => (await import('./undrain.ts')).Undrain,
  },
  {
    id: 'fenced',
    summary: 'Say that a node is off: you have made sure of it yourself.',
    load: async () => (await import('./fenced.ts')).Fenced,
  },
  {
    id: 'pause',
    summary: 'Do not fail a group over for a while, say for maintenance.',
    load: async () => (await import('./pause.ts')).Pause,
  },
  { id: 'resume', summary: 'End a pause.', load: async () => (await import('./resume.ts')).Resume },
  {
    id: 'events',
    summary: 'Show what happened: every decision with its rule and the time of each phase.',
    load: async () => (await import('./events.ts')).Events,
  },
  {
    id: 'explain',
    summary: 'Say why a group does, or does not, fail over: each rule with the guards that block it.',
    load: async () => (await import('./explain.ts')).Explain,
  },
  {
    id: 'config check',
    summary: 'Check the configuration file, and whether the controller has it in force.',
    load: async () => (await import('./config-check.ts')).ConfigCheck,
  },
  {
    id: 'config show',
    summary: 'Print the configuration with everything filled in that was left out.',
    load: async () => (await import('./config-show.ts')).ConfigShow,
  },
  {
    id: 'config schema',
    summary: 'Print the JSON Schema of the configuration file, for editors.',
    load: async () => (await import('./config-schema.ts')).ConfigSchema,
  },
  {
    id: 'config reload',
    summary: 'Make the controller and its agents read their configuration again.',
    load: async () => (await import('./config-reload.ts')).ConfigReload,
  },
  {
    id: 'init',
    summary: 'Write a configuration for a pair: asks on a terminal, or takes it all from flags.',
    load: async () => (await import('./init.ts')).Init,
  },
  {
    id: 'import',
    summary: "Turn a pair's keepalived.conf into a configuration, naming what has no counterpart.",
    load: async () => (await import('./import.ts')).Import,
  },
  {
    id: 'doctor',
    summary: 'Check this machine for its role: rights, tools, clocks, ports, certificates, disks, reach.',
    load: async () => (await import('./doctor.ts')).Doctor,
  },
  {
    id: 'store info',
    summary: "Describe an agent's store: where its log ends, its reigns and files.",
    load: async () => (await import('./store-info.ts')).StoreInfo,
  },
  {
    id: 'store verify',
    summary: "Read an agent's whole store and check every checksum.",
    load: async () => (await import('./store-verify.ts')).StoreVerify,
  },
  {
    id: 'store archives',
    summary: 'List what was cut off the log of a node, or print the records in it.',
    load: async () => (await import('./store-archives.ts')).StoreArchives,
  },
  {
    id: 'cert init',
    summary: "Make the cluster's authority, which signs all certificates.",
    load: async () => (await import('./cert-init.ts')).CertInit,
  },
  {
    id: 'cert issue',
    summary: 'Make the certificate and key of the controller, a node, an operator or a viewer.',
    load: async () => (await import('./cert-issue.ts')).CertIssue,
  },
  {
    id: 'cert renew',
    summary: 'Replace a certificate and its key by new ones.',
    load: async () => (await import('./cert-renew.ts')).CertRenew,
  },
  {
    id: 'cert list',
    summary: 'Show the certificates here: whose they are, and when they end.',
    load: async () => (await import('./cert-list.ts')).CertList,
  },
  {
    id: 'controller',
    summary: 'Run the controller: watches all groups, decides, moves traffic.',
    load: async () => (await import('./controller.ts')).Controller,
  },
  {
    id: 'agent',
    summary: 'Run the agent of a node: replicates its state, watches its app, knows its role.',
    load: async () => (await import('./agent.ts')).Agent,
  },
  {
    id: 'completion',
    summary: 'Print the completion script for a shell.',
    load: async () => (await import('./completion.ts')).Completion,
  },
];

/** The command that the first words of `argv` name, with what follows them; null if there is none. */
export function findCommand(
  argv: readonly string[],
): { readonly entry: CommandEntry; readonly rest: readonly string[] } | null {
  for (const length of [2, 1]) {
    const entry = COMMANDS.find((each) => each.id === argv.slice(0, length).join(' '));
    if (entry !== undefined) return { entry, rest: argv.slice(length) };
  }
  return null;
}

/** The commands whose first word is this one: `config`. */
export function topicCommands(topic: string): readonly CommandEntry[] {
  return COMMANDS.filter((each) => each.id.startsWith(`${topic} `));
}
