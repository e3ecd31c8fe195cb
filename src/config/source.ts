import {
  LineCounter,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  type Document,
  type YAMLError,
} from 'yaml';
import { messageOf } from '../kit/errors.ts';
import { Census } from './census.ts';
import { floodIn } from './text-limits.ts';
import { describe, formatPath, type FilePath, type Problem } from './problem.ts';

/** More than these are seldom mistakes of their own. */
const SYNTAX_ERRORS_LIMIT = 10;
const PATH_LIMIT = 10;

/** The text of a configuration file as plain values, with the place of each. */
export class Source {
  /** What the file holds; undefined if its syntax is too broken to tell. */
  readonly value: unknown;
  /** What is wrong with the file as YAML. */
  readonly problems: readonly Problem[];
  readonly #lines = new LineCounter();
  readonly #census = new Census();
  readonly #contents: unknown;

  constructor(text: string) {
    const flood = floodIn(text);
    if (flood !== null) {
      this.#countLines(text);
      this.problems = [this.#problem(flood.offset, flood.found, flood.remedy)];
      return;
    }
    let document: Document;
    try {
      // Whether keys are unique is asked below: here it would take the square of their number.
      const options = { uniqueKeys: false, prettyErrors: false, logLevel: 'error' } as const;
      document = parseDocument(text, { ...options, lineCounter: this.#lines });
    } catch (thrown) {
      this.problems = [this.#problem(0, messageOf(thrown), 'mend the syntax')];
      return;
    }
    this.#contents = document.contents;
    const faults = [...document.errors, ...document.warnings];
    const problems = this.#syntaxProblems(faults);
    this.problems = problems;
    if (faults.length > 0) return;
    const excess = this.#census.excess(document.contents);
    for (const { node, found, remedy } of excess === null ? this.#census.repeated : [...this.#census.repeated, excess])
      problems.push(this.#problem(node?.range?.[0] ?? 0, found, remedy));
    if (excess === null) this.value = document.toJS({ maxAliasCount: -1 });
  }

  /** Line and column, from 1, of what `path` leads to, or of the nearest thing above it that is in the file. */
  locate(path: FilePath, part: 'key' | 'value' = 'value'): { readonly line: number; readonly column: number } {
    let node: unknown = this.#contents;
    let offset = startOf(node) ?? 0;
    for (const [depth, key] of path.entries()) {
      const container = isAlias(node) ? this.#census.targets.get(node) : node;
      let next: unknown;
      if (isSeq(container) && typeof key === 'number') {
        next = container.items[key];
        offset = startOf(next) ?? offset;
      } else if (isMap(container)) {
        const pair = container.items.findLast((each) => isScalar(each.key) && String(each.key.value) === String(key));
        next = pair?.value;
        const wantsKey = part === 'key' && depth === path.length - 1;
        offset = (wantsKey || isAbsent(next) ? startOf(pair?.key) : startOf(next)) ?? offset;
      }
      if (next === undefined) break;
      node = next;
    }
    return this.#place(offset);
  }

  /** A problem with what `path` leads to. `found` left out tells the value itself. */
  problemAt(path: FilePath, remedy: string, found?: string): Problem {
    const value = valueAt(this.value, path);
    const what = found ?? (value === undefined ? 'missing' : `found ${describe(value)}`);
    return { path: formatPath(path), ...this.locate(path), found: what, remedy };
  }

  #syntaxProblems(faults: readonly YAMLError[]): Problem[] {
    // The parser recurses, and reports what overflows its stack once for each level.
    const tooDeep = faults.find(({ message }) => /call stack|stack overflow/i.test(message));
    if (tooDeep !== undefined)
      return [this.#problem(tooDeep.pos[0], 'nested too deeply', 'nest sections as in the manual')];
    const first = faults.toSorted((one, other) => one.pos[0] - other.pos[0]).slice(0, SYNTAX_ERRORS_LIMIT);
    return first.map(({ code, message, pos }) => this.#problem(pos[0], ...explainSyntax(code, message)));
  }

  #countLines(text: string): void {
    for (let start = 0; start !== 0 || this.#lines.lineStarts.length === 0; start = text.indexOf('\n', start) + 1)
      this.#lines.addNewLine(start);
  }

  #problem(offset: number, found: string, remedy: string): Problem {
    return { path: formatPath(this.#pathTo(offset)), ...this.#place(offset), found, remedy };
  }

  /** The way to what stands at `offset`, as far as it can be told. */
  #pathTo(offset: number): FilePath {
    const path: (string | number)[] = [];
    let node = this.#contents;
    while (path.length < PATH_LIMIT) {
      let next: unknown;
      if (isSeq(node)) {
        const index = node.items.findLastIndex((item) => (startOf(item) ?? Infinity) <= offset);
        if (index !== -1) path.push(index);
        next = node.items[index];
      } else if (isMap(node)) {
        const pair = node.items.findLast(({ key }) => (startOf(key) ?? Infinity) <= offset);
        if (pair !== undefined) path.push(isScalar(pair.key) ? String(pair.key.value) : '?');
        next = pair?.value;
      }
      if ((startOf(next) ?? Infinity) > offset) break;
      node = next;
    }
    return path;
  }

  #place(offset: number): { line: number; column: number } {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** What the path leads to in plain values; undefined if it leads nowhere. */
export function valueAt(value: unknown, path: FilePath): unknown {
  let found: unknown = value;
  for (const key of path) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string | number, unknown>)[key];
  }
  return found;
}

function explainSyntax(code: string, message: string): readonly [found: string, remedy: string] {
  const firstLine = (message.split('\n')[0] ?? '').slice(0, 200);
  switch (code) {
    case 'TAB_AS_INDENT':
      return ['found a tab as indentation', 'indent with spaces'];
    case 'MULTIPLE_DOCS':
      return ['found a second document after "---"', 'keep one cluster in the file'];
    case 'TAG_RESOLVE_FAILED':
      return [`not a plain value: ${firstLine}`, 'remove the tag'];
    default:
      return [`not YAML: ${firstLine}`, 'mend the syntax here, or just before'];
  }
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}

/** Whether a key stands there without a value. */
function isAbsent(node: unknown): boolean {
  return !isNode(node) || (isScalar(node) && node.value === null && node.source === '');
}
