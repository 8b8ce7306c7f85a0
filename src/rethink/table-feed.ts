/**
 * The snapshot reader: one table through one changefeed, on a connection of its own. It gives the rows and then, for as
 * long as it is open, every change of a row that was given and every row that is new.
 *
 * A feed cannot be resumed, so it is opened again only while nothing of it has been given. Whether a quiet one is alive
 * is asked on its own connection: an answer shows that the connection and the server still work, and a failure of the
 * feed within the server comes as its error.
 */
import { r, type RQuery } from 'rethinkdb-ts';
import { errorText, JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import { qualifiedName, type TableName } from '../model/table.js';
import { isUnknownOption } from './errors.js';
import { FeedError, parseElements, type FeedElements } from './feed-elements.js';
import type { RethinkSession } from './session.js';
import { TableCursor } from './table-cursor.js';

export interface FeedOptions {
  /** How many changes the server keeps for us before it drops them all; its own default is 100,000. */
  readonly queueSize: number;
}

export class TableFeed implements AsyncDisposable {
  readonly #session: RethinkSession;
  readonly #table: TableName;
  readonly #cursor: TableCursor;
  /** Whether anything of it was given. */
  #hasBegun = false;
  #isReady = false;

  private constructor(session: RethinkSession, table: TableName, cursor: TableCursor) {
    this.#session = session;
    this.#table = table;
    this.#cursor = cursor;
  }

  /** Opens it on a connection beside that of `session`. Throws a JobError with exit code 7 when the table cannot be read. */
  static async open(session: RethinkSession, table: TableName, options: FeedOptions): Promise<TableFeed> {
    const own = session.another();
    const first = feedQuery(table, options);
    let feed: TableFeed | undefined;
    const rest = (): RQuery | undefined => (feed !== undefined && feed.#hasBegun ? undefined : first);
    try {
      const cursor = await TableCursor.open(own, { what: `read table ${qualifiedName(table)}`, first, rest });
      feed = new TableFeed(own, table, cursor);
      return feed;
    } catch (error) {
      own.drop();
      throw error;
    }
  }

  /**
   * What came next; waits for it as long as the server is alive. What it gave before is no longer good then. Throws a
   * JobError with exit code 11 when the feed is not complete any more, 7 when it cannot be opened again.
   */
  async next(): Promise<FeedElements> {
    try {
      const batch = await this.#cursor.next(this.#isReady);
      if (batch === undefined) throw new FeedError('the changefeed ended');
      const elements = parseElements(batch);
      this.#isReady ||= elements.isReady;
      this.#hasBegun ||= elements.isReady || elements.parts.length > 0;
      return elements;
    } catch (error) {
      throw this.#incompleteError(error);
    }
  }

  /** Resolves when the server has answered on the feed's connection. Throws as `next` does. */
  async assertAlive(): Promise<void> {
    try {
      await this.#cursor.assertAlive();
    } catch (error) {
      throw this.#incompleteError(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#cursor.close();
    return this.#session[Symbol.asyncDispose]();
  }

  #incompleteError(error: unknown): unknown {
    const failure = this.#session.failure('follow a table', error);
    if (!(failure instanceof JobError) || failure === error) return failure;
    const message = `the changes of ${qualifiedName(this.#table)} are not complete: ${errorText(error)}`;
    const isOverflow = error instanceof FeedError && error.isOverflow;
    const advice = isOverflow ? '; a faster output or a larger --changefeed-queue-size helps' : '';
    return new JobError(ExitCode.consistency, `${message}${advice}`, { cause: error });
  }
}

/**
 * Whether the server knows the options of a feed of rows and changes. Any other error ends the run, rather than a
 * fallback to less. Throws a JobError with exit code 7.
 */
export async function canFollow(session: RethinkSession, table: TableName, options: FeedOptions): Promise<boolean> {
  try {
    const feed = await TableFeed.open(session, table, options);
    await feed[Symbol.asyncDispose]();
    return true;
  } catch (error) {
    if (isUnknownOption(error)) return false;
    throw error;
  }
}

/** `squash: false`: every change, not the sum of some, which would be no prefix of the history. */
function feedQuery({ database, name }: TableName, { queueSize }: FeedOptions): RQuery {
  return r.db(database).table(name).changes({
    includeInitial: true,
    includeStates: true,
    includeTypes: true,
    squash: false,
    changefeedQueueSize: queueSize,
  });
}
