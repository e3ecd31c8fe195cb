import { splitLine } from './words.ts';

/** A script as keepalived names it, with its parameters, as a list of words; by a shell where it needs one. */
export function commandOf(script: string): string[] {
  if (/[<>|&;`$*?]/.test(script)) return ['/bin/sh', '-c', script];
  const words = (splitLine(script) ?? []).flatMap((piece) => (piece.kind === 'word' ? [piece.text] : []));
  return words.length === 0 ? [script] : words;
}

/** The same with further arguments behind its own. */
export function withArguments(command: readonly string[], more: readonly string[]): string[] {
  const [program, option, script, ...rest] = command;
  if (program === '/bin/sh' && option === '-c') return [program, option, `${script} ${more.join(' ')}`, ...rest];
  return [...command, ...more];
}

/** One command that runs several, one after the other. */
export function inOrder(commands: readonly (readonly string[])[]): string[] {
  const [only] = commands;
  if (only !== undefined && commands.length === 1) return [...only];
  return ['/bin/sh', '-c', commands.map(shellText).join('; ')];
}

function shellText([program = '', option, ...rest]: readonly string[]): string {
  if (program === '/bin/sh' && option === '-c') return rest[0] ?? '';
  return [program, ...(option === undefined ? [] : [option]), ...rest].map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
