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
import { functionTerm } from './index-function.js';
import type { RethinkSession } from './session.js';
import { ReqlError } from './wire/answer.js';
import { rawTerm, tableTerm, term, textTerm, type RawTerm } from './wire/term.js';

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

/** Why a server does not accept a serialised function. */
export interface FunctionRefusal {
  readonly reason: string;
  /** Whether it accepts the term inside, from which `createIndex` makes the same index. */
  readonly hasAcceptedTerm: boolean;
}

/** Undefined where the server accepts the serialised function of an index or a write hook. Writes nothing. */
export async function functionRefusal(
  session: RethinkSession,
  kind: 'index' | 'write hook',
  code: string,
): Promise<FunctionRefusal | undefined> {
  const made = binaryTerm(code);
  const query = kind === 'index' ? tryIndex(made) : rawTerm(term.setWriteHook, [systemTable, made]);
  const reason = await refusalReason(session, query);
  if (reason === undefined) return undefined;
  const inside = kind === 'index' ? functionTerm(code) : undefined;
  const hasAcceptedTerm = inside !== undefined && (await refusalReason(session, tryIndex(inside))) === undefined;
  return { reason, hasAcceptedTerm };
}

/**
 * Why the server does not accept the name of a table or a database; undefined where it does: RethinkDB 2.3 has no `-` in
 * names. Writes nothing.
 */
export async function nameRefusal(session: RethinkSession, name: string): Promise<string | undefined> {
  return refusalReason(session, rawTerm(term.info, [tableTerm({ database: systemDatabase, name })]));
}

/** A system table takes neither index nor hook, which RethinkDB (2.3.7, 2.4.4) says only after it has read the function. */
const systemTable = tableTerm({ database: systemDatabase, name: 'table_config' });

function tryIndex(made: RawTerm): RawTerm {
  return rawTerm(term.indexCreate, [systemTable, textTerm('tried'), made]);
}

async function refusalReason(session: RethinkSession, query: RawTerm): Promise<string | undefined> {
  return session.withReconnect('try names and functions of the archive', async (connection) => {
    try {
      await session.askOn(connection, query);
    } catch (error) {
      if (!(error instanceof ReqlError)) throw error;
      if (isUnknown(error)) return error.message.replace(/\.$/, '');
    }
    return undefined;
  });
}

/**
 * Begins to build the index: from its function, which defines all of it, whether it is multi or geo, too, or from the term
 * inside.
 */
export async function createIndex(
  session: RethinkSession,
  table: TableName,
  { index, from }: { readonly index: SecondaryIndex; readonly from: 'function' | 'term' },
): Promise<void> {
  const { name, function: code = '', multi, geo } = index;
  const made = from === 'function' ? undefined : functionTerm(code);
  const args = [tableTerm(table), textTerm(name), made ?? binaryTerm(code)];
  const create = rawTerm(term.indexCreate, args, made && { multi, geo });
  const query = rawTerm(term.branch, [hasIndex(table, name), ['null'], create]);
  await session.ask(query, `create index ${name} of ${qualifiedName(table)}`);
}

export async function dropIndex(session: RethinkSession, table: TableName, name: string): Promise<void> {
  const drop = rawTerm(term.indexDrop, [tableTerm(table), textTerm(name)]);
  const query = rawTerm(term.branch, [hasIndex(table, name), drop, ['null']]);
  await session.ask(query, `drop index ${name} of ${qualifiedName(table)}`);
}

function hasIndex(table: TableName, name: string): RawTerm {
  return rawTerm(term.contains, [rawTerm(term.indexList, [tableTerm(table)]), textTerm(name)]);
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
  const made = hook === null ? ['null'] : binaryTerm(hook.function);
  const query = rawTerm(term.setWriteHook, [tableTerm(table), made]);
  await session.ask(query, `set the write hook of ${qualifiedName(table)}`);
}

function binaryTerm(base64: string): RawTerm {
  return [JSON.stringify({ $reql_type$: 'BINARY', data: base64 })];
}

function tableOf({ database, name }: TableName) {
  return r.db(database).table(name);
}
