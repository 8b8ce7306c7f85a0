/** The batches of one table, read by a query that is sent again, for the rest, after the connection was lost. */
import type { RQuery } from 'rethinkdb-ts';
import { errorText } from '../base/errors.js';
import { isTransient } from './errors.js';
import type { RethinkSession } from './session.js';
import type { BatchCursor } from './wire/batch-cursor.js';

interface TableQuery {
  /** What it does, for messages: `read table dtr2.tags`. */
  readonly what: string;
  readonly first: RQuery;
  /** The query for what has not been read yet; undefined where the reader cannot continue. */
  readonly rest: () => RQuery | undefined;
}

export class TableCursor {
  readonly #session: RethinkSession;
  readonly #query: TableQuery;
  #cursor: BatchCursor;

  private constructor(session: RethinkSession, query: TableQuery, cursor: BatchCursor) {
    this.#session = session;
    this.#query = query;
    this.#cursor = cursor;
  }

  /** Resolves when the first batch has come. Throws as `RethinkSession.ask`. */
  static async open(session: RethinkSession, query: TableQuery): Promise<TableCursor> {
    return new TableCursor(session, query, await session.openCursor(query.first, query.what));
  }

  /**
   * The next batch as `BatchCursor.next` gives it. Where it `mayBeQuiet`, the wait takes as long as the server answers
   * other queries; the read timeout limits it otherwise. Throws a JobError with exit code 7 where the rest cannot be
   * queried, and what ended the query where there is no rest.
   */
  async next(mayBeQuiet = false): Promise<Buffer | undefined> {
    const session = this.#session;
    for (;;) {
      const cursor = this.#cursor;
      try {
        return await cursor.next((read) => {
          return mayBeQuiet ? session.whileAlive(read, cursor.connection) : session.bounded(read);
        });
      } catch (error) {
        cursor.close();
        const { what, rest } = this.#query;
        const query = isTransient(error) ? rest() : undefined;
        if (query === undefined) throw error;
        session.drop();
        session.log.warn(`Lost ${session.name} (to ${what}): ${errorText(error)}`);
        this.#cursor = await session.openCursor(query, what);
      }
    }
  }

  /** Resolves when the server has answered on this connection. Throws what ended the connection. */
  assertAlive(): Promise<void> {
    return this.#session.assertAlive(this.#cursor.connection);
  }

  /** Stops the query. */
  close(): void {
    this.#cursor.close();
  }
}
