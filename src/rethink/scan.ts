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
 * Yields the documents, each followed by one newline, in batches that the server bounds in bytes; a batch is good until
 * the next is asked for. Throws a JobError with exit code 7 when the table
 * cannot be read to its end. Stopping the iteration stops the query.
 */
export async function* scanTable(
  session: RethinkSession,
  table: TableDefinition,
  log: Log,
): AsyncGenerator<Buffer, void, undefined> {
  let last: Buffer | undefined;
  try {
    for (;;) {
      const { cursor, first } = await openScan(session, table, last);
      try {
        for (let batch = first; batch !== undefined; batch = await cursor.next()) {
          if (batch.length === 0) continue;
          // Good for as long as the next batch has not come: when it never comes, this is what to go on after.
          last = lastLine(batch);
          yield batch;
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
  last: Buffer | undefined,
): Promise<{ cursor: BatchCursor; first: Buffer | undefined }> {
  return session.whileAway(async (connection) => {
    const cursor = await BatchCursor.open(session, connection, scanQuery(table, last));
    return { cursor, first: await cursor.next() };
  });
}

/** An order by the primary index costs no more than none at all. */
function scanQuery({ database, name, primaryKey }: TableDefinition, last: Buffer | undefined): RQuery {
  const table = r.db(database).table(name);
  const rest =
    last === undefined
      ? table
      : table.between(r.expr(keyOf(last, primaryKey)), r.maxval, { leftBound: 'open', index: primaryKey });
  return rest.orderBy({ index: primaryKey });
}

/** A key may be a pseudo-type (TIME, BINARY): as JSON it goes back to the server unchanged. */
function keyOf(line: Buffer, primaryKey: string): unknown {
  const document = JSON.parse(line.toString('utf8')) as Readonly<Record<string, unknown>>;
  return document[primaryKey];
}

function lastLine(lines: Buffer): Buffer {
  return lines.subarray(lines.lastIndexOf('\n', -2) + 1);
}
