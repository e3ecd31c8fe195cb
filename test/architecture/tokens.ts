/**
 * A tokenizer for TypeScript source that knows just enough to tell code from comments, strings, templates and regular
 * expressions, so that the rules look at what the code does and not at what it says.
 */

export interface Token {
  /** `text` is a string or a template without substitutions; its quotes are left out. */
  readonly kind: 'word' | 'text' | 'mark';
  readonly value: string;
  readonly line: number;
}

const SPACE = /\s+/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const BLOCK_COMMENT = /\/\*[^]*?\*\//y;
const WORD = /[#\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy;
const NUMBER = /\d[\w.]*/y;
const STRING = /'(?:\\[^]|[^'\\])*'|"(?:\\[^]|[^"\\])*"/y;
const REGEX = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/\w*/y;
/** From a template's backtick, or from the brace that ends a substitution, to the next substitution or the end. */
const TEMPLATE_PART = /[`}](?:\\[^]|\$(?!\{)|[^`\\$])*(?:`|\$\{)/y;

/** Words after which a slash begins a regular expression, though a slash after a word is mostly a division. */
const BEFORE_REGEX = new Set(['return', 'typeof', 'case', 'in', 'of', 'void', 'delete', 'throw', 'await', 'yield']);

/** All tokens of a source text, in order. */
export function tokens(source: string): Token[] {
  const found: Token[] = [];
  /** For each open brace: whether it is a template's substitution. */
  const braces: boolean[] = [];
  let at = source.startsWith('#!') ? source.indexOf('\n') : 0;
  let line = 1;

  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const text = pattern.exec(source)?.[0] ?? null;
    if (text !== null) at += text.length;
    return text;
  };
  const next = (): Omit<Token, 'line'> | null => {
    if (take(SPACE) !== null || take(LINE_COMMENT) !== null || take(BLOCK_COMMENT) !== null) return null;
    const word = take(WORD) ?? take(NUMBER);
    if (word !== null) return { kind: 'word', value: word };
    const text = take(STRING);
    if (text !== null) return { kind: 'text', value: text.slice(1, -1) };
    const character = source[at] ?? '';
    if (character === '`' || (character === '}' && braces.at(-1) === true)) {
      const part = take(TEMPLATE_PART) ?? '';
      if (character === '}') braces.pop();
      if (part.endsWith('${')) braces.push(true);
      const whole = character === '`' && part.endsWith('`');
      return whole ? { kind: 'text', value: part.slice(1, -1) } : { kind: 'mark', value: '`' };
    }
    if (character === '/' && beginsRegex(found.at(-1)) && take(REGEX) !== null) return { kind: 'mark', value: '/' };
    if (character === '{') braces.push(false);
    if (character === '}') braces.pop();
    at += 1;
    return { kind: 'mark', value: character };
  };

  while (at < source.length) {
    const start = at;
    const token = next();
    if (token !== null) found.push({ ...token, line });
    line += source.slice(start, at).split('\n').length - 1;
  }
  return found;
}

function beginsRegex(before: Token | undefined): boolean {
  if (before === undefined) return true;
  if (before.kind === 'mark') return before.value !== ')' && before.value !== ']' && before.value !== '}';
  return before.kind === 'word' && BEFORE_REGEX.has(before.value);
}
