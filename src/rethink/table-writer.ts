/**
 * Writes documents and changes into one table as an archive has them: the bytes of their JSON text go to the server, so
 * parsing loses and alters nothing. Every answer is checked; a document that the server refuses is found and named. Write
 * hooks do not run: the archive holds their results. What has been answered is on disk. To write the same again does no
 * harm, so writes are repeated after a lost connection. Every function throws a JobError with exit code 7.
 */
import { z } from 'zod';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { byteTextOf } from '../model/byte-text.js';
import { parseJsonObject } from '../model/json-object.js';
import { qualifiedName, type CatalogTable } from '../model/table.js';
import { foldChanges, NoChangeError } from './change-batch.js';
import { QueryError, refusalText } from './errors.js';
import type { RethinkSession } from './session.js';
import type { WireConnection } from './wire/connection.js';
import { datum, rawTerm, tableTerm, term, type RawTerm } from './wire/term.js';

/** `writeHook` says whether the table has one now. */
export type WritableTable = Pick<CatalogTable, 'database' | 'name' | 'primaryKey' | 'writeHook'>;

/** Entries of an archive in order: their bytes, and what each is called in messages. */
export interface Entries {
  readonly bodies: readonly Buffer[];
  readonly nameOf: (index: number) => string;
}

/** Deleting more at once would delay the answer beyond the read timeout. */
const maxDeleted = 1000;

/** Inserts documents, or replaces those with the same keys. The error names the entry. */
export async function writeDocuments(session: RethinkSession, table: WritableTable, entries: Entries): Promise<void> {
  const { refusal } = await insert(session, table, entries.bodies);
  if (refusal === undefined) return;
  // The server never says which it refuses: ask it for each alone.
  for (const [index, body] of entries.bodies.entries()) {
    const { refusal: own } = await insert(session, table, [body]);
    if (own !== undefined) throw writeError(table, entries.nameOf(index), own);
  }
  throw writeError(table, `${entries.nameOf(0)} and the ${entries.bodies.length - 1} entries after it`, refusal);
}

/** Applies changes in order. Returns how many more documents there are after them. The error names the entry. */
export async function writeChanges(session: RethinkSession, table: WritableTable, entries: Entries): Promise<number> {
  const { put, removedKeys, growth } = fold(table, entries);
  if (removedKeys.length > 0) {
    const keys = removedKeys.map((key) => rawTerm(term.bracket, [datum(['{"key":', key, '}']), ['"key"']]));
    const { refusal } = await write(session, table, removalTerm(table, keys));
    if (refusal !== undefined) throw writeError(table, entries.nameOf(0), refusal);
  }
  const bodies = put.map(({ body }) => body);
  const nameOf = (index: number): string => entries.nameOf(put[index]?.index ?? 0);
  if (put.length > 0) await writeDocuments(session, table, { bodies, nameOf });
  return growth;
}

/**
 * The indexes of the documents that the table does not hold exactly so. The server compares its own JSON text of both, so
 * neither the order of members nor the spelling of numbers matters.
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
  const predicate = rawTerm(term.func, [rawTerm(term.makeArray, [['1']]), differs]);
  const query = rawTerm(term.offsetsOf, [documentsTerm(bodies), predicate]);
  return session.ask(query, `read ${qualifiedName(table)} back`, z.array(z.number()));
}

/** Deletes every document, and calls `onDeleted` for each batch. */
export async function emptyTable(
  session: RethinkSession,
  table: WritableTable,
  onDeleted: (count: number) => void,
): Promise<void> {
  const some = rawTerm(term.limit, [tableTerm(table), [String(maxDeleted)]]);
  const query = rawTerm(term.delete, [some], writeOptions(table));
  for (;;) {
    const { refusal, deleted } = await write(session, table, query);
    if (refusal !== undefined) throw writeError(table, 'the removal of its documents', refusal);
    if (deleted === 0) return;
    onDeleted(deleted);
  }
}

/** Waits until all of the table is on disk, including documents that were there already and so were not written again. */
export async function syncTable(session: RethinkSession, table: WritableTable): Promise<void> {
  await session.ask(syncTerm(table), `write ${qualifiedName(table)} to disk`);
}

export async function countDocuments(session: RethinkSession, table: WritableTable): Promise<number> {
  const query = rawTerm(term.count, [tableTerm(table)]);
  return session.ask(query, `count the documents of ${qualifiedName(table)}`, z.number());
}

interface Outcome {
  /** Why the server did not do all of it. */
  readonly refusal?: string;
  readonly deleted: number;
}

async function insert(session: RethinkSession, table: WritableTable, bodies: readonly Buffer[]): Promise<Outcome> {
  // What is not a whole JSON text by itself could become another query.
  const isObject = (body: Buffer): boolean => parseJsonObject(byteTextOf(body)).ok;
  if (!bodies.every(isObject)) return { refusal: 'it is not a JSON object', deleted: 0 };
  const options = { conflict: 'replace', ...writeOptions(table) };
  const outcome = await write(session, table, rawTerm(term.insert, [tableTerm(table), documentsTerm(bodies)], options));
  if (outcome.refusal !== undefined || outcome.written === bodies.length) return outcome;
  return { ...outcome, refusal: `RethinkDB wrote ${outcome.written} of ${bodies.length} documents` };
}

const resultSchema = z.object({
  errors: z.number(),
  first_error: z.string().default('no reason given'),
  inserted: z.number(),
  replaced: z.number(),
  unchanged: z.number(),
  deleted: z.number(),
  generated_keys: z.array(z.string()).optional(),
});

/**
 * Writes, and checks the answer for errors. A write repeated after a lost connection may find its documents in place, and
 * then its answer does not wait for the disk. `sync` on the same connection does; on another, the server might have lost
 * them in between.
 */
async function write(
  session: RethinkSession,
  table: WritableTable,
  query: RawTerm,
): Promise<Outcome & { readonly written: number }> {
  let isRepeated = false;
  const attempt = async (connection: WireConnection): Promise<z.infer<typeof resultSchema>> => {
    const needsSync = isRepeated;
    isRepeated = true;
    const answer = resultSchema.parse(await session.askOn(connection, query));
    if (needsSync) await session.askOn(connection, syncTerm(table));
    return answer;
  };
  let result: z.infer<typeof resultSchema>;
  try {
    result = await session.withReconnect(`write into ${qualifiedName(table)}`, attempt);
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    return { refusal: refusalText(error.cause), written: 0, deleted: 0 };
  }
  const { errors, first_error: reason, inserted, replaced, unchanged, deleted, generated_keys: generated } = result;
  const counts = { written: inserted + replaced + unchanged, deleted };
  if (generated !== undefined) {
    const keys = generated.map((key) => [JSON.stringify(key)]);
    const what = `remove documents without a primary key from ${qualifiedName(table)}`;
    await session.ask(removalTerm(table, keys), what);
    return { refusal: `it has no primary key (${table.primaryKey})`, ...counts };
  }
  return errors > 0 ? { refusal: refusalText(reason), ...counts } : counts;
}

function documentsTerm(bodies: readonly Buffer[]): RawTerm {
  return rawTerm(
    term.makeArray,
    bodies.map((body) => datum([body])),
  );
}

function removalTerm(table: WritableTable, keys: readonly RawTerm[]): RawTerm {
  return rawTerm(term.delete, [rawTerm(term.getAll, [tableTerm(table), ...keys])], writeOptions(table));
}

function syncTerm(table: WritableTable): RawTerm {
  return rawTerm(term.sync, [tableTerm(table)]);
}

/** Servers before 2.4 have no write hooks, and do not know this option. */
function writeOptions({ writeHook }: WritableTable): object {
  return { durability: 'hard', ...(writeHook !== null && { ignore_write_hook: true }) };
}

function fold(table: WritableTable, { bodies, nameOf }: Entries): ReturnType<typeof foldChanges> {
  try {
    return foldChanges(bodies, table.primaryKey);
  } catch (error) {
    throw error instanceof NoChangeError ? writeError(table, nameOf(error.index), `it ${error.message}`) : error;
  }
}

function writeError(table: WritableTable, what: string, reason: string): JobError {
  return new JobError(ExitCode.rethinkdb, `cannot write ${what} into ${qualifiedName(table)}: ${reason}`);
}
