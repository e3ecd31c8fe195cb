/** Completion scripts, made from the table of commands. Groups and nodes are asked of `hsctl completion names` as one types. */

export interface CompletedCommand {
  readonly id: string;
  readonly summary: string;
  readonly flags: readonly { readonly name: string; readonly summary: string; readonly takesValue: boolean }[];
  /** Whether groups and nodes may follow. */
  readonly takesNames: boolean;
}

export function bashCompletion(commands: readonly CompletedCommand[]): string {
  const first = unique(commands.map((command) => command.id.split(' ')[0] ?? ''));
  const topics = unique(commands.flatMap(({ id }) => (id.includes(' ') ? [id.split(' ')[0] ?? ''] : [])));
  const cases = [
    // Commands of two words stand before their first words.
    ...commands.toSorted((one, other) => other.id.length - one.id.length).map(bashCase),
    ...topics.map((topic) => `    '${topic} '*) words='${secondWords(topic, commands)}' ;;`),
    `    *) words='${first.join(' ')}' ;;`,
  ];
  return `# bash completion for hsctl
_hsctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" line="\${COMP_WORDS[*]:1:COMP_CWORD-1} " words='' names=''
  case "$line" in
${cases.join('\n')}
  esac
  if [[ -n $names && $current != -* ]]; then words=$(hsctl completion names 2>/dev/null); fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _hsctl hsctl
`;
}

/** zsh reads the script for bash. */
export function zshCompletion(commands: readonly CompletedCommand[]): string {
  const script = bashCompletion(commands).replace(
    'mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")',
    'COMPREPLY=($(compgen -W "$words" -- "$current"))',
  );
  return `#compdef hsctl\nautoload -U +X bashcompinit && bashcompinit\n${script}`;
}

export function fishCompletion(commands: readonly CompletedCommand[]): string {
  const lines = ['# fish completion for hsctl', 'complete -c hsctl -f'];
  for (const { id, summary, flags, takesNames } of commands) {
    const [word = '', second] = id.split(' ');
    const atStart = second === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${word}`;
    if (second !== undefined) lines.push(`complete -c hsctl -n __fish_use_subcommand -a ${word}`);
    lines.push(`complete -c hsctl -n '${atStart}' -a ${second ?? word} -d '${quoted(summary)}'`);
    const within =
      second === undefined
        ? `__fish_seen_subcommand_from ${word}`
        : `__fish_seen_subcommand_from ${word}; and __fish_seen_subcommand_from ${second}`;
    for (const flag of flags) {
      lines.push(
        `complete -c hsctl -n '${within}' -l ${flag.name}${flag.takesValue ? ' -r' : ''} -d '${quoted(flag.summary)}'`,
      );
    }
    if (takesNames) lines.push(`complete -c hsctl -n '${within}' -a '(hsctl completion names 2>/dev/null)'`);
  }
  return `${unique(lines).join('\n')}\n`;
}

function bashCase({ id, flags, takesNames }: CompletedCommand): string {
  const words = flags.map((flag) => `--${flag.name}`).join(' ');
  return `    '${id} '*) words='${words}'${takesNames ? ' names=1' : ''} ;;`;
}

function secondWords(topic: string, commands: readonly CompletedCommand[]): string {
  return commands.flatMap(({ id }) => (id.startsWith(`${topic} `) ? [id.slice(topic.length + 1)] : [])).join(' ');
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

function quoted(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll("'", "\\'");
}
