/**
 * What is on a server: its databases, its tables, and everything needed to make each table again. Listed, never
 * assumed: names change from one DTR version to the next.
 */
import { r, type RQuery } from 'rethinkdb-ts';
import { z } from 'zod';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import {
  qualifiedName,
  type CatalogTable,
  type SecondaryIndex,
  type Shard,
  type TableName,
  type WriteHook,
} from '../model/table.js';
import { isUnknownTerm } from './driver.js';
import type { RethinkSession } from './session.js';

/** RethinkDB's own database; its tables are views of the cluster, not content. */
export const systemDatabase = 'rethinkdb';

/** The database of this program's own lock (restore-lock.ts): no content either. */
export const lockDatabase = 'dtr_backup';

/** Every table of every database but the system's and the lock's, by database and name. Throws a JobError with exit code 7. */
export async function listTables(session: RethinkSession): Promise<TableName[]> {
  return translated(session, 'list the tables', async () => {
    const tables: TableName[] = [];
    for (const database of namesSchema.parse(await session.ask(r.dbList())).sort()) {
      if (database === systemDatabase || database === lockDatabase) continue;
      const names = namesSchema.parse(await session.ask(r.db(database).tableList())).sort();
      tables.push(...names.map((name) => ({ database, name })));
    }
    return tables;
  });
}

/** Reads how a table is made. Throws a JobError with exit code 7 when the table cannot be read. */
export async function describeTable(session: RethinkSession, { database, name }: TableName): Promise<CatalogTable> {
  return translated(session, `read table ${qualifiedName({ database, name })}`, async () => {
    const table = r.db(database).table(name);
    const info = infoSchema.parse(await session.ask(table.info()));
    const indexes = z.array(indexSchema).parse(await session.ask(table.indexStatus()));
    const config = await askOptional(session, table.config(), configSchema);
    const hook = await askOptional(session, table.getWriteHook(), hookSchema);
    refuseAlteredNames({ database, name }, [info.primary_key, ...indexes.map(({ index }) => index)]);
    const estimate = info.doc_count_estimates?.reduce((sum, count) => sum + count, 0);
    return {
      ...(info.id !== undefined && { id: info.id }),
      database,
      name,
      primaryKey: info.primary_key,
      indexes: indexes.map(secondaryIndex),
      writeHook: hook ? writeHook(hook) : null,
      ...(config && { durability: config.durability, writeAcks: config.write_acks, shards: config.shards.map(shard) }),
      ...(estimate !== undefined && { estimatedDocumentCount: estimate }),
    };
  });
}

/**
 * RethinkDB takes surrogates in these names (`ED A0 80`), and the driver makes U+FFFD of what is not UTF-8: such a table would
 * be made again with other names. Throws a JobError with exit code 7.
 */
function refuseAlteredNames(table: TableName, names: readonly string[]): void {
  if (names.every((name) => !name.includes('\ufffd'))) return;
  const what = `the name of a primary key or an index of ${qualifiedName(table)} is not UTF-8`;
  throw new JobError(ExitCode.rethinkdb, `${what}: rename the index, or leave the table out`);
}

const namesSchema = z.array(z.string());

const binarySchema = z.object({ $reql_type$: z.literal('BINARY'), data: z.string() });

const infoSchema = z.object({
  id: z.string().optional(),
  primary_key: z.string(),
  doc_count_estimates: z.array(z.number()).optional(),
});

const indexSchema = z.object({
  index: z.string(),
  function: binarySchema.optional(),
  query: z.string().optional(),
  multi: z.boolean(),
  geo: z.boolean(),
  outdated: z.boolean(),
});

const configSchema = z.object({
  durability: z.string(),
  write_acks: z.string(),
  shards: z.array(z.object({ primary_replica: z.string().nullable(), replicas: z.array(z.string()) })),
});

const hookSchema = z.object({ function: binarySchema, query: z.string().optional() }).nullable();

function secondaryIndex({
  index,
  function: code,
  query,
  multi,
  geo,
  outdated,
}: z.infer<typeof indexSchema>): SecondaryIndex {
  return {
    name: index,
    ...(code !== undefined && { function: base64(code) }),
    ...(query !== undefined && { query }),
    multi,
    geo,
    outdated,
  };
}

function writeHook({ function: code, query }: NonNullable<z.infer<typeof hookSchema>>): WriteHook {
  return { function: base64(code), ...(query !== undefined && { query }) };
}

function shard({ primary_replica, replicas }: z.infer<typeof configSchema>['shards'][number]): Shard {
  return { primaryReplica: primary_replica ?? '', replicas };
}

/** RethinkDB breaks base64 into lines. */
function base64({ data }: z.infer<typeof binarySchema>): string {
  return data.replaceAll(/\s/g, '');
}

async function translated<T>(session: RethinkSession, what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw session.failure(what, error);
  }
}

/** What older servers (and the embedded one) do not have: not knowing the question is an answer. */
async function askOptional<T>(session: RethinkSession, query: RQuery, schema: z.ZodType<T>): Promise<T | undefined> {
  const answer: unknown = await session.ask(query).catch((error: unknown) => {
    if (isUnknownTerm(error)) return undefined;
    throw error;
  });
  return answer === undefined ? undefined : schema.parse(answer);
}
