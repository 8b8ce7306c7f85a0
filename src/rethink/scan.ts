/**
 * The scan reader: every document of one table as RethinkDB's own JSON text, in primary-key order. After a lost
 * connection it continues after the last key it gave, so no document is missing or comes twice.
 */
import { isUtf8 } from 'node:buffer';
import { r, type RQuery } from 'rethinkdb-ts';
import { memberText } from '../model/json-member.js';
import { byteTextOf, bytesOfText, encodeText } from '../model/byte-text.js';
import { qualifiedName, type TableDefinition } from '../model/table.js';
import type { RethinkSession } from './session.js';
import { TableCursor } from './table-cursor.js';

/**
 * Yields the documents, each followed by one newline, in batches that the server bounds in bytes; a batch is good until
 * the next is asked for. Throws a JobError with exit code 7 when the table cannot be read to its end, or the signal's
 * reason. Stopping the iteration stops the query.
 */
export async function* scanTable(
  session: RethinkSession,
  table: TableDefinition,
): AsyncGenerator<Buffer, void, undefined> {
  let last: Buffer | undefined;
  const rest = (): RQuery => scanQuery(table, last);
  const what = `read table ${qualifiedName(table)}`;
  const cursor = await TableCursor.open(session, { what, first: rest(), rest });
  try {
    for (;;) {
      const batch = await cursor.next();
      if (batch === undefined) return;
      if (batch.length === 0) continue;
      // Good until the next batch has come: where it never comes, the scan continues after this.
      last = lastLine(batch);
      yield batch;
    }
  } catch (error) {
    throw session.failure(what, error);
  } finally {
    cursor.close();
  }
}

/** The documents after `last`. An order by the primary index costs no more than none at all. */
function scanQuery({ database, name, primaryKey }: TableDefinition, last: Buffer | undefined): RQuery {
  const table = r.db(database).table(name);
  const order = { index: primaryKey };
  if (last === undefined) return table.orderBy(order);
  return table.between(keyTerm(last, primaryKey), r.maxval, { leftBound: 'open', ...order }).orderBy(order);
}

/**
 * The key as the server wrote it, to be parsed by the server itself: the driver takes no value that is nested deeper than
 * 20, and no text that is not well-formed UTF-8, which RethinkDB stores. Pseudo-types (TIME, BINARY) are the same in
 * `r.json` as in a query.
 */
function keyTerm(line: Buffer, primaryKey: string): RQuery {
  const text = memberText(byteTextOf(line), encodeText(primaryKey));
  if (text === undefined) throw new Error('the server sent a document without its primary key');
  const bytes = bytesOfText(text);
  return isUtf8(bytes) ? r.json(bytes.toString('utf8')) : r.json(r.expr(bytes).coerceTo('string'));
}

function lastLine(lines: Buffer): Buffer {
  return lines.subarray(lines.lastIndexOf('\n', -2) + 1);
}
