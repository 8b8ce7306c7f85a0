/**
 * The snapshot reader: one table through one changefeed, on a connection of its own. It gives the rows and then, for as
 * long as it is open, every change of a row that was given and every row that is new.
 *
 * A feed cannot be taken up again where it broke off, so it begins anew only while nothing of it has been given.
 * Whether a quiet one is alive is asked on its own connection: an answer there proves what the feed's silence rests
 * on, that this connection and this server still stand; what befalls the feed in the server comes as its error.
 */
import { r, type RQuery } from 'rethinkdb-ts';
import { JobError } from '../base/errors.js';
import { ExitCode } from '../base/exit-codes.js';
import type { Log } from '../base/log.js';
import { qualifiedName, type TableName } from '../model/table.js';
import { BatchCursor } from './batch-cursor.js';
import { isTransient, isUnknownOption, rethinkErrorText, type DriverConnection } from './driver.js';
import { FeedFault, partElements, type FeedElements } from './feed-elements.js';
import type { RethinkSession } from './session.js';

export interface FeedOptions {
  /** How many changes the server keeps for us before it drops them all; its own default is 100,000. */
  readonly queueSize: number;
}

interface OpenFeed {
  readonly connection: DriverConnection;
  readonly cursor: BatchCursor;
  readonly first: Buffer | undefined;
}

export class TableFeed implements AsyncDisposable {
  readonly #session: RethinkSession;
  readonly #table: TableName;
  readonly #options: FeedOptions;
  readonly #log: Log;
  #open: OpenFeed;
  #isFirst = true;
  #hasGiven = false;
  #isReady = false;

  private constructor(session: RethinkSession, table: TableName, options: FeedOptions, log: Log, open: OpenFeed) {
    this.#session = session;
    this.#table = table;
    this.#options = options;
    this.#log = log;
    this.#open = open;
  }

  /** Opens it on a connection beside that of `session`. Throws a JobError with exit code 7 when the table cannot be read. */
  static async open(session: RethinkSession, table: TableName, options: FeedOptions, log: Log): Promise<TableFeed> {
    const own = session.another();
    try {
      return new TableFeed(own, table, options, log, await openFeed(own, table, options));
    } catch (error) {
      own.drop();
      throw own.failure(`read table ${qualifiedName(table)}`, error);
    }
  }

  /**
   * What came next; waits for it as long as the server lives. What it gave before is no longer good then. Throws a
   * JobError with exit code 11 when the feed is not whole any more, 7 when it cannot be opened again.
   */
  async next(): Promise<FeedElements> {
    for (;;) {
      try {
        const elements = partElements(await this.#nextBatch());
        this.#hasGiven ||= elements.parts.length > 0;
        this.#isReady ||= elements.isReady;
        return elements;
      } catch (error) {
        if (this.#hasGiven || this.#isReady || !isTransient(error)) throw this.#lost(error);
        this.#log.warn(`Lost ${this.#session.name} before ${qualifiedName(this.#table)}: ${rethinkErrorText(error)}`);
        await this.#reopen();
      }
    }
  }

  /** Resolves when the server has answered on the feed's connection. Throws as `next` does. */
  async assertAlive(): Promise<void> {
    try {
      await this.#session.assertAlive(this.#open.connection);
    } catch (error) {
      throw this.#lost(error);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#open.cursor.close();
    this.#session.drop();
  }

  async #nextBatch(): Promise<Buffer> {
    const { cursor, connection, first } = this.#open;
    const isFirst = this.#isFirst;
    this.#isFirst = false;
    const batch = isFirst
      ? first
      : await cursor.next(this.#isReady ? (read) => this.#session.whileAlive(read, connection) : undefined);
    if (batch === undefined) throw new FeedFault('the changefeed ended');
    return batch;
  }

  async #reopen(): Promise<void> {
    this.#session.drop();
    try {
      this.#open = await openFeed(this.#session, this.#table, this.#options);
      this.#isFirst = true;
    } catch (error) {
      throw this.#session.failure(`read table ${qualifiedName(this.#table)}`, error);
    }
  }

  #lost(error: unknown): unknown {
    const reason = this.#session.failure('follow a table', error);
    if (!(reason instanceof JobError) || error instanceof JobError) return reason;
    const message = `the changes of ${qualifiedName(this.#table)} are not complete: ${rethinkErrorText(error)}`;
    const remedy =
      error instanceof FeedFault && message.includes('skipped')
        ? '; a faster output or a larger --changefeed-queue-size helps'
        : '';
    return new JobError(ExitCode.consistency, `${message}${remedy}`, { cause: error });
  }
}

/**
 * Whether the server knows the options that a feed of rows and changes is asked for with. Any other error than that it
 * does not is no reason to do with less. Throws a JobError with exit code 7.
 */
export async function canFollow(session: RethinkSession, table: TableName, options: FeedOptions): Promise<boolean> {
  const own = session.another();
  try {
    const { cursor } = await openFeed(own, table, options);
    await cursor.close();
    return true;
  } catch (error) {
    if (isUnknownOption(error)) return false;
    throw own.failure(`read table ${qualifiedName(table)}`, error);
  } finally {
    own.drop();
  }
}

/** Opens the feed and waits for its first batch, which the server sends at once. */
async function openFeed(session: RethinkSession, table: TableName, options: FeedOptions): Promise<OpenFeed> {
  return session.withReconnect(async (connection) => {
    const cursor = await BatchCursor.open(session, connection, feedQuery(table, options));
    return { connection, cursor, first: await cursor.next() };
  });
}

/** `squash: false`: every change, not the sum of some; what is squashed is no prefix of the history. */
function feedQuery({ database, name }: TableName, { queueSize }: FeedOptions): RQuery {
  return r.db(database).table(name).changes({
    includeInitial: true,
    includeStates: true,
    includeTypes: true,
    squash: false,
    changefeedQueueSize: queueSize,
  });
}
