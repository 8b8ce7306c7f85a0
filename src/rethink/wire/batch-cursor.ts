/**
 * The rows of a query as the bytes that came, batch by batch, one batch read ahead: the server makes the next while the
 * caller writes this one. At most two batches are in memory; the server bounds them in bytes (1 MB, or one row).
 */
import { hasMoreRows, splitRows } from './answer.js';
import type { WireConnection } from './connection.js';
import type { RawTerm } from './term.js';

/** Waits for a batch within some limit, and throws beyond it. */
type Wait = (read: Promise<Buffer>) => Promise<Buffer>;

export class BatchCursor {
  readonly connection: WireConnection;
  readonly #token: number;
  /** The answer being read; absent after the last. */
  #reading: Promise<Buffer> | undefined;
  /** Whether the server has, or may have, more rows to send. */
  #isRunning = true;
  /** What the caller has. */
  #given: Buffer | undefined;

  private constructor(connection: WireConnection, token: number) {
    this.connection = connection;
    this.#token = token;
  }

  /** Sends the query and waits for its first batch. Throws a ReqlError, a ConnectionLostError, or what `wait` throws. */
  static async open(connection: WireConnection, query: RawTerm, wait: Wait): Promise<BatchCursor> {
    const { token, answer } = connection.start(query);
    const cursor = new BatchCursor(connection, token);
    await wait(cursor.#read(answer));
    return cursor;
  }

  /**
   * The next batch, each row a JSON object followed by one newline, good until the next call resolves; or undefined when
   * the server has said that there is no more. Throws as `open` does: the end of the connection is never taken for the
   * end of the rows.
   */
  async next(wait: Wait): Promise<Buffer | undefined> {
    if (this.#reading === undefined) return undefined;
    const answer = await wait(this.#reading);
    if (this.#given !== undefined) this.connection.recycle(this.#given);
    this.#given = answer;
    this.#reading = undefined;
    if (this.#isRunning) void this.#read(this.connection.continue(this.#token));
    // After asking for more: the server works meanwhile.
    return splitRows(answer);
  }

  /** Stops the query where it has more rows to send: a pending `next` rejects. */
  close(): void {
    if (this.#isRunning) this.connection.stop(this.#token);
    this.#isRunning = false;
  }

  #read(answer: Promise<Buffer>): Promise<Buffer> {
    this.#reading = answer.then((bytes) => {
      this.#isRunning = hasMoreRows(bytes);
      return bytes;
    });
    // It may fail before anyone waits for it.
    this.#reading.catch(() => (this.#isRunning = false));
    return this.#reading;
  }
}
