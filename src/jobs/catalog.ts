/** Describes the tables of a backup, and checks after a snapshot that they are still the same. */
import { isDeepStrictEqual } from 'node:util';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { LeftOut } from '../model/manifest.js';
import { isDtrTable } from '../model/dtr-tables.js';
import { qualifiedName, type CatalogTable, type TableName } from '../model/table.js';
import { describeTable, listTables } from '../rethink/catalog.js';
import { QueryError } from '../rethink/errors.js';
import type { RethinkSession } from '../rethink/session.js';
import { chooseTables, isChosen, type TableSelection } from './backup/backup-plan.js';

interface Catalog {
  /** In the order of the archive. */
  readonly tables: readonly CatalogTable[];
  readonly leftOut: readonly LeftOut[];
}

/** Throws a JobError with exit code 2 or 7. */
export async function readCatalog(session: RethinkSession, selection: TableSelection): Promise<Catalog> {
  const choice = chooseTables(await listTables(session), selection);
  const tables: CatalogTable[] = [];
  for (const name of choice.tables) tables.push(await describeOrAdvise(session, name));
  return { tables, leftOut: choice.leftOut };
}

/** A user who may read all of DTR may lack another database, which can be left out. */
async function describeOrAdvise(session: RethinkSession, name: TableName): Promise<CatalogTable> {
  try {
    return await describeTable(session, name);
  } catch (error) {
    if (!(error instanceof QueryError) || !error.isDenied || isDtrTable(name)) throw error;
    const advice = `or leave its database out with --exclude-table '${name.database}.*'`;
    throw new JobError(error.exitCode, `${error.message}, ${advice}`, { cause: error });
  }
}

/**
 * Throws a JobError with exit code 11 when the tables to back up are no longer those that were: one was created,
 * dropped, renamed or made again, or its indexes, hook, shards or settings were changed.
 */
export async function assertSameCatalog(
  session: RethinkSession,
  before: readonly CatalogTable[],
  selection: TableSelection,
): Promise<void> {
  const names = before.map(qualifiedName);
  const now = new Set((await listTables(session)).filter((table) => isChosen(table, selection)).map(qualifiedName));
  const changes = [
    ...[...now].filter((name) => !names.includes(name)).map((name) => `${name} was created`),
    ...names.filter((name) => !now.has(name)).map((name) => `${name} was dropped`),
  ];
  for (const table of before) {
    if (!now.has(qualifiedName(table))) continue;
    const after = await describeTable(session, table);
    if (after.id !== table.id) changes.push(`${qualifiedName(table)} was made again`);
    else if (!isDeepStrictEqual(definitionOf(after), definitionOf(table))) {
      changes.push(`${qualifiedName(table)} was reconfigured`);
    }
  }
  if (changes.length === 0) return;
  throw new JobError(ExitCode.consistency, `tables changed while they were read: ${changes.join(', ')}`);
}

/** Without the server's guess at the number of documents, and what a backup adds. */
function definitionOf({
  estimatedDocumentCount,
  ...definition
}: CatalogTable & { readonly planned?: unknown }): object {
  const { planned, ...rest } = definition;
  return rest;
}
