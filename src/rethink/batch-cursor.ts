/**
 * A query's rows as the bytes that came, batch by batch, one batch read ahead: the server makes the next while the
 * caller writes this one. At most two batches are in memory; the server bounds them in bytes (1 MB, or one row).
 */
import type { RQuery } from 'rethinkdb-ts';
import { rawOptions, termOf, type DriverConnection, type DriverCursor } from './driver.js';
import { splitRows } from './answer-rows.js';
import { ResponseTap } from './response-tap.js';
import type { RethinkSession } from './session.js';

/** Waits for a batch, and throws when it waits in vain. */
export type Bound = (read: Promise<Buffer>) => Promise<Buffer>;

export class BatchCursor {
  readonly #session: RethinkSession;
  readonly #cursor: DriverCursor;
  readonly #answers: ResponseTap;
  /** What the caller has. */
  #given: Buffer | undefined;
  /** The answer being read; absent after the last. */
  #reading: Promise<Buffer> | undefined;

  private constructor(session: RethinkSession, cursor: DriverCursor, answers: ResponseTap) {
    this.#session = session;
    this.#cursor = cursor;
    this.#answers = answers;
    this.#reading = this.#read();
  }

  /** Sends the query. Its first error comes out of the first `next()`. */
  static async open(session: RethinkSession, connection: DriverConnection, query: RQuery): Promise<BatchCursor> {
    const answers = ResponseTap.of(connection);
    const cursor = await connection.query(termOf(query), rawOptions);
    answers.keep(cursor.token);
    return new BatchCursor(session, cursor, answers);
  }

  /**
   * The next batch, good until the one after it has come, each row a JSON object followed by one newline; or undefined
   * when the server has said that there is no more. Throws whatever the server or the driver reports; a quiet end is never
   * taken for the end. `bound` waits for it, by default as long as a read may take.
   */
  async next(bound: Bound = (read) => this.#session.bounded(read)): Promise<Buffer | undefined> {
    if (this.#reading === undefined) return undefined;
    const answer = await bound(this.#reading);
    this.#reading = undefined;
    if (this.#given !== undefined) this.#answers.giveBack(this.#given);
    this.#given = answer;
    if (this.#cursor.hasNextBatch) {
      this.#cursor.conn.continueQuery(this.#cursor.token);
      this.#reading = this.#read();
    }
    // The server is at work on the next meanwhile.
    return splitRows(answer);
  }

  /** Stops the query on the server if it still runs. */
  async close(): Promise<void> {
    await this.#cursor.close();
    this.#answers.forget(this.#cursor.token);
  }

  #read(): Promise<Buffer> {
    const reading = this.#cursor.resolve().then(() => this.#answers.take(this.#cursor.token));
    // Read ahead, it may fail before anybody waits for it.
    reading.catch(() => undefined);
    return reading;
  }
}
