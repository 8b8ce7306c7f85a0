/**
 * The scan reader: every document of one table as RethinkDB's own JSON text, in primary-key order. It goes on after a
 * lost connection from the last key it gave, so nothing is missing and nothing comes twice.
 */
import { isUtf8 } from 'node:buffer';
import { r, type RQuery } from 'rethinkdb-ts';
import type { Log } from '../base/log.js';
import { memberText } from '../model/json-member.js';
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
  return session.withReconnect(async (connection) => {
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
      : table.between(keyTerm(last, primaryKey), r.maxval, { leftBound: 'open', index: primaryKey });
  return rest.orderBy({ index: primaryKey });
}

/**
 * The key as the server wrote it, to be read by the server itself: the driver takes no value that is nested deeper than
 * 20, and no text of its own can hold bytes that are not well-formed UTF-8, which RethinkDB stores. Pseudo-types (TIME,
 * BINARY) are the same in `r.json` as in a query.
 */
function keyTerm(line: Buffer, primaryKey: string): RQuery {
  const text = memberBytes(line, primaryKey);
  if (text === undefined) throw new Error('the server sent a document without its primary key');
  return isUtf8(text) ? r.json(text.toString('utf8')) : r.json(r.expr(text).coerceTo('string'));
}

/** The value of a member as it stands in the line. Read as Latin-1, every byte is one character. */
function memberBytes(line: Buffer, name: string): Buffer | undefined {
  const text = memberText(line.toString('latin1'), Buffer.from(name).toString('latin1'));
  return text === undefined ? undefined : Buffer.from(text, 'latin1');
}

function lastLine(lines: Buffer): Buffer {
  return lines.subarray(lines.lastIndexOf('\n', -2) + 1);
}
