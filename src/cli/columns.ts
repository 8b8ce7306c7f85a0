/** The layout of reports for people. */
import { printable } from '../base/printable.js';

/** Lines with aligned columns, made printable. */
function aligned(cells: readonly string[][]): string[] {
  const rows = cells.map((row) => row.map((cell) => printable(cell, 1000)));
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, cell.length)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

/** Sections of rows with an empty line between them; empty ones are left out. Ends in a newline. */
export function inSections(sections: readonly (readonly string[][])[]): string {
  const texts = sections.filter((rows) => rows.length > 0).map((rows) => aligned(rows).join('\n'));
  return `${texts.join('\n\n')}\n`;
}

export function duration({ startedAt, finishedAt }: Record<'startedAt' | 'finishedAt', string>): string {
  const seconds = Math.round((Date.parse(finishedAt) - Date.parse(startedAt)) / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}
