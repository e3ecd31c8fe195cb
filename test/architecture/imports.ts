import type { Token } from './tokens.ts';

export interface Import {
  /** What stands in the quotes; null where it is computed. */
  readonly specifier: string | null;
  readonly line: number;
}

/** Every import of a module: static, for types or for effects only, dynamic, in a type, or an `export ... from`. */
export function imports(code: readonly Token[]): Import[] {
  const found: Import[] = [];
  code.forEach((token, index) => {
    const before = code[index - 1];
    const after = code[index + 1];
    if (token.kind === 'text' && isWord(before, 'from', 'import')) {
      found.push({ specifier: token.value, line: token.line });
    }
    // Not a method that is called import, as in `x.import(...)`.
    if (isWord(token, 'import', 'require') && after?.value === '(' && before?.value !== '.') {
      const argument = code[index + 2];
      found.push({ specifier: argument?.kind === 'text' ? argument.value : null, line: token.line });
    }
  });
  return found;
}

function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.value);
}
