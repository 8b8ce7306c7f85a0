/** What a backup will hold, decided before the first byte: which tables, which not and why. Pure. */
import { withDirectories } from '../../archive/plan.js';
import { UsageError } from '../../base/errors.js';
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

/** What docker/dtr's own backup takes (a listing of MSR 2.9.4): three databases whole, of the job runner only the schedule. */
const dtrContent: readonly TablePattern[] = [
  { database: 'dtr2', name: '*' },
  { database: 'notaryserver', name: '*' },
  { database: 'notarysigner', name: '*' },
  { database: 'jobrunner', name: 'crons' },
];

/** Whether a backup holds this table by default. */
export function isDtrContent(table: TableName): boolean {
  return dtrContent.some((pattern) => matchesPattern(pattern, table));
}

/**
 * Chooses among the tables found, which come by database and name, and keeps their order. Throws a UsageError when nothing
 * is left, and when an included table is not there.
 */
export function chooseTables(
  found: readonly TableName[],
  selection: TableSelection,
): { readonly tables: readonly TableName[]; readonly leftOut: readonly LeftOut[] } {
  const tables: TableName[] = [];
  const leftOut: LeftOut[] = [];
  for (const table of found) {
    const why = reasonToLeaveOut(table, selection);
    if (why === undefined) tables.push(table);
    else leftOut.push({ what: qualifiedName(table), why });
  }
  assertMatched(found, selection.include);
  assertAny(found, tables);
  return { tables, leftOut };
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
  if (!isDtrContent(table)) return 'not part of a DTR backup';
  return undefined;
}

function assertMatched(found: readonly TableName[], include: readonly TablePattern[]): void {
  const unmatched = include.filter((pattern) => !found.some((table) => matchesPattern(pattern, table)));
  if (unmatched.length === 0) return;
  throw new UsageError(unmatched.map((pattern) => `--include-table ${qualifiedName(pattern)}: no such table`));
}

function assertAny(found: readonly TableName[], chosen: readonly TableName[]): void {
  if (chosen.length > 0) return;
  const databases = [...new Set(found.map(({ database }) => database))].join(', ') || 'none';
  throw new UsageError([`no table to back up (databases found: ${databases}); --include-table DB.* names others`]);
}
