import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import {
  bashCompletion,
  fishCompletion,
  zshCompletion,
  type CompletedCommand,
} from '../../../src/commands/render/completion.ts';

const COMMANDS: readonly CompletedCommand[] = [
  {
    id: 'status',
    summary: 'Who serves',
    flags: [{ name: 'json', summary: "it's JSON", takesValue: false }],
    takesNames: true,
  },
  {
    id: 'config check',
    summary: 'Check',
    flags: [{ name: 'config', summary: 'file', takesValue: true }],
    takesNames: false,
  },
  { id: 'config show', summary: 'Show', flags: [], takesNames: false },
];

/** What bash offers for the words typed so far. */
function offered(...words: string[]): string {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const script = `${bashCompletion(COMMANDS)}
hsctl() { echo world; echo a; echo b; }
COMP_WORDS=(hsctl ${typed}); COMP_CWORD=${words.length}
_hsctl
echo "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' }).trim();
}

describe('completion', () => {
  it('in bash offers commands, the second words of a topic, flags, and the names of groups and nodes', () => {
    assert.equal(offered(''), 'status config');
    assert.equal(offered('st'), 'status');
    assert.equal(offered('config', ''), 'check show');
    assert.equal(offered('config', 's'), 'show');
    assert.equal(offered('config', 'check', '--'), '--config');
    assert.equal(offered('status', '--'), '--json');
    assert.equal(offered('status', ''), 'world a b');
    assert.equal(offered('status', 'w'), 'world');
  });

  it('in zsh is that of bash, without what only bash has', () => {
    const script = zshCompletion(COMMANDS);
    assert.ok(script.startsWith('#compdef hsctl\n'));
    assert.doesNotMatch(script, /mapfile/);
    assert.match(script, /COMPREPLY=\(\$\(compgen/);
  });

  it('in fish has a line for each command and flag', () => {
    assert.equal(
      fishCompletion(COMMANDS),
      `# fish completion for hsctl
complete -c hsctl -f
complete -c hsctl -n '__fish_use_subcommand' -a status -d 'Who serves'
complete -c hsctl -n '__fish_seen_subcommand_from status' -l json -d 'it\\'s JSON'
complete -c hsctl -n '__fish_seen_subcommand_from status' -a '(hsctl completion names 2>/dev/null)'
complete -c hsctl -n __fish_use_subcommand -a config
complete -c hsctl -n '__fish_seen_subcommand_from config' -a check -d 'Check'
complete -c hsctl -n '__fish_seen_subcommand_from config; and __fish_seen_subcommand_from check' -l config -r -d 'file'
complete -c hsctl -n '__fish_seen_subcommand_from config' -a show -d 'Show'
`,
    );
  });
});
