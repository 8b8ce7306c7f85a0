/**
 * A driver's connection with a second ear: the answers to some queries are kept as bytes, all others go to the driver
 * as if nothing were. It also spares the driver's habit of copying all that has come of an answer at every chunk.
 */
import { rowsTypeOf } from './answer-rows.js';
import type { DriverConnection, DriverSocket } from './driver.js';

/** Eight bytes of token, four of length: before each answer (RethinkDB's wire protocol). */
const headerBytes = 12;

/** RethinkDB ends a batch at a megabyte, and the row that fills it may go beyond. */
const usualAnswerBytes = 1.25 * 1024 * 1024;

const known = new WeakMap<DriverSocket, ResponseTap>();

export class ResponseTap {
  readonly #socket: DriverSocket;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** The answer that is coming in; its length is known from its header. */
  #answer: Buffer | undefined;
  #filled = 0;
  /** By token: the last answer with rows, until it is taken. */
  readonly #kept = new Map<number, Buffer | undefined>();
  /** Memory to be used again: without it, the garbage of a table is as large as the table. */
  #spare: ArrayBufferLike | undefined;

  private constructor(socket: DriverSocket) {
    this.#socket = socket;
  }

  /** Those of an open connection; from the first call on, what comes in comes through here. */
  static of({ socket }: DriverConnection): ResponseTap {
    const before = known.get(socket);
    if (before !== undefined) return before;
    const answers = new ResponseTap(socket);
    known.set(socket, answers);
    socket.socket?.removeAllListeners('data').on('data', (chunk: Buffer) => answers.#receive(chunk));
    answers.#receive(socket.buffer);
    return answers;
  }

  /** Keeps the answers with rows to query `token`, which was sent in this turn of the event loop. */
  keep(token: number): void {
    this.#kept.set(token, undefined);
  }

  /** The answer whose arrival the driver has just told. */
  take(token: number): Buffer {
    const answer = this.#kept.get(token);
    if (answer === undefined) throw new Error('the server sent an answer without rows');
    this.#kept.set(token, undefined);
    return answer;
  }

  /** Takes back an answer that nobody will look at again. */
  giveBack(answer: Buffer): void {
    this.#spare = answer.buffer;
  }

  /** Ends what `keep` began. */
  forget(token: number): void {
    this.#kept.delete(token);
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#answer === undefined) {
        const copied = chunk.copy(this.#header, this.#headerFilled, at);
        at += copied;
        this.#headerFilled += copied;
        if (this.#headerFilled < headerBytes) return;
        this.#answer = this.#memory(this.#header.readUInt32LE(8));
        this.#filled = 0;
      }
      const copied = chunk.copy(this.#answer, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled < this.#answer.length) return;
      const answer = this.#answer;
      this.#answer = undefined;
      this.#headerFilled = 0;
      this.#pass(this.#header.readUInt32LE(0) + 2 ** 32 * this.#header.readUInt32LE(4), answer);
    }
  }

  #memory(bytes: number): Buffer {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && spare.byteLength >= bytes) return Buffer.from(spare, 0, bytes);
    return Buffer.allocUnsafeSlow(Math.max(bytes, usualAnswerBytes)).subarray(0, bytes);
  }

  #pass(token: number, answer: Buffer): void {
    // Nobody waits for the answer to a query that was stopped.
    const query = this.#socket.runningQueries.get(token);
    if (query === undefined) return;
    const type = this.#kept.has(token) ? rowsTypeOf(answer) : undefined;
    if (type !== undefined) {
      this.#kept.set(token, answer);
      query.data.enqueue({ t: type, r: [], n: [] });
      return;
    }
    try {
      query.data.enqueue(JSON.parse(answer.toString('utf8')));
    } catch {
      // The driver throws an Error among its answers at whoever waits for one. What JSON.parse says quotes the answer.
      query.data.enqueue(new Error('the server sent an answer that is not JSON'));
    }
    this.giveBack(answer);
  }
}
