/** The batches of one table, read by a query that is sent again, for the rest, after the connection was lost. */
import type { RQuery } from 'rethinkdb-ts';
import { errorText } from '../base/errors.js';
import { qualifiedName, type TableName } from '../model/table.js';
import { isTransient } from './errors.js';
import type { RethinkSession } from './session.js';
import type { BatchCursor } from './wire/batch-cursor.js';

export interface NextOptions {
  /** The query for what has not been read yet; undefined where the reader cannot continue. */
  readonly rest: () => RQuery | undefined;
  /** Whether the wait may take as long as the server answers other queries; the read timeout limits it otherwise. */
  readonly mayBeQuiet: boolean;
}

export class TableCursor {
  readonly #session: RethinkSession;
  readonly #table: TableName;
  #cursor: BatchCursor;

  private constructor(session: RethinkSession, table: TableName, cursor: BatchCursor) {
    this.#session = session;
    this.#table = table;
    this.#cursor = cursor;
  }

  /** Resolves when the first batch has come. Throws as `RethinkSession.ask`. */
  static async open(session: RethinkSession, table: TableName, query: RQuery): Promise<TableCursor> {
    return new TableCursor(session, table, await session.openCursor(query, whatOf(table)));
  }

  /**
   * The next batch as `BatchCursor.next` gives it. Throws a JobError with exit code 7 where the rest cannot be queried,
   * and what ended the query where there is no `rest`.
   */
  async next({ rest, mayBeQuiet }: NextOptions): Promise<Buffer | undefined> {
    const session = this.#session;
    for (;;) {
      const cursor = this.#cursor;
      try {
        return await cursor.next((read) => {
          return mayBeQuiet ? session.whileAlive(read, cursor.connection) : session.bounded(read);
        });
      } catch (error) {
        cursor.close();
        const query = isTransient(error) ? rest() : undefined;
        if (query === undefined) throw error;
        session.drop();
        session.log.warn(`Lost ${session.name} while reading ${qualifiedName(this.#table)}: ${errorText(error)}`);
        this.#cursor = await session.openCursor(query, whatOf(this.#table));
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

function whatOf(table: TableName): string {
  return `read table ${qualifiedName(table)}`;
}
