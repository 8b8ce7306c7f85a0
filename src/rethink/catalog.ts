/**
 * What is on a server: its databases, its tables, and everything needed to create each table again. Listed, never
 * assumed: names change from one DTR version to the next.
 */
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { qualifiedName, type CatalogTable, type TableName } from '../model/table.js';
import { undefinedIfUnknown } from './errors.js';
import type { RethinkSession } from './session.js';

/** RethinkDB's own database; its tables are views of the cluster, not content. */
export const systemDatabase = 'rethinkdb';

/** The database of this program's own lock (restore-lock.ts): not content either. */
export const lockDatabase = 'dtr_backup';

const namesSchema = z.array(z.string());

/** RethinkDB breaks base64 into lines. */
const base64Schema = z
  .object({ $reql_type$: z.literal('BINARY'), data: z.string() })
  .transform(({ data }) => data.replaceAll(/\s/g, ''));

const infoSchema = z.object({
  id: z.string().exactOptional(),
  primary_key: z.string(),
  doc_count_estimates: z.array(z.number()).optional(),
});

const indexSchema = z
  .object({
    index: z.string(),
    function: base64Schema.exactOptional(),
    query: z.string().exactOptional(),
    multi: z.boolean(),
    geo: z.boolean(),
    outdated: z.boolean(),
  })
  .transform(({ index: name, ...rest }) => ({ name, ...rest }));

/** A shard whose primary replica is permanently lost has null there. */
const configSchema = z
  .object({
    durability: z.string(),
    write_acks: z.string(),
    shards: z.array(z.object({ primary_replica: z.string().nullable(), replicas: z.array(z.string()) })),
  })
  .transform(({ durability, write_acks: writeAcks, shards }) => ({
    durability,
    writeAcks,
    shards: shards.map(({ primary_replica, replicas }) => ({ primaryReplica: primary_replica ?? '', replicas })),
  }));

const hookSchema = z.object({ function: base64Schema, query: z.string().exactOptional() }).nullable();

/** Every table of every database but the system's and the lock's, by database and name. Throws a JobError with exit code 7. */
export async function listTables(session: RethinkSession): Promise<TableName[]> {
  const what = 'list the tables';
  const tables: TableName[] = [];
  for (const database of (await session.ask(r.dbList(), what, namesSchema)).sort()) {
    if (database === systemDatabase || database === lockDatabase) continue;
    const names = await session.ask(r.db(database).tableList(), what, namesSchema);
    tables.push(...names.sort().map((name) => ({ database, name })));
  }
  return tables;
}

/** How a table is made. Throws a JobError with exit code 7 where that cannot be read. */
export async function describeTable(session: RethinkSession, { database, name }: TableName): Promise<CatalogTable> {
  const what = `read table ${qualifiedName({ database, name })}`;
  const table = r.db(database).table(name);
  const {
    primary_key: primaryKey,
    doc_count_estimates: estimates,
    ...id
  } = await session.ask(table.info(), what, infoSchema);
  const indexes = await session.ask(table.indexStatus(), what, z.array(indexSchema));
  assertStorableNames({ database, name }, [primaryKey, ...indexes.map((index) => index.name)]);
  return {
    ...id,
    database,
    name,
    primaryKey,
    indexes,
    writeHook: (await session.ask(table.getWriteHook(), what, hookSchema).catch(undefinedIfUnknown)) ?? null,
    ...(await session.ask(table.config(), what, configSchema).catch(undefinedIfUnknown)),
    ...(estimates && { estimatedDocumentCount: estimates.reduce((sum, count) => sum + count, 0) }),
  };
}

/**
 * RethinkDB accepts surrogates in these names (`ED A0 80`), and decoding makes U+FFFD of what is not UTF-8: the table
 * would be created again with other names. Throws a JobError with exit code 7.
 */
function assertStorableNames(table: TableName, names: readonly string[]): void {
  if (names.every((name) => !name.includes('\ufffd'))) return;
  const what = `the name of a primary key or an index of ${qualifiedName(table)} is not UTF-8`;
  throw new JobError(ExitCode.rethinkdb, `${what}: rename the index, or leave the table out`);
}
