import { posix } from 'node:path';
import { hints, isInForm } from './hints.ts';
import { imports, type Import } from './imports.ts';
import { forbidden, isPure } from './layers.ts';
import { type Token, tokens } from './tokens.ts';

export const RULES = {
  direction: 'imports go one way',
  computed: 'an import names its module, so that it can be checked',
  programs: 'only kit/exec.ts and kit/peer-credentials.ts start programs',
  'command line': 'only commands knows the command-line library',
  pure: 'pure parts know no platform, no logger and no promise',
  time: 'only kit names clocks, random sources and timers',
  directories: 'only kit/make-directory.ts makes directories: it does not hang in /proc',
  barrel: 'nothing re-exports all of a module',
  built: 'a path to a .ts file is not there once the code is built',
  hint: 'a hint begins small, ends without a full stop and quotes by ""',
  length: 'no file is above 400 lines',
} as const;

export type Rule = keyof typeof RULES;

export interface Violation {
  readonly rule: Rule;
  readonly path: string;
  readonly line: number;
  readonly detail: string;
}

const MAX_LINES = 400;
const TIME_MODULES = /^(node:)?(timers(\/promises)?|perf_hooks)$/;
const PROCESS_MODULES = /^(execa|(node:)?(child_process|cluster))$/;
const COMMAND_LINE_MODULES = /^@oclif\//;
const PROGRAM_STARTERS = ['kit/exec.ts', 'kit/peer-credentials.ts'];
/** Kit files that reach outside although their names do not begin with `node:`. */
const IMPURE_KIT = /^kit\/(exec|sd-notify)\.ts$/;

/** Calls that no pure function makes, as sequences of tokens; `new Date()` without arguments among them. */
const CLOCKS = [
  'Date . now',
  'new Date ( )',
  'performance . now',
  'process . hrtime',
  'process . uptime',
  'AbortSignal . timeout',
  'Math . random',
].map((call) => call.split(' '));
const TIMERS_AND_DICE = new Set([
  'setTimeout',
  'setInterval',
  'randomBytes',
  'randomUUID',
  'randomInt',
  'getRandomValues',
]);
const MAKERS_OF_DIRECTORIES = new Set(['mkdir', 'mkdirSync']);
const PROMISES = new Set(['async', 'await', 'Promise']);

/** What is wrong with one file below src, whose path is relative to src. */
export function checkFile(path: string, source: string): Violation[] {
  const found: Violation[] = [];
  const code = tokens(source);
  const report = (rule: Rule, line: number, detail: string): void => void found.push({ rule, path, line, detail });

  for (const entry of imports(code)) checkImport(path, entry, report);
  for (const { value, line } of hints(code)) if (!isInForm(value)) report('hint', line, value);
  code.forEach((token, index) => {
    const before = code[index - 1];
    const clock = path.startsWith('kit/') ? null : clockAt(code, index);
    if (clock !== null) report('time', token.line, clock);
    if (isPure(path) && token.kind === 'word' && PROMISES.has(token.value) && before?.value !== '.') {
      report('pure', token.line, token.value);
    }
    if (MAKERS_OF_DIRECTORIES.has(token.value) && path !== 'kit/make-directory.ts')
      report('directories', token.line, token.value);
    if (token.value === '*' && before?.value === 'export') report('barrel', token.line, 'export *');
    if (token.kind === 'text' && /^\.{1,2}\/.*\.ts$/.test(token.value) && before?.value === '(') {
      if (code[index - 2]?.value !== 'import') report('built', token.line, token.value);
    }
  });
  return found;
}

/** What is wrong with the length of any file of the project. */
export function checkLength(path: string, source: string): Violation[] {
  const lines = source.trimEnd().split('\n').length;
  return lines <= MAX_LINES ? [] : [{ rule: 'length', path, line: lines, detail: `${lines} lines` }];
}

type Report = (rule: Rule, line: number, detail: string) => void;

function checkImport(path: string, { specifier, line }: Import, report: Report): void {
  if (specifier === null) return report('computed', line, 'import(...)');
  const pure = isPure(path);
  if (specifier.startsWith('.')) {
    const target = posix.join(posix.dirname(path), specifier);
    const reason = forbidden(partOf(path), partOf(target));
    if (reason !== null) report('direction', line, `${specifier}: ${reason}`);
    if (pure && IMPURE_KIT.test(target)) report('pure', line, specifier);
    return;
  }
  if (PROCESS_MODULES.test(specifier) && !PROGRAM_STARTERS.includes(path)) report('programs', line, specifier);
  if (COMMAND_LINE_MODULES.test(specifier) && partOf(path) !== 'commands') report('command line', line, specifier);
  if (TIME_MODULES.test(specifier) && partOf(path) !== 'kit') report('time', line, specifier);
  if (pure && (specifier.startsWith('node:') || specifier.startsWith('pino'))) report('pure', line, specifier);
}

function partOf(path: string): string {
  return path.split('/')[0] ?? '';
}

function clockAt(code: readonly Token[], index: number): string | null {
  const token = code[index];
  if (token?.kind !== 'word') return null;
  const before = code[index - 1]?.value;
  const isMember = before === '.' && code[index - 2]?.value !== 'globalThis' && code[index - 2]?.value !== 'crypto';
  if (TIMERS_AND_DICE.has(token.value) && !isMember) return token.value;
  const call = CLOCKS.find((words) => words.every((word, offset) => code[index + offset]?.value === word));
  return call?.join('') ?? null;
}
