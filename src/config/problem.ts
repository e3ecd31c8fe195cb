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
  const keys = Object.keys(value);
  if (keys.length === 0) return 'an empty section';
  const shown = keys.slice(0, 5).map((key) => formatPath([key.slice(0, 40)]));
  return `a section of ${shown.join(', ')}${keys.length > shown.length ? ', ...' : ''}`;
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

/** Insertions, deletions, replacements and swaps of neighbours between two words; `limit` if it is at least that. */
function editDistance(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  const rows = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (i: number, j: number): number => rows[i]?.[j] ?? limit;
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i];
    rows.push(row);
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1];
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const best = Math.min(at(i - 1, j - 1) + (same ? 0 : 1), at(i - 1, j) + 1, at(i, j - 1) + 1);
      row.push(swapped ? Math.min(best, at(i - 2, j - 2) + 1) : best);
    }
  }
  return Math.min(limit, at(one.length, other.length));
}
