/**
 * Makes databases, tables, secondary indexes and write hooks. Each call looks first and asks in the same query, so
 * that it can be sent again when the connection was lost before its answer came. All throw a JobError with exit code 7.
 */
import { r, type RQuery } from 'rethinkdb-ts';
import { z } from 'zod';
import {
  qualifiedName,
  type SecondaryIndex,
  type TableDefinition,
  type TableName,
  type WriteHook,
} from '../model/table.js';
import { isUnknownTerm } from './driver.js';
import type { RethinkSession } from './session.js';

/** How a table is made. */
export interface TableShape extends Pick<
  TableDefinition,
  'database' | 'name' | 'primaryKey' | 'durability' | 'writeAcks'
> {
  readonly shardCount: number;
  readonly replicaCount: number;
}

/** The server's own wait for a new table; its answer must come within a read's time limit. */
const readyWithinSeconds = 30;

/** Gives whether there was none. */
export async function createDatabase(session: RethinkSession, name: string): Promise<boolean> {
  const query = r.branch(r.dbList().contains(name), null, r.dbCreate(name));
  return (await asked(session, query, `create database ${name}`)) !== null;
}

/** Makes the table where there is none, and waits until it takes writes. */
export async function createTable(session: RethinkSession, shape: TableShape): Promise<void> {
  const { database, name, primaryKey, durability, shardCount, replicaCount } = shape;
  const what = `create table ${qualifiedName(shape)}`;
  const options = {
    primaryKey,
    shards: shardCount,
    replicas: replicaCount,
    ...(durability === 'soft' && { durability: 'soft' as const }),
  };
  const isThere = r.db(database).tableList().contains(name);
  await asked(session, r.branch(isThere, null, r.db(database).tableCreate(name, options)), what);
  const table = tableOf(shape);
  await unlessUnknown(session, table.wait({ waitFor: 'ready_for_writes', timeout: readyWithinSeconds }), what);
}

/**
 * A new table answers a write when most of its replicas have it. `single` is for the end: what the one replica that has
 * answered has alone is lost where another becomes the primary.
 */
export async function setWriteAcks(session: RethinkSession, table: TableName, writeAcks: string): Promise<void> {
  // The driver's types take a table's configuration for that of a database.
  const change: object = { write_acks: writeAcks };
  await unlessUnknown(session, tableOf(table).config().update(change), `configure ${qualifiedName(table)}`);
}

/** Begins to build the index; `function` is what the manifest or `indexStatus()` tells. */
export async function createIndex(
  session: RethinkSession,
  table: TableName,
  { name, function: code = '' }: SecondaryIndex,
): Promise<void> {
  // The function says all of it: whether it is multi or geo, too.
  const create = tableOf(table).indexCreate(name, binary(code));
  const query = r.branch(tableOf(table).indexList().contains(name), null, create);
  await asked(session, query, `create index ${name} of ${qualifiedName(table)}`);
}

export async function dropIndex(session: RethinkSession, table: TableName, name: string): Promise<void> {
  const query = r.branch(tableOf(table).indexList().contains(name), tableOf(table).indexDrop(name), null);
  await asked(session, query, `drop index ${name} of ${qualifiedName(table)}`);
}

const indexStatusSchema = z.array(z.object({ index: z.string(), ready: z.boolean(), progress: z.number().optional() }));

/** How far the indexes are built: the mean of them, from 0 to 1, and exactly 1 when all are ready. */
export async function readIndexProgress(session: RethinkSession, table: TableName): Promise<number> {
  const what = `read the indexes of ${qualifiedName(table)}`;
  const indexes = indexStatusSchema.parse(await asked(session, tableOf(table).indexStatus(), what));
  if (indexes.every(({ ready }) => ready)) return 1;
  const sum = indexes.reduce((total, { ready, progress = 0 }) => total + (ready ? 1 : progress), 0);
  // A server that says 1 of an index that is not ready has something left to do.
  return Math.min(sum / indexes.length, 0.99);
}

/** Null takes the table's hook away. */
export async function setWriteHook(session: RethinkSession, table: TableName, hook: WriteHook | null): Promise<void> {
  const code = hook === null ? null : binary(hook.function);
  await asked(session, tableOf(table).setWriteHook(code), `set the write hook of ${qualifiedName(table)}`);
}

/** Binary data as a term: a bare Buffer the driver takes for options. */
function binary(base64: string): Buffer {
  const term: unknown = r.expr(Buffer.from(base64, 'base64'));
  return term as Buffer;
}

function tableOf({ database, name }: TableName) {
  return r.db(database).table(name);
}

async function asked<T>(session: RethinkSession, query: RQuery<T>, what: string): Promise<T> {
  try {
    return await session.ask(query);
  } catch (error) {
    throw session.failure(what, error);
  }
}

/** Undefined where the server (an older one, the embedded one) does not know the question. */
async function unlessUnknown<T>(session: RethinkSession, query: RQuery<T>, what: string): Promise<T | undefined> {
  try {
    return await session.ask(query);
  } catch (error) {
    if (isUnknownTerm(error)) return undefined;
    throw session.failure(what, error);
  }
}
