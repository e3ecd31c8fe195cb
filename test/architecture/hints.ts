import type { Token } from './tokens.ts';

/** Texts that say what would do: the third argument of an HsctlError, and what is named a hint. */
export function hints(code: readonly Token[]): Token[] {
  return code.flatMap(({ value }, index) => {
    const next = code[index + 1]?.value;
    if (value === 'HsctlError' && next === '(') return texts(argument(code, index + 2, 2));
    return /hint$/i.test(value) && (next === ':' || next === '=') ? texts(argument(code, index + 2, 0)) : [];
  });
}

/** Small letters at the start, no full stop at the end, and quotes around what is to be typed: one form for all. */
export function isInForm(hint: string): boolean {
  return !/^[A-Z][a-z]|[^.]\.$|`/.test(hint);
}

function texts(code: readonly Token[]): Token[] {
  return code.filter(({ kind }) => kind === 'text');
}

/** The tokens of an argument, by its number, of a list that begins at `start`; ends where a statement does, too. */
function argument(code: readonly Token[], start: number, number: number): readonly Token[] {
  let depth = 0;
  let begin = start;
  let commas = 0;
  for (let index = start; index < code.length; index += 1) {
    const { kind, value } = code[index]!;
    const mark = kind === 'mark' ? value : '';
    if (depth === 0 && [',', ';', ')', '}', ']'].includes(mark)) {
      if (commas === number || mark !== ',') return commas === number ? code.slice(begin, index) : [];
      commas += 1;
      begin = index + 1;
    }
    if (['(', '{', '['].includes(mark)) depth += 1;
    if ([')', '}', ']'].includes(mark)) depth -= 1;
  }
  return [];
}
