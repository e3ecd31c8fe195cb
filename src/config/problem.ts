/** One thing that is wrong in a configuration file, or looks wrong. */

/** Keys from the top of the file down to the place; numbers are places in a list, from 0. */
export type FilePath = readonly (string | number)[];

export interface Problem {
  /** Where: `groups.world.nodes.b.control`; empty for the file as a whole. */
  readonly path: string;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** What was found there: `found "seven"`. */
  readonly found: string;
  /** What would do: `write a port from 1 to 65535`. */
  readonly remedy: string;
}

/** The path as people write it: `groups.world.traffic[0].virtual`. */
export function formatPath(path: FilePath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[\w-]+$/.test(part)) text += `[${quote(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** The problem as one line: `FILE:12:7: groups.world.profile: found "slow"; use one of fast, balanced, wan`. */
export function formatProblem(file: string, problem: Problem): string {
  const where = problem.path === '' ? '' : ` ${problem.path}:`;
  return `${file}:${problem.line}:${problem.column}:${where} ${problem.found}; ${problem.remedy}`;
}

/** Comparison for sorting: in the order of the file. */
export function byPlace(one: Problem, other: Problem): number {
  return one.line - other.line || one.column - other.column;
}

/** A value of the file in few words, for `found ...`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'no value';
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return Object.keys(value).length === 0 ? 'an empty section' : 'a section';
}

/** The text in quotes on one line, only its beginning if it is long. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}...` : text);
}

/** The one of `candidates` that `text` was probably meant to be; null if none is close. */
export function closest(text: string, candidates: readonly string[]): string | null {
  const wanted = text.toLowerCase();
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions and replacements between two words (Levenshtein); `limit` if it is at least that. */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let row = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const replaced = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return Math.min(limit, row[other.length] ?? limit);
}
