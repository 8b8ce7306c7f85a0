/**
 * The scan reader: every document of one table as RethinkDB's own JSON text, in primary-key order. It goes on after a
 * lost connection from the last key it gave, so nothing is missing and nothing comes twice.
 */
import { r, type RQuery } from 'rethinkdb-ts';
import type { Log } from '../base/log.js';
import { qualifiedName, type TableDefinition } from '../model/table.js';
import { BatchCursor } from './batch-cursor.js';
import { isTransient, rethinkErrorText } from './driver.js';
import type { RethinkSession } from './session.js';

/**
 * Yields the documents in batches that the server bounds in bytes. Throws a JobError with exit code 7 when the table
 * cannot be read to its end. Stopping the iteration stops the query.
 */
export async function* scanTable(
  session: RethinkSession,
  table: TableDefinition,
  log: Log,
): AsyncGenerator<readonly string[], void, undefined> {
  let last: string | undefined;
  try {
    for (;;) {
      const { cursor, first } = await openScan(session, table, last);
      try {
        for (let batch = first; batch !== undefined; batch = await cursor.next()) {
          const texts = jsonTexts(batch);
          last = texts.at(-1) ?? last;
          yield texts;
        }
        return;
      } catch (error) {
        if (!isTransient(error)) throw error;
        session.drop();
        log.warn(`Lost ${session.name} while reading ${qualifiedName(table)}: ${rethinkErrorText(error)}`);
      } finally {
        await cursor.close();
      }
    }
  } catch (error) {
    throw session.failure(`read table ${qualifiedName(table)}`, error);
  }
}

/** Opens the scan after document `last` and waits for its first batch, so that each opening brings it forward. */
async function openScan(
  session: RethinkSession,
  table: TableDefinition,
  last: string | undefined,
): Promise<{ cursor: BatchCursor; first: unknown[] | undefined }> {
  return session.whileAway(async (connection) => {
    const cursor = await BatchCursor.open(session, connection, scanQuery(table, last));
    return { cursor, first: await cursor.next() };
  });
}

/**
 * The server makes the text itself (`toJSON`): nothing is lost or reordered by parsing, and it is twice as fast. An
 * order by the primary index costs no more than none at all.
 */
function scanQuery({ database, name, primaryKey }: TableDefinition, last: string | undefined): RQuery {
  const table = r.db(database).table(name);
  const rest =
    last === undefined
      ? table
      : table.between(r.expr(keyOf(last, primaryKey)), r.maxval, { leftBound: 'open', index: primaryKey });
  return rest.orderBy({ index: primaryKey }).map((document) => document.toJSON());
}

/** A key may be a pseudo-type (TIME, BINARY): as JSON it goes back to the server unchanged. */
function keyOf(text: string, primaryKey: string): unknown {
  const document = JSON.parse(text) as Readonly<Record<string, unknown>>;
  return document[primaryKey];
}

function jsonTexts(batch: unknown[]): string[] {
  if (!batch.every((text) => typeof text === 'string')) throw new Error('the server sent a document that is no text');
  return batch;
}
