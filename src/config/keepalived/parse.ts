import type { Line } from './read-lines.ts';
import type { Place, Statement, SyntaxFault } from './statement.ts';
import { splitLine } from './words.ts';

interface OpenBlock {
  readonly head: Statement | null;
  readonly statements: Statement[];
}

const DEPTH_LIMIT = 32;

/** The statements of these lines, and what is wrong with their quotes and braces. */
export function parseLines(lines: readonly Line[]): {
  readonly statements: readonly Statement[];
  readonly faults: readonly SyntaxFault[];
} {
  const faults: SyntaxFault[] = [];
  const root: OpenBlock = { head: null, statements: [] };
  const open: OpenBlock[] = [root];
  const top = (): OpenBlock => open.at(-1) ?? root;
  for (const { place, text } of lines) {
    const pieces = splitLine(text);
    if (pieces === null) {
      faults.push({ place, found: `a quote that is not closed: ${text.trim()}`, remedy: 'close it on the same line' });
      continue;
    }
    let words: string[] = [];
    const finish = (): void => {
      const [keyword, ...args] = words;
      if (keyword !== undefined) top().statements.push({ place, keyword, args, block: null });
      words = [];
    };
    for (const piece of pieces) {
      if (piece.kind === 'word') {
        words.push(piece.text);
        continue;
      }
      finish();
      if (piece.kind === 'open') openBlock(open, top(), place, faults);
      else if (open.length > 1) closeBlock(open);
      else faults.push({ place, found: 'a "}" that closes nothing', remedy: 'remove it, or add its "{"' });
    }
    finish();
  }
  for (const { head } of open.slice(1)) {
    if (head !== null) faults.push(neverClosed(head));
  }
  while (open.length > 1) closeBlock(open);
  return { statements: root.statements, faults };
}

/** The brace belongs to the statement before it, on its own line or the one above. */
function openBlock(open: OpenBlock[], block: OpenBlock, place: Place, faults: SyntaxFault[]): void {
  const head = block.statements.at(-1);
  if (head === undefined || head.block !== null) {
    faults.push({ place, found: 'a "{" without a keyword before it', remedy: 'name the block, or remove it' });
    open.push({ head: { place, keyword: '', args: [], block: null }, statements: [] });
  } else if (open.length > DEPTH_LIMIT) {
    faults.push({ place, found: 'blocks nested too deeply', remedy: 'close those before it' });
    open.push({ head: null, statements: [] });
  } else open.push({ head, statements: [] });
}

function closeBlock(open: OpenBlock[]): void {
  const closed = open.pop();
  const outer = open.at(-1);
  const head = closed?.head ?? null;
  if (closed === undefined || head === null || outer === undefined) return;
  if (outer.statements.at(-1) === head) outer.statements.pop();
  outer.statements.push({ ...head, block: closed.statements });
}

function neverClosed(head: Statement): SyntaxFault {
  return {
    place: head.place,
    found: `the block of "${head.keyword}" is not closed`,
    remedy: 'add its "}"; or one above it has too many',
  };
}
