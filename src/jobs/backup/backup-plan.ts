/** What a backup will hold, decided before the first byte: which tables, which not and why. Pure. */
import { withDirectories } from '../../archive/plan.js';
import { UsageError } from '../../base/errors.js';
import { isDtrTable, isTransientTable } from '../../model/dtr-tables.js';
import type { LeftOut, PlannedTable } from '../../model/manifest.js';
import {
  matchesPattern,
  type TablePattern,
  qualifiedName,
  type CatalogTable,
  type TableName,
} from '../../model/table.js';

/** What the operator said about tables. */
export interface TableSelection {
  readonly include: readonly TablePattern[];
  readonly exclude: readonly TablePattern[];
  readonly ignoreEventsTable: boolean;
  readonly ignoreScanData: boolean;
}

/** A table of the replica, with its part of the archive's plan. */
export interface BackupTable extends CatalogTable {
  readonly planned: PlannedTable;
}

/**
 * Chooses among the tables found, which come by database and name: all but what is known to be transient. MSR 3 keeps users
 * and teams in a database whose name is not published. DTR's own tables come first, so that they have the directories that
 * docker/dtr gives them, whatever other tables are called. Throws a UsageError when nothing is left, when an included table
 * is not there, and when there is no table of DTR and none was named: this RethinkDB is then no registry's.
 */
export function chooseTables(
  found: readonly TableName[],
  selection: TableSelection,
): { readonly tables: readonly TableName[]; readonly leftOut: readonly LeftOut[] } {
  const chosen: TableName[] = [];
  const leftOut: LeftOut[] = [];
  for (const table of found) {
    const why = reasonToLeaveOut(table, selection);
    if (why === undefined) chosen.push(table);
    else leftOut.push({ what: qualifiedName(table), why });
  }
  assertMatched(found, selection.include);
  if (chosen.length === 0) throw nothingToBackUp(found, 'no table to back up');
  if (selection.include.length === 0 && !found.some(isDtrTable)) throw nothingToBackUp(found, 'no table of DTR');
  return { tables: [...chosen.filter(isDtrTable), ...chosen.filter((table) => !isDtrTable(table))], leftOut };
}

/** Whether a backup with this selection holds the table. */
export function isChosen(table: TableName, selection: TableSelection): boolean {
  return reasonToLeaveOut(table, selection) === undefined;
}

/** The tables with their directories in the archive. */
export function planTables(tables: readonly CatalogTable[]): BackupTable[] {
  return withDirectories(tables).map(({ directory, ...table }) => {
    const { estimatedDocumentCount, id, ...definition } = table;
    return { ...table, planned: { directory, ...definition } };
  });
}

function reasonToLeaveOut(table: TableName, selection: TableSelection): string | undefined {
  const isScanData = table.database === 'dtr2' && ['scanned_images', 'scanned_layers'].includes(table.name);
  const isEvents = table.database === 'dtr2' && table.name === 'events';
  if (selection.exclude.some((pattern) => matchesPattern(pattern, table))) return '--exclude-table';
  if (selection.include.some((pattern) => matchesPattern(pattern, table))) return undefined;
  if (isEvents && selection.ignoreEventsTable) return '--ignore-events-table';
  if (isScanData && selection.ignoreScanData) return '--ignore-scan-data';
  if (isTransientTable(table)) return 'transient';
  return undefined;
}

function assertMatched(found: readonly TableName[], include: readonly TablePattern[]): void {
  const unmatched = include.filter((pattern) => !found.some((table) => matchesPattern(pattern, table)));
  if (unmatched.length === 0) return;
  throw new UsageError(unmatched.map((pattern) => `--include-table ${qualifiedName(pattern)}: no such table`));
}

function nothingToBackUp(found: readonly TableName[], what: string): UsageError {
  const databases = [...new Set(found.map(({ database }) => database))].join(', ') || 'none';
  return new UsageError([`${what} (databases found: ${databases}); --include-table DB.* names others`]);
}
