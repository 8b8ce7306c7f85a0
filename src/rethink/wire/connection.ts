/**
 * RethinkDB's JSON protocol on a socket after the handshake: queries are sent and answers received as bytes. Each
 * message has a header: eight bytes of token, which an answer repeats, and four of length.
 */
import type { Socket } from 'node:net';
import { parseAnswer, responseTypes } from './answer.js';
import type { RawTerm } from './term.js';

const headerBytes = 12;

/** RethinkDB ends a batch at a megabyte, and the row that fills it may exceed that. */
const usualAnswerBytes = 1.25 * 1024 * 1024;

/** Far more than the largest change (two documents of 128 MiB): a peer that announces more does not speak this protocol. */
const maxAnswerBytes = 1024 * 1024 * 1024;

/** `QueryType` of ql2.proto. */
const queryTypes = { start: 1, continue: 2, stop: 3 } as const;

/** The connection is closed, or silent for too long. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError';
}

interface Waiting {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class WireConnection {
  readonly #socket: Socket;
  #isOpen = true;
  #nextToken = 1;
  /** By token: the pending answer to that query. */
  readonly #waiting = new Map<number, Waiting>();
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** The answer being received. */
  #answer: Buffer | undefined;
  #filled = 0;
  /** Memory to be used again: without it, the garbage of a table is as large as the table. */
  #spare: ArrayBufferLike | undefined;

  /** Takes the socket over; the handshake must be done. */
  constructor(socket: Socket) {
    this.#socket = socket;
    socket
      .removeAllListeners()
      .on('data', (chunk: Buffer) => this.#receive(chunk))
      .on('error', (cause) => this.#end(cause))
      .on('end', () => this.#end())
      .on('close', () => this.#end());
    if (socket.destroyed) this.#end();
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The value of a query, or all of its rows. Throws a ReqlError or a ConnectionLostError. */
  async ask(query: RawTerm): Promise<unknown> {
    const { token, answer } = this.start(query);
    const first = this.#parse(await answer);
    if (first.type === responseTypes.atom) return first.results[0];
    const rows = [...first.results];
    for (let { type } = first; type === responseTypes.partial;) {
      const next = this.#parse(await this.continue(token));
      rows.push(...next.results);
      type = next.type;
    }
    return rows;
  }

  /** Sends a query. Its answer is good until it is given to `recycle`. */
  start(query: RawTerm): { readonly token: number; readonly answer: Promise<Buffer> } {
    const token = this.#nextToken;
    this.#nextToken += 1;
    return { token, answer: this.#exchange(token, [`[${queryTypes.start},`, ...query, ']']) };
  }

  /** Asks for the next batch of a query. */
  continue(token: number): Promise<Buffer> {
    return this.#exchange(token, [`[${queryTypes.continue}]`]);
  }

  /** Stops a query that has more to send: a pending answer rejects. */
  stop(token: number): void {
    this.#waiting.get(token)?.reject(new Error('the query was stopped'));
    this.#waiting.delete(token);
    if (this.#isOpen) this.#socket.write(messageOf(token, [`[${queryTypes.stop}]`]));
  }

  /** Gives back the memory of an answer. */
  recycle(answer: Buffer): void {
    this.#spare = answer.buffer;
  }

  /** Pending answers reject with a ConnectionLostError. */
  close(): void {
    this.#end();
  }

  #parse(bytes: Buffer): ReturnType<typeof parseAnswer> {
    const answer = parseAnswer(bytes);
    this.recycle(bytes);
    return answer;
  }

  #exchange(token: number, query: RawTerm): Promise<Buffer> {
    if (!this.#isOpen) return Promise.reject(new ConnectionLostError('the connection is closed'));
    return new Promise((resolve, reject) => {
      this.#waiting.set(token, { resolve, reject });
      this.#socket.write(messageOf(token, query));
    });
  }

  #end(cause?: Error): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.destroy();
    const error = new ConnectionLostError('the connection was closed before the query was answered', { cause });
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #receive(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#answer === undefined) {
        const copied = chunk.copy(this.#header, this.#headerFilled, at);
        at += copied;
        this.#headerFilled += copied;
        if (this.#headerFilled < headerBytes) return;
        const bytes = this.#header.readUInt32LE(8);
        if (bytes > maxAnswerBytes) {
          this.#end(new Error(`the server announces an answer of ${bytes} bytes`));
          return;
        }
        this.#answer = this.#allocate(bytes);
        this.#filled = 0;
      }
      const copied = chunk.copy(this.#answer, this.#filled, at);
      at += copied;
      this.#filled += copied;
      if (this.#filled < this.#answer.length) return;
      this.#deliver(Number(this.#header.readBigUInt64LE(0)), this.#answer);
      this.#answer = undefined;
      this.#headerFilled = 0;
    }
  }

  #allocate(bytes: number): Buffer {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined && spare.byteLength >= bytes) return Buffer.from(spare, 0, bytes);
    return Buffer.allocUnsafeSlow(Math.max(bytes, usualAnswerBytes)).subarray(0, bytes);
  }

  #deliver(token: number, answer: Buffer): void {
    const waiting = this.#waiting.get(token);
    this.#waiting.delete(token);
    if (waiting !== undefined) waiting.resolve(answer);
    // The query was stopped.
    else this.recycle(answer);
  }
}

function messageOf(token: number, query: RawTerm): Buffer {
  const header = Buffer.alloc(headerBytes);
  const message = Buffer.concat([
    header,
    ...query.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)),
  ]);
  message.writeBigUInt64LE(BigInt(token), 0);
  message.writeUInt32LE(message.length - headerBytes, 8);
  return message;
}
