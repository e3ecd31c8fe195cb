import { NameTable } from '../../protocol/resp/name-table.ts';
import type { Arguments } from '../../protocol/resp/arguments.ts';
import type { Client } from './client.ts';

/** What a command touches: writes wait for the gate, reads for a lease, and the replies of both for confirmation. */
export type CommandKind = 'write' | 'read' | 'other';

/**
 * When a command is taken beside the usual: before the password was given (`beforeAuth`), by a RESP2 client that is
 * subscribed (`subscribed`), at once within MULTI (`immediate`), or not at all there (`noMulti`).
 */
export type CommandTrait = 'beforeAuth' | 'subscribed' | 'immediate' | 'noMulti';

export interface Command {
  /** In small letters, as Redis' errors name it: `get`, `client|setname`. */
  readonly name: string;
  /** Number of arguments with the name; negative: at least that many. */
  readonly arity: number;
  readonly kind: CommandKind;
  readonly traits: ReadonlySet<CommandTrait>;
  /** Places of the keys: first, last (negative: from the end), step; zeros for none. */
  readonly keys: readonly [number, number, number];
  readonly summary: string;
  readonly group: string;
  readonly subcommands: NameTable<Command> | null;
  readonly subcommandList: readonly Command[];
  readonly run: Run;
}

/** Writes the reply; arguments are good until it returns. */
export type Run = (client: Client, args: Arguments) => void;

interface Definition {
  readonly kind?: CommandKind;
  readonly traits?: readonly CommandTrait[];
  readonly keys?: readonly [number, number, number];
  readonly group: string;
  readonly summary: string;
}

/** A command: its name, number of arguments, what is to be known of it, and what it does. */
export function command(name: string, arity: number, definition: Definition, run: Run): Command {
  return {
    name,
    arity,
    kind: definition.kind ?? 'other',
    traits: new Set(definition.traits),
    keys: definition.keys ?? [0, 0, 0],
    summary: definition.summary,
    group: definition.group,
    subcommands: null,
    subcommandList: [],
    run,
  };
}

/** A command whose second word says what it does; HELP is added. `alone` answers it without a second word. */
export function container(name: string, definition: Definition, parts: readonly Command[], alone?: Run): Command {
  const help = command(`${name}|help`, 2, { group: definition.group, summary: 'Prints this help.' }, ({ out }) => {
    const lines = [`${name.toUpperCase()} <subcommand> [<arg> ...]. Subcommands are:`];
    for (const part of all) lines.push(partName(part), `    ${part.summary}`);
    out.array(lines.length);
    for (const line of lines) out.simple(line);
  });
  const all = [...parts, help];
  // Without `alone`, the number of arguments keeps it from being run without a second word.
  const base = command(name, alone === undefined ? -2 : -1, definition, alone ?? (() => undefined));
  return { ...base, subcommands: new NameTable(all.map((part) => [partName(part), part])), subcommandList: all };
}

function partName(part: Command): string {
  return part.name.slice(part.name.indexOf('|') + 1).toUpperCase();
}

/** Finds commands by name. */
export function tableOf(commands: readonly Command[]): NameTable<Command> {
  return new NameTable(commands.map((each) => [each.name.toUpperCase(), each]));
}
