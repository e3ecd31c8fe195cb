import type { Paint, Style } from './paint.ts';

/** One cell, in a style if it stands out. */
export type Cell = string | { readonly text: string; readonly style: Style };

/**
 * Lines with the columns of all rows aligned to the left, two spaces between them. Columns that are empty in every
 * row but the first (the heading) are left out.
 */
export function alignTable(heading: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const all: readonly (readonly Cell[])[] = [heading.map((text) => ({ text, style: 'dim' }) as const), ...rows];
  const shown = heading.map((_, column) => rows.some((row) => textOf(row[column]) !== ''));
  const widths = heading.map((_, column) => Math.max(...all.map((row) => textOf(row[column]).length)));
  return all.map((row) => {
    let line = '';
    let spaces = '';
    for (const [column, width] of widths.entries()) {
      if (shown[column] !== true) continue;
      const cell = row[column];
      const text = textOf(cell);
      if (text !== '') {
        line += spaces + (typeof cell === 'object' ? paint(cell.style, text) : text);
        spaces = '';
      }
      spaces += ' '.repeat(width - text.length + 2);
    }
    return line;
  });
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'object' ? cell.text : (cell ?? '');
}
