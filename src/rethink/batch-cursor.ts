/**
 * A query's result, batch by batch, one batch read ahead: the server makes the next while the caller writes this one.
 * At most two batches are in memory; the server bounds them in bytes, whatever the documents' size.
 */
import type { RQuery } from 'rethinkdb-ts';
import { rawOptions, termOf, type DriverConnection, type DriverCursor } from './driver.js';
import type { RethinkSession } from './session.js';

export class BatchCursor {
  readonly #session: RethinkSession;
  readonly #cursor: DriverCursor;
  /** The batch being read; absent after the last. */
  #reading: Promise<unknown[]> | undefined;

  private constructor(session: RethinkSession, cursor: DriverCursor) {
    this.#session = session;
    this.#cursor = cursor;
    this.#reading = readBatch(cursor);
  }

  /** Sends the query. Its first error comes out of the first `next()`. */
  static async open(session: RethinkSession, connection: DriverConnection, query: RQuery): Promise<BatchCursor> {
    return new BatchCursor(session, await connection.query(termOf(query), rawOptions));
  }

  /**
   * The next batch, or undefined when the server has said that there is no more. Throws whatever the server or the
   * driver reports; a quiet end is never taken for the end.
   */
  async next(): Promise<unknown[] | undefined> {
    if (this.#reading === undefined) return undefined;
    const batch = await this.#session.bounded(this.#reading);
    this.#reading = undefined;
    if (this.#cursor.hasNextBatch) {
      this.#cursor.conn.continueQuery(this.#cursor.token);
      this.#reading = readBatch(this.#cursor);
    }
    return batch;
  }

  /** Stops the query on the server if it still runs. */
  async close(): Promise<void> {
    await this.#cursor.close();
  }
}

function readBatch(cursor: DriverCursor): Promise<unknown[]> {
  const reading = cursor.resolve();
  // Read ahead, it may fail before anybody waits for it.
  reading.catch(() => undefined);
  return reading;
}
