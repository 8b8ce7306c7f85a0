/**
 * Writes documents and changes into one table as an archive has them: the bytes of their JSON text go to the server, so
 * nothing is lost or altered by parsing. Every answer is checked; what the server refuses is found and named. Write
 * hooks do not run: the archive holds what they made. What has been answered is on disk, so a server that crashes
 * loses nothing of it; writing the same again does no harm, so a connection that is lost is found again.
 */
import { isRethinkDBError, r, RethinkDBErrorType } from 'rethinkdb-ts';
import { z } from 'zod';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { parseJsonObject } from '../model/json-object.js';
import { qualifiedName, type CatalogTable } from '../model/table.js';
import { foldChanges, NoChangeError } from './change-batch.js';
import { ConnectionLost, rawOptions, refusalText, type DriverConnection } from './driver.js';
import { datum, rawTerm, runRawTerm, term, type RawTerm } from './raw-term.js';
import type { RethinkSession } from './session.js';

/** `writeHook` says whether the table has one now. */
export type WritableTable = Pick<CatalogTable, 'database' | 'name' | 'primaryKey' | 'writeHook'>;

/** Entries of an archive in order: their bytes, and what each is called in messages. */
export interface Entries {
  readonly bodies: readonly Buffer[];
  readonly nameOf: (index: number) => string;
}

/** Deleting more at once would hold up its answer for too long. */
const deletedAtOnce = 1000;

/** Puts documents in place, also of others with their keys. Throws a JobError with exit code 7 that names the entry. */
export async function writeDocuments(session: RethinkSession, table: WritableTable, entries: Entries): Promise<void> {
  const { refusal } = await putAll(session, table, entries.bodies);
  if (refusal === undefined) return;
  // The server never says which it refuses: ask it for each alone.
  for (const [index, body] of entries.bodies.entries()) {
    const { refusal: own } = await putAll(session, table, [body]);
    if (own !== undefined) throw failure(table, entries.nameOf(index), own);
  }
  throw failure(table, `${entries.nameOf(0)} and the ${entries.bodies.length - 1} entries after it`, refusal);
}

/**
 * Applies changes in order. Gives how many more documents there should be after it. Throws a JobError with exit code
 * 7 that names the entry.
 */
export async function writeChanges(session: RethinkSession, table: WritableTable, entries: Entries): Promise<number> {
  const { put, removedKeys, growth } = fold(table, entries);
  if (removedKeys.length > 0) {
    const keys = removedKeys.map((key) => rawTerm(term.bracket, [datum(['{"key":', key, '}']), ['"key"']]));
    const removal = rawTerm(term.delete, [rawTerm(term.getAll, [tableTerm(table), ...keys])], wireOptions(table));
    const { refusal } = await answerOf(session, table, (connection) => runRawTerm(connection, removal));
    if (refusal !== undefined) throw failure(table, entries.nameOf(0), refusal);
  }
  const bodies = put.map(({ body }) => body);
  const nameOf = (index: number): string => entries.nameOf(put[index]?.index ?? 0);
  if (put.length > 0) await writeDocuments(session, table, { bodies, nameOf });
  return growth;
}

/**
 * Which of these documents the table does not hold exactly so: asked of the server, which compares its own JSON text of
 * both, so neither the order of members nor the spelling of numbers counts. Throws a JobError with exit code 7.
 */
export async function findDifferences(
  session: RethinkSession,
  table: WritableTable,
  bodies: readonly Buffer[],
): Promise<readonly number[]> {
  const wanted = rawTerm(term.variable, [['1']]);
  const key = rawTerm(term.bracket, [wanted, [JSON.stringify(table.primaryKey)]]);
  const found = rawTerm(term.get, [tableTerm(table), key]);
  const differs = rawTerm(term.ne, [rawTerm(term.toJsonString, [found]), rawTerm(term.toJsonString, [wanted])]);
  const query = rawTerm(term.offsetsOf, [
    documentsTerm(bodies),
    rawTerm(term.func, [rawTerm(term.makeArray, [['1']]), differs]),
  ]);
  try {
    const answer = await session.withReconnect((connection) => session.bounded(runRawTerm(connection, query)));
    return z.array(z.number()).parse(answer);
  } catch (error) {
    throw session.failure(`read ${qualifiedName(table)} back`, error);
  }
}

/** Deletes every document; `onDeleted` is told of each thousand. Throws a JobError with exit code 7. */
export async function emptyTable(
  session: RethinkSession,
  table: WritableTable,
  onDeleted: (count: number) => void,
): Promise<void> {
  for (;;) {
    const query = tableOf(table).limit(deletedAtOnce).delete(writeOptions(table));
    const { refusal, deleted } = await answerOf(session, table, (connection) => query.run(connection, rawOptions));
    if (refusal !== undefined) throw failure(table, 'the removal of its documents', refusal);
    if (deleted === 0) return;
    onDeleted(deleted);
  }
}

/**
 * Waits until all of the table is on disk: also what was there already and so was not written again. Throws a JobError
 * with exit code 7.
 */
export async function syncTable(session: RethinkSession, table: WritableTable): Promise<void> {
  try {
    await session.ask(tableOf(table).sync());
  } catch (error) {
    throw session.failure(`write ${qualifiedName(table)} to disk`, error);
  }
}

/** Throws a JobError with exit code 7. */
export async function countDocuments(session: RethinkSession, table: WritableTable): Promise<number> {
  try {
    return await session.ask(tableOf(table).count());
  } catch (error) {
    throw session.failure(`count the documents of ${qualifiedName(table)}`, error);
  }
}

/** Puts documents in place with one query. */
async function putAll(session: RethinkSession, table: WritableTable, bodies: readonly Buffer[]): Promise<Answer> {
  // What is no whole JSON text by itself could become another query.
  if (!bodies.every(isObject)) return { refusal: 'it is not a JSON object', deleted: 0 };
  const options = { conflict: 'replace', ...wireOptions(table) };
  const insert = rawTerm(term.insert, [tableTerm(table), documentsTerm(bodies)], options);
  return answerOf(session, table, (connection) => runRawTerm(connection, insert), bodies.length);
}

interface Answer {
  /** Why the server did not do all of it. */
  readonly refusal?: string;
  readonly deleted: number;
}

const resultSchema = z.object({
  errors: z.number(),
  first_error: z.string().optional(),
  inserted: z.number(),
  replaced: z.number(),
  unchanged: z.number(),
  deleted: z.number(),
  generated_keys: z.array(z.string()).optional(),
});

/** Writes, and checks the answer: without errors, and about `putCount` documents put in place where that is known. */
async function answerOf(
  session: RethinkSession,
  table: WritableTable,
  run: (connection: DriverConnection) => Promise<unknown>,
  putCount?: number,
): Promise<Answer> {
  try {
    const result = resultSchema.parse(await writeDurably(session, table, run));
    const { errors, first_error: first, inserted, replaced, unchanged, deleted, generated_keys: generated } = result;
    if (generated !== undefined) {
      await session.ask(tableOf(table).getAll(r.args(generated)).delete(writeOptions(table)));
      return { refusal: `it has no primary key (${table.primaryKey})`, deleted };
    }
    if (errors > 0) return { refusal: refusalText(first ?? 'no reason given'), deleted };
    const total = inserted + replaced + unchanged;
    if (putCount === undefined || putCount === total) return { deleted };
    return { refusal: `RethinkDB wrote ${total} of ${putCount} documents`, deleted };
  } catch (error) {
    if (!isRethinkDBError(error)) throw session.failure(`write into ${qualifiedName(table)}`, error);
    return { refusal: refusalText(error), deleted: 0 };
  }
}

/**
 * Writes until there is an answer. Sent again, a write may find its documents in place, and its answer does not wait
 * for the disk then: `sync` on the same connection does.
 */
async function writeDurably(
  session: RethinkSession,
  table: WritableTable,
  run: (connection: DriverConnection) => Promise<unknown>,
): Promise<unknown> {
  let isRepeated = false;
  return session.withReconnect(async (connection) => {
    const needsSync = isRepeated;
    isRepeated = true;
    const result = await session.bounded(run(connection).catch(rethrowIndeterminate));
    if (needsSync) await session.bounded(tableOf(table).sync().run(connection, rawOptions));
    return result;
  });
}

/** The primary replica was lost while it wrote: whether it did is unknown, and to write again does no harm. */
function rethrowIndeterminate(error: unknown): never {
  const isUnknown = isRethinkDBError(error) && error.type === RethinkDBErrorType.OP_INDETERMINATE;
  throw isUnknown ? new ConnectionLost(refusalText(error)) : error;
}

function tableTerm({ database, name }: WritableTable): RawTerm {
  return rawTerm(term.table, [rawTerm(term.db, [[JSON.stringify(database)]]), [JSON.stringify(name)]]);
}

/** One character for each byte: all that means anything in JSON is ASCII. */
function isObject(body: Buffer): boolean {
  return typeof parseJsonObject(body.toString('latin1')) !== 'string';
}

function documentsTerm(bodies: readonly Buffer[]): RawTerm {
  return rawTerm(
    term.makeArray,
    bodies.map((body) => datum([body])),
  );
}

function tableOf({ database, name }: WritableTable) {
  return r.db(database).table(name);
}

/** Servers before 2.4 have no write hooks, and do not know that these can be ignored. */
function writeOptions({ writeHook }: WritableTable) {
  return { durability: 'hard', ...(writeHook !== null && { ignoreWriteHook: true }) } as const;
}

/** The same as the protocol spells them. */
function wireOptions({ writeHook }: WritableTable): object {
  return { durability: 'hard', ...(writeHook !== null && { ignore_write_hook: true }) };
}

function fold(table: WritableTable, { bodies, nameOf }: Entries): ReturnType<typeof foldChanges> {
  try {
    return foldChanges(bodies, table.primaryKey);
  } catch (error) {
    throw error instanceof NoChangeError ? failure(table, nameOf(error.index), `it ${error.message}`) : error;
  }
}

function failure(table: WritableTable, what: string, reason: string): JobError {
  return new JobError(ExitCode.rethinkdb, `cannot write ${what} into ${qualifiedName(table)}: ${reason}`);
}
