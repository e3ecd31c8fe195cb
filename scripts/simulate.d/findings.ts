import { readFileSync, writeFileSync } from 'node:fs';
import { MUTANTS } from '../../test/sim/mutants.ts';
import type { Findings } from './mutation-gate.ts';

/** Where each mutant was found last: kept with the code, so that the gate need not search for long. */

const FILE = new URL('../../test/sim/findings.json', import.meta.url);
const PAGE = new URL('../../docs/simulator.md', import.meta.url);
const BEGIN = '<!-- mutants: written by scripts/simulate --mutants --write -->\n';
const END = '<!-- end of mutants -->';

export function readFindings(): Findings {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Findings;
}

export function readPage(): string {
  return readFileSync(PAGE, 'utf8');
}

/** The page with the table of mutants as it has to be now. */
export function pageWith(page: string, findings: Findings): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error('docs/simulator.md has lost the marks of its table');
  const rows = MUTANTS.map(({ name, file }) => `| ${name} | \`${file}\` | ${findings[name]?.rule ?? 'nothing yet'} |`);
  const table = `\n| the build that ... | guard in | breaks |\n|---|---|---|\n${rows.join('\n')}\n\n`;
  return page.slice(0, from + BEGIN.length) + table + page.slice(to);
}

/** Keeps the findings, in the order of the mutants, and the page's table with them. */
export function writeFindings(findings: Findings): void {
  const ordered = MUTANTS.flatMap(({ name }) => {
    const finding = findings[name];
    return finding === undefined ? [] : [[name, finding] as const];
  });
  const lines = ordered.map(([name, finding]) => `  ${JSON.stringify(name)}: ${JSON.stringify(finding)}`);
  writeFileSync(FILE, `{\n${lines.join(',\n')}\n}\n`);
  writeFileSync(PAGE, pageWith(readPage(), Object.fromEntries(ordered)));
}
