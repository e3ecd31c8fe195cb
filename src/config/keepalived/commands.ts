import { splitLine } from './words.ts';

/** A script as keepalived names it, with its parameters, as a list of words; by a shell where it needs one. */
export function commandOf(script: string): string[] {
  if (/[<>|&;`$*?]/.test(script)) return ['/bin/sh', '-c', script];
  const words = (splitLine(script) ?? []).flatMap((piece) => (piece.kind === 'word' ? [piece.text] : []));
  return words.length === 0 ? [script] : words;
}

/** The command as a shell reads it. */
export function shellText([program = '', option, ...rest]: readonly string[]): string {
  if (program === '/bin/sh' && option === '-c') return rest[0] ?? '';
  return [program, ...(option === undefined ? [] : [option]), ...rest].map(shellWord).join(' ');
}

function shellWord(word: string): string {
  return /^[\w./:=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
