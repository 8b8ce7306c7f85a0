/**
 * Creates databases, tables, secondary indexes and write hooks. Each call checks first in the same query, so that it can
 * be sent again when the connection was lost before its answer came. All throw a JobError with exit code 7.
 */
import { r } from 'rethinkdb-ts';
import { z } from 'zod';
import {
  qualifiedName,
  type SecondaryIndex,
  type TableDefinition,
  type TableName,
  type WriteHook,
} from '../model/table.js';
import { systemDatabase } from './catalog.js';
import { isUnknown, undefinedIfUnknown } from './errors.js';
import { parseIndexQuery } from './index-query.js';
import type { RethinkSession } from './session.js';
import { ReqlError } from './wire/answer.js';
import { rawTerm, tableTerm, term, textTerm } from './wire/term.js';

/** How a table is created. */
export interface TableShape extends Pick<
  TableDefinition,
  'database' | 'name' | 'primaryKey' | 'durability' | 'writeAcks'
> {
  readonly shardCount: number;
  readonly replicaCount: number;
}

/** The server's own wait for a new table; its answer must come within the read timeout. */
const readyWithinSeconds = 30;

/** Returns whether there was none. */
export async function createDatabase(session: RethinkSession, name: string): Promise<boolean> {
  const query = r.branch(r.dbList().contains(name), null, r.dbCreate(name));
  return (await session.ask(query, `create database ${name}`)) !== null;
}

/** Creates the table where there is none, and waits until it accepts writes. */
export async function createTable(session: RethinkSession, shape: TableShape): Promise<void> {
  const { database, name, primaryKey, durability, shardCount, replicaCount } = shape;
  const what = `create table ${qualifiedName(shape)}`;
  const options = { primaryKey, shards: shardCount, replicas: replicaCount };
  const create = r.db(database).tableCreate(name, durability === 'soft' ? { ...options, durability: 'soft' } : options);
  await session.ask(r.branch(r.db(database).tableList().contains(name), null, create), what);
  const wait = tableOf(shape).wait({ waitFor: 'ready_for_writes', timeout: readyWithinSeconds });
  await session.ask(wait, what).catch(undefinedIfUnknown);
}

/**
 * A new table answers a write when most of its replicas have it. `single` is set at the end: what only the one replica
 * that has answered holds is lost where another becomes the primary.
 */
export async function setWriteAcks(session: RethinkSession, table: TableName, writeAcks: string): Promise<void> {
  // The driver's types take a table's configuration for that of a database.
  const change: object = { write_acks: writeAcks };
  const query = tableOf(table).config().update(change);
  await session.ask(query, `configure ${qualifiedName(table)}`).catch(undefinedIfUnknown);
}

/**
 * Why the server does not accept a serialised function, of an index or of a write hook; undefined where it does. Writes
 * nothing: a system table takes neither, which RethinkDB (2.3.7, 2.4.4) says only after it has read the function.
 */
export async function functionRefusal(
  session: RethinkSession,
  kind: 'index' | 'write hook',
  code: string,
): Promise<string | undefined> {
  const table = r.db(systemDatabase).table('table_config');
  const query = kind === 'index' ? table.indexCreate('function', binary(code)) : table.setWriteHook(binary(code));
  return session.withReconnect(
    `try the function of ${kind === 'index' ? 'an index' : 'a write hook'}`,
    async (connection) => {
      try {
        await session.askOn(connection, query);
        return undefined;
      } catch (error) {
        if (!(error instanceof ReqlError)) throw error;
        return isUnknown(error) ? error.message : undefined;
      }
    },
  );
}

/**
 * Begins to build the index: from its function, which defines all of it, whether it is multi or geo, too, or from the text
 * in which a server has printed it, one that `parseIndexQuery` understands.
 */
export async function createIndex(
  session: RethinkSession,
  table: TableName,
  { index, from }: { readonly index: SecondaryIndex; readonly from: 'function' | 'query' },
): Promise<void> {
  const { name, function: code = '', multi, geo } = index;
  const what = `create index ${name} of ${qualifiedName(table)}`;
  if (from === 'function') {
    const create = tableOf(table).indexCreate(name, binary(code));
    await session.ask(r.branch(tableOf(table).indexList().contains(name), null, create), what);
  } else {
    const args = [tableTerm(table), textTerm(name), ...(parseIndexQuery(index) ?? [])];
    const create = rawTerm(term.indexCreate, args, { multi, geo });
    const isThere = rawTerm(term.contains, [rawTerm(term.indexList, [tableTerm(table)]), textTerm(name)]);
    await session.ask(rawTerm(term.branch, [isThere, ['null'], create]), what);
  }
}

export async function dropIndex(session: RethinkSession, table: TableName, name: string): Promise<void> {
  const query = r.branch(tableOf(table).indexList().contains(name), tableOf(table).indexDrop(name), null);
  await session.ask(query, `drop index ${name} of ${qualifiedName(table)}`);
}

const indexStatusSchema = z.array(z.object({ index: z.string(), ready: z.boolean(), progress: z.number().optional() }));

/** How far the indexes are built: the mean of them, from 0 to 1, and exactly 1 when all are ready. */
export async function readIndexProgress(session: RethinkSession, table: TableName): Promise<number> {
  const what = `read the indexes of ${qualifiedName(table)}`;
  const indexes = await session.ask(tableOf(table).indexStatus(), what, indexStatusSchema);
  if (indexes.every(({ ready }) => ready)) return 1;
  const sum = indexes.reduce((total, { ready, progress = 0 }) => total + (ready ? 1 : progress), 0);
  // An index with progress 1 that is not ready has work left.
  return Math.min(sum / indexes.length, 0.99);
}

/** Null removes the table's hook. */
export async function setWriteHook(session: RethinkSession, table: TableName, hook: WriteHook | null): Promise<void> {
  const query = tableOf(table).setWriteHook(hook === null ? null : binary(hook.function));
  await session.ask(query, `set the write hook of ${qualifiedName(table)}`);
}

/** Binary data as a term: the driver takes a bare Buffer for options. */
function binary(base64: string): Buffer {
  const term: unknown = r.expr(Buffer.from(base64, 'base64'));
  return term as Buffer;
}

function tableOf({ database, name }: TableName) {
  return r.db(database).table(name);
}
