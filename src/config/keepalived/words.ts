/** A piece of a line: a word, or a brace that opens or ends a block. */
export type Piece = { readonly kind: 'word'; readonly text: string } | { readonly kind: 'open' | 'close' };

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** Splits a line at its blanks and braces; quotes hold a word together. Null if a quote is not closed. */
export function splitLine(line: string): readonly Piece[] | null {
  const pieces: Piece[] = [];
  let word: string | null = null;
  let quote = '';
  const end = (): void => {
    if (word !== null) pieces.push({ kind: 'word', text: word });
    word = null;
  };
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (quote !== '') {
      if (character === quote) quote = '';
      else if (character === '\\' && quote === '"') word += escaped(line.charAt((index += 1)));
      else word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) end();
    else if ((character === '{' && !line.slice(0, index).endsWith('$')) || (character === '}' && !inParameter(word))) {
      end();
      pieces.push({ kind: character === '{' ? 'open' : 'close' });
    } else word = (word ?? '') + character;
  }
  if (quote !== '') return null;
  end();
  return pieces;
}

/** The line without the comment at its end: `#` and `!` begin one anywhere but in quotes. */
export function withoutComment(line: string): string {
  let quote = '';
  for (let index = 0; index < line.length; index += 1) {
    const character = line.charAt(index);
    if (character === '\\' && quote === '"') index += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '#' || character === '!') return line.slice(0, index);
  }
  return line;
}

function escaped(character: string): string {
  return ESCAPES[character] ?? character;
}

/** Within `${NAME}` that stands for nothing: keepalived leaves it as it is. */
function inParameter(word: string | null): boolean {
  return word !== null && /\$\{[^}]*$/.test(word);
}
