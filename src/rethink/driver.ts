/**
 * What this house knows of rethinkdb-ts 3.0.0 beyond its declared types, and what its errors mean. The version is
 * pinned exactly because of this file; the tests of backups notice when it stops being true.
 */
import type { Socket } from 'node:net';
import { isRethinkDBError, RethinkDBErrorType, type Connection, type RQuery } from 'rethinkdb-ts';
import { errorCode, errorText } from '../base/errors.js';
import { printable } from '../model/finding.js';

/** A connection with the call that opens a query so that an error in the first batch is thrown, not swallowed. */
export interface DriverConnection extends Connection {
  query(term: unknown, options: RawOptions): Promise<DriverCursor>;
  readonly socket: DriverSocket;
}

/** What the driver keeps of a connection: `socket` while it is open, and by token where each answer goes. */
export interface DriverSocket {
  readonly socket: Socket | undefined;
  /** What has come in of the next answer. */
  readonly buffer: Buffer;
  readonly runningQueries: ReadonlyMap<number, { readonly data: { enqueue(answer: unknown): void } }>;
}

/** The driver's cursor, batch-wise: `resolve()` waits for one batch and says in `hasNextBatch` whether it was the last. */
export interface DriverCursor {
  resolve(): Promise<unknown[]>;
  close(): Promise<void>;
  readonly hasNextBatch: boolean;
  readonly token: number;
  /** `continueQuery` asks the server for the next batch. */
  readonly conn: { continueQuery(token: number): void };
}

/** Pseudo-types as they are: the driver's native TIME and BINARY lose precision. */
export const rawOptions = { timeFormat: 'raw', binaryFormat: 'raw', groupFormat: 'raw' } as const;
export type RawOptions = typeof rawOptions;

/** The query's term as it goes over the wire. */
export function termOf(query: RQuery): unknown {
  return (query as unknown as { readonly term: unknown }).term;
}

/** A connection of no use any more, where the driver does not say so: silent for too long, or closed while it was made. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

/**
 * What a failure of the driver's `connect` means. While it computes its proof of the password it does not watch the
 * connection, and then writes into none.
 */
export function connectFailure(error: unknown): unknown {
  const isSocketGone = error instanceof TypeError && error.message.includes("reading 'write'");
  return isSocketGone ? new ConnectionLost('the connection was closed while it was being made') : error;
}

const transientCodes: readonly string[] = [
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  // A name on an overlay network that was joined a moment ago.
  'ENOTFOUND',
  'EAI_AGAIN',
];

const transientTypes: readonly RethinkDBErrorType[] = [RethinkDBErrorType.CONNECTION, RethinkDBErrorType.TIMEOUT];

/**
 * What a table answers while its primary replica is coming back after a restart (table_query_client.cc and
 * admin_op_exc.hpp of RethinkDB 2.4). A table that does not exist fails with the same type, and for good.
 */
const tableAway = /not available|unreachable|lost contact/;

/** Whether the same question may be answered on a new connection: it was lost, not refused. */
export function isTransient(error: unknown): boolean {
  if (error instanceof ConnectionLost) return true;
  const code = errorCode(error);
  if (code !== undefined) return transientCodes.includes(code);
  if (!isRethinkDBError(error)) return false;
  return (
    transientTypes.includes(error.type) ||
    (error.type === RethinkDBErrorType.OP_FAILED && tableAway.test(error.message))
  );
}

/** Whether the server, by its answer, does not know the question: an older one, or the embedded one. */
export function isUnknownTerm(error: unknown): boolean {
  const types = [RethinkDBErrorType.UNKNOWN, RethinkDBErrorType.QUERY_LOGIC, RethinkDBErrorType.INTERNAL];
  return isRethinkDBError(error) && types.includes(error.type);
}

/** One line of what RethinkDB or the driver said, without the query that the driver appends to it. */
export function rethinkErrorText(error: unknown): string {
  if (!isRethinkDBError(error)) return errorText(error);
  const { msg, cause } = error as unknown as { readonly msg?: unknown; readonly cause?: unknown };
  const text = errorText(typeof msg === 'string' ? msg.replace(/:$/, '') : error.message);
  if (!(cause instanceof SyntaxError)) return text;
  // While it shakes hands, the driver takes all it hears for JSON.
  return `it does not speak RethinkDB’s protocol, but says "${printable(text.trim())}"`;
}

/**
 * Why RethinkDB refused a write, without what it quotes of the document, which may be a private key: it quotes texts
 * (`Primary key too long …: "…"`), objects (`Duplicate primary key …: {…}`) and JSON it cannot read.
 */
export function refusalText(refused: unknown): string {
  const text = typeof refused === 'string' ? errorText(refused) : rethinkErrorText(refused);
  return text.startsWith('Failed to parse') ? 'it is not JSON' : text.replace(/[:\s]*["{[][^]*$/, '');
}
