/**
 * What is known of DTR's tables, from a listing of an MSR 2.9.4 backup and Notary's public code. Databases and primary keys
 * are for the vendor's archives, which do not name them; used only for tables that the server does not have, as names may
 * change between versions.
 */
import { matchesPattern, type TableName, type TablePattern } from './table.js';

/** What docker/dtr's own backup takes: three databases whole, of the job runner only the schedule. */
const dtrTables: readonly TablePattern[] = [
  { database: 'dtr2', name: '*' },
  { database: 'notaryserver', name: '*' },
  { database: 'notarysigner', name: '*' },
  { database: 'jobrunner', name: 'crons' },
];

/** What the job runner keeps of single jobs: docker/dtr's own backup does not have it. */
const transientTables: readonly TablePattern[] = ['jobs', 'joblogs', 'action_configs'].map((name) => ({
  ...{ database: 'jobrunner', name },
}));

/** Whether docker/dtr's own backup holds this table. */
export function isDtrTable(table: TableName): boolean {
  return dtrTables.some((pattern) => matchesPattern(pattern, table));
}

/** Whether the table holds nothing that outlives a restore. */
export function isTransientTable(table: TableName): boolean {
  return transientTables.some((pattern) => matchesPattern(pattern, table));
}

const databases: ReadonlyMap<string, string> = new Map([
  ['tuf_files', 'notaryserver'],
  ['changefeed', 'notaryserver'],
  ['private_keys', 'notarysigner'],
  ['crons', 'jobrunner'],
]);

const primaryKeys: ReadonlyMap<string, string> = new Map([
  ['properties', 'key'],
  ['changefeed', 'id'],
  ['tuf_files', 'gun_role_version'],
  ['private_keys', 'key_id'],
]);

/** The database of one of DTR's tables. */
export function dtrDatabaseOf(name: string): string {
  return databases.get(name) ?? 'dtr2';
}

/** The primary key of one of DTR's tables; undefined where it is not published (some have both `id` and `pk`). */
export function dtrPrimaryKeyOf(name: string): string | undefined {
  return primaryKeys.get(name);
}

/** Which of the server's tables of this name an archive means: the one where DTR keeps it, or else the only one. */
export function chooseDatabase(name: string, found: readonly TableName[]): string {
  const known = dtrDatabaseOf(name);
  const there = found.filter((table) => table.name === name).map(({ database }) => database);
  return there.includes(known) ? known : (there[0] ?? known);
}
