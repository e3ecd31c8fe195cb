import { Lexer } from 'yaml';

/** More than any file needs: `census.ts` tells of less than this, with its path. */
const DEPTH_LIMIT = 100;
/** Ten thousand groups with all that can be written for each stay below. */
const TOKENS_LIMIT = 2_000_000;
/** The lexer says so that the text of a scalar follows, whatever that looks like. */
const SCALAR_FOLLOWS = '\u001F';
/** What the lexer adds to the text: beginning of a document, end of a bracket that was not closed. */
const MARKS = ['\u0002', '\u0018', SCALAR_FOLLOWS];

/** What a text has too much of, in the words of a problem. */
export interface Flood {
  readonly offset: number;
  readonly found: string;
  readonly remedy: string;
}

/**
 * What makes a YAML text of a sensible size too much for the parser; null if nothing does. To be asked before it is
 * parsed: the parser's time rises with the square of the depth, and one bracket a byte is a deep nest. Sections that are
 * nested by lines need more spaces each time, which the size of the file limits.
 */
export function floodIn(text: string): Flood | null {
  let offset = 0;
  let tokens = 0;
  let brackets = 0;
  let indicatorsOfLine = 0;
  let isScalar = false;
  for (const token of new Lexer().lex(text)) {
    if (isScalar || !MARKS.includes(token)) offset += token.length;
    if (isScalar || isMeant(token)) tokens += 1;
    if (!isScalar) {
      if (token === '[' || token === '{') brackets += 1;
      else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
      else if (token.endsWith('\n')) indicatorsOfLine = 0;
      else if (brackets === 0 && (token === '-' || token === '?' || token === ':')) indicatorsOfLine += 1;
    }
    if (brackets + indicatorsOfLine > DEPTH_LIMIT)
      return { offset: offset - 1, found: 'nested too deeply', remedy: 'nest sections as in the manual' };
    if (tokens > TOKENS_LIMIT) {
      const found = `found more than ${TOKENS_LIMIT} words and signs`;
      return { offset: offset - 1, found, remedy: 'name the configuration file itself, or write fewer groups' };
    }
    isScalar = !isScalar && token === SCALAR_FOLLOWS;
  }
  return null;
}

/** Neither a mark, nor space, nor a comment. */
function isMeant(token: string): boolean {
  return !MARKS.includes(token) && /^[^\s#]/.test(token);
}
