/**
 * Queries made of bytes. The driver's own terms pass through JavaScript strings, which cannot hold every text that
 * RethinkDB stores (`ED A0 80`), and `r.json` escapes a document's text once more, which may exceed the server's limit.
 * A term of type DATUM takes JSON as it stands (rdb_protocol/term_walker.cc and term_storage.cc of RethinkDB 2.4).
 */
import { RethinkDBError, type RethinkDBErrorArgs } from 'rethinkdb-ts/lib/error/error.js';
import { ConnectionLost, type DriverConnection } from './driver.js';

/** JSON text of a term; what is a string is written as it stands. */
export type RawTerm = readonly (string | Buffer)[];

/** Protocol numbers (ql2.proto). */
export const term = {
  datum: 1,
  makeArray: 2,
  variable: 10,
  db: 14,
  table: 15,
  get: 16,
  ne: 18,
  insert: 56,
  delete: 54,
  func: 69,
  getAll: 78,
  offsetsOf: 87,
  bracket: 170,
  toJsonString: 172,
} as const;

/** The term `type` over arguments that are terms, with options that are plain values. */
export function rawTerm(type: number, args: readonly RawTerm[], options?: object): RawTerm {
  const joined = args.flatMap((arg, index) => (index === 0 ? arg : [',', ...arg]));
  return [`[${type},[`, ...joined, options === undefined ? ']]' : `],${JSON.stringify(options)}]`];
}

/** The object that is all of `json`. */
export function datum(json: RawTerm): RawTerm {
  return [`[${term.datum},`, ...json, ']'];
}

/** What the driver keeps of a connection, as far as a query of our own needs it. */
interface QuerySocket {
  nextToken: number;
  readonly socket: DriverConnection['socket']['socket'];
  readonly runningQueries: Map<number, { readonly query: readonly unknown[]; readonly data: AnswerQueue }>;
}

interface AnswerQueue {
  enqueue(answer: unknown): void;
  destroy(error: unknown): void;
}

interface Answer {
  readonly t: number;
  readonly r: readonly unknown[];
  readonly e?: number;
}

const startQuery = 1;
const successAtom = 1;

/** Sends one query, and gives its one value. Throws what the server says as the driver does. */
export async function runRawTerm(connection: DriverConnection, raw: RawTerm): Promise<unknown> {
  const { t: responseType, r: results, e: responseErrorType } = await ask(connection, raw);
  if (responseType === successAtom) return results[0];
  const about: unknown = { responseType, responseErrorType };
  throw new RethinkDBError(String(results[0]), about as RethinkDBErrorArgs);
}

function ask(connection: DriverConnection, raw: RawTerm): Promise<Answer> {
  const driver = connection.socket as unknown as QuerySocket;
  const { socket, runningQueries } = driver;
  if (socket === undefined) return Promise.reject(new ConnectionLost('the connection was closed'));
  const token = driver.nextToken;
  driver.nextToken += 1;
  return new Promise((resolve, reject) => {
    const enqueue = (answer: unknown): void => {
      runningQueries.delete(token);
      if (answer instanceof Error) reject(answer);
      else resolve(answer as Answer);
    };
    runningQueries.set(token, { query: [startQuery, null], data: { enqueue, destroy: reject } });
    socket.write(messageOf(token, raw));
  });
}

/** Eight bytes of token, four of length, and the query. */
function messageOf(token: number, raw: RawTerm): Buffer {
  const head = Buffer.alloc(12);
  const pieces = [`[${startQuery},`, ...raw, ']'].map((piece) =>
    typeof piece === 'string' ? Buffer.from(piece) : piece,
  );
  head.writeBigUInt64LE(BigInt(token), 0);
  head.writeUInt32LE(
    pieces.reduce((sum, { length }) => sum + length, 0),
    8,
  );
  return Buffer.concat([head, ...pieces]);
}
