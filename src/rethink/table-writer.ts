/**
 * Writes documents and changes into one table as an archive has them: their raw JSON text goes to the server, so
 * nothing is lost or altered by parsing. Every answer is checked; what the server refuses is found and named. Write
 * hooks do not run: the archive holds what they made. Writing the same again does no harm, so a connection that is
 * lost is found again.
 */
import { isRethinkDBError, r, type RQuery } from 'rethinkdb-ts';
import { z } from 'zod';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { qualifiedName, type CatalogTable } from '../model/table.js';
import { foldChanges, NoChangeError } from './change-batch.js';
import { refusalText } from './driver.js';
import type { RethinkSession } from './session.js';

/** `writeHook` says whether the table has one now. */
export type WritableTable = Pick<CatalogTable, 'database' | 'name' | 'primaryKey' | 'writeHook'>;

/** Entries of an archive in order: their texts, and what each is called in messages. */
export interface Entries {
  readonly texts: readonly string[];
  readonly nameOf: (index: number) => string;
}

/** Deleting more at once would hold up its answer for too long. */
const deletedAtOnce = 1000;

/** Puts documents in place, also of others with their keys. Throws a JobError with exit code 7 that names the entry. */
export async function writeDocuments(session: RethinkSession, table: WritableTable, entries: Entries): Promise<void> {
  await write(session, table, entries, (texts) => put(table, r.json(`[${texts.join(',')}]`)));
}

/**
 * Applies changes in order. Gives how many more documents there should be after it. Throws a JobError with exit code
 * 7 that names the entry.
 */
export async function writeChanges(session: RethinkSession, table: WritableTable, entries: Entries): Promise<number> {
  const { put: last, removedKeys, growth } = fold(table, entries);
  if (removedKeys.length > 0) {
    const keys = r.json(JSON.stringify(removedKeys));
    const query = tableOf(table).getAll(r.args(keys)).delete(writeOptions(table));
    const { refusal } = await answerOf(session, table, query);
    if (refusal !== undefined) throw failure(table, entries.nameOf(0), refusal);
  }
  if (last.length > 0) {
    const texts = last.map((index) => entries.texts[index] ?? '');
    const nameOf = (index: number): string => entries.nameOf(last[index] ?? 0);
    await write(session, table, { texts, nameOf }, (some) => put(table, r.json(`[${some.join(',')}]`)('new_val')));
  }
  return growth;
}

/** Deletes every document; `onDeleted` is told of each thousand. Throws a JobError with exit code 7. */
export async function emptyTable(
  session: RethinkSession,
  table: WritableTable,
  onDeleted: (count: number) => void,
): Promise<void> {
  for (;;) {
    const query = tableOf(table).limit(deletedAtOnce).delete(writeOptions(table));
    const { refusal, deleted } = await answerOf(session, table, query);
    if (refusal !== undefined) throw failure(table, 'the removal of its documents', refusal);
    if (deleted === 0) return;
    onDeleted(deleted);
  }
}

/** Waits until all that was written is on disk. Throws a JobError with exit code 7. */
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

/** Writes all entries with one query; when the server refuses any, asks it for each alone, as it never says which. */
async function write(
  session: RethinkSession,
  table: WritableTable,
  { texts, nameOf }: Entries,
  queryFor: (texts: readonly string[]) => RQuery,
): Promise<void> {
  const { refusal } = await answerOf(session, table, queryFor(texts), texts.length);
  if (refusal === undefined) return;
  for (const [index, text] of texts.entries()) {
    const { refusal: own } = await answerOf(session, table, queryFor([text]), 1);
    if (own !== undefined) throw failure(table, nameOf(index), own);
  }
  throw failure(table, `${nameOf(0)} and the ${texts.length - 1} entries after it`, refusal);
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

/** Asks, and checks the answer: without errors, and about `putCount` documents put in place where that is known. */
async function answerOf(
  session: RethinkSession,
  table: WritableTable,
  query: RQuery,
  putCount?: number,
): Promise<Answer> {
  try {
    const result = resultSchema.parse(await session.ask(query));
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

function put(table: WritableTable, documents: unknown): RQuery {
  return tableOf(table).insert(documents, { conflict: 'replace', ...writeOptions(table) });
}

function tableOf({ database, name }: WritableTable) {
  return r.db(database).table(name);
}

/** Servers before 2.4 have no write hooks, and do not know that these can be ignored. */
function writeOptions({ writeHook }: WritableTable) {
  return { durability: 'soft', ...(writeHook !== null && { ignoreWriteHook: true }) } as const;
}

function fold(table: WritableTable, { texts, nameOf }: Entries): ReturnType<typeof foldChanges> {
  try {
    return foldChanges(texts, table.primaryKey);
  } catch (error) {
    throw error instanceof NoChangeError ? failure(table, nameOf(error.index), `it ${error.message}`) : error;
  }
}

function failure(table: WritableTable, what: string, reason: string): JobError {
  return new JobError(ExitCode.rethinkdb, `cannot write ${what} into ${qualifiedName(table)}: ${reason}`);
}
