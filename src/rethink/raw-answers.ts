/**
 * A driver's connection with a second ear: the answers to some queries are kept as bytes, all others go to the driver
 * as if nothing were. It also spares the driver's habit of copying all that has come of an answer at every chunk.
 */
import { splitRows } from './answer-rows.js';
import type { DriverConnection, DriverSocket } from './driver.js';

/** Eight bytes of token, four of length: before each answer (RethinkDB's wire protocol). */
const headerBytes = 12;

const known = new WeakMap<DriverSocket, RawAnswers>();

export class RawAnswers {
  readonly #socket: DriverSocket;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** The answer that is coming in; its length is known from its header. */
  #body: Buffer | undefined;
  #bodyFilled = 0;
  /** By token: the rows of the last answer, until they are taken. */
  readonly #rows = new Map<number, Buffer | undefined>();

  private constructor(socket: DriverSocket) {
    this.#socket = socket;
  }

  /** Those of an open connection; from the first call on, what comes in comes through here. */
  static of({ socket }: DriverConnection): RawAnswers {
    const answers = known.get(socket) ?? new RawAnswers(socket);
    if (known.has(socket)) return answers;
    known.set(socket, answers);
    socket.socket?.removeAllListeners('data').on('data', (chunk: Buffer) => answers.#receive(chunk));
    answers.#receive(socket.buffer);
    return answers;
  }

  /** Keeps the rows of query `token`, sent in this turn of the event loop, from now on. */
  keep(token: number): void {
    this.#rows.set(token, undefined);
  }

  /** The rows of the answer that the driver has just given for `token`, each followed by one newline. */
  take(token: number): Buffer {
    const rows = this.#rows.get(token);
    if (rows === undefined) throw new Error('the server sent an answer without rows');
    this.#rows.set(token, undefined);
    return rows;
  }

  /** Gives back what `keep` took. */
  forget(token: number): void {
    this.#rows.delete(token);
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#body === undefined) {
        const copied = chunk.copy(this.#header, this.#headerFilled, at);
        at += copied;
        this.#headerFilled += copied;
        if (this.#headerFilled < headerBytes) return;
        this.#body = Buffer.allocUnsafe(this.#header.readUInt32LE(8));
        this.#bodyFilled = 0;
      }
      const copied = chunk.copy(this.#body, this.#bodyFilled, at);
      at += copied;
      this.#bodyFilled += copied;
      if (this.#bodyFilled < this.#body.length) return;
      const answer = this.#body;
      this.#body = undefined;
      this.#headerFilled = 0;
      this.#pass(this.#header.readUInt32LE(0) + 2 ** 32 * this.#header.readUInt32LE(4), answer);
    }
  }

  #pass(token: number, answer: Buffer): void {
    // Nobody waits for the answer to a query that was stopped.
    const query = this.#socket.runningQueries.get(token);
    if (query === undefined) return;
    try {
      const rows = this.#rows.has(token) ? splitRows(answer) : undefined;
      if (rows !== undefined) this.#rows.set(token, rows.lines);
      query.data.enqueue(
        rows === undefined ? JSON.parse(answer.toString('utf8')) : { t: rows.type, r: [], n: rows.notes },
      );
    } catch (error) {
      // The driver throws an Error among its answers at whoever waits for one.
      query.data.enqueue(error);
    }
  }
}
