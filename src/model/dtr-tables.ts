/**
 * Databases and primary keys of DTR's tables, for the vendor's archives, which do not name them. From a listing of MSR 2.9.4
 * and Notary's public code; used only for tables that the server does not have, as names may change between versions.
 */
import type { TableName } from './table.js';

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
function dtrDatabaseOf(name: string): string {
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
